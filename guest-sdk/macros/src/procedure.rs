//! One procedure: a function's signature, and what its attributes say.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use serde_json::Value;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Error, FnArg, ItemFn, LitInt, LitStr, Meta, Pat, Token, Type as Syntax};
use tarp_schema::procedure::{ArrayReplies, MAX_NAME_LENGTH, WebMethod, is_valid_name};

use crate::declared::{self, Declared};
use crate::defaults;
use crate::docs;
use crate::names::{self, Name};
use crate::types::{self, Scope, Shared, Type};

/// What becomes an exported function.
#[derive(Debug)]
pub(crate) struct Procedure {
    pub(crate) ident: Ident,
    pub(crate) name: Name,
    pub(crate) docs: String,
    pub(crate) is_async: bool,
    pub(crate) inputs: Vec<Input>,
    /// What the author's function gives.
    pub(crate) result: Option<Type>,
    /// What the export gives: that, or a `Result` of it where arguments may be refused.
    pub(crate) exported: Option<Type>,
    pub(crate) options: Options,
}

/// What the function takes, in its order.
#[derive(Debug)]
pub(crate) enum Input {
    Parameter(Parameter),
    /// `&Context`, which callers know nothing of.
    Context,
}

/// What callers pass.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    pub(crate) name: Name,
    pub(crate) of: Type,
    pub(crate) by_reference: bool,
    pub(crate) default: Option<Value>,
}

/// What `#[procedure(...)]` says.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) asynchronous: Option<Span>,
    pub(crate) suggested_wait: Option<(u32, Span)>,
    pub(crate) web: Option<Span>,
    pub(crate) methods: Option<(Vec<WebMethod>, Span)>,
    pub(crate) aliases: Option<(Vec<String>, Span)>,
    pub(crate) arrays: Option<(ArrayReplies, Span)>,
}

/// The attributes of the macro on one function: taken off it, for nobody else knows them.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) procedure: Vec<Attribute>,
    /// Those of each input.
    pub(crate) defaults: Vec<Vec<Attribute>>,
}

impl Taken {
    pub(crate) fn from(function: &mut ItemFn) -> Self {
        let procedure = take(&mut function.attrs, "procedure");
        let inputs = function.sig.inputs.iter_mut();
        let defaults = inputs.map(|input| match input {
            FnArg::Receiver(receiver) => take(&mut receiver.attrs, "default"),
            FnArg::Typed(typed) => take(&mut typed.attrs, "default"),
        });
        Self { procedure, defaults: defaults.collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.procedure.is_empty() && self.defaults.iter().all(Vec::is_empty)
    }
}

/// Removes the attributes of that name and gives them.
pub(crate) fn take(attributes: &mut Vec<Attribute>, name: &str) -> Vec<Attribute> {
    let is_ours = |attribute: &Attribute| {
        attribute.path().segments.last().is_some_and(|segment| segment.ident == name)
    };
    let (ours, others) = std::mem::take(attributes).into_iter().partition(is_ours);
    *attributes = others;
    ours
}

impl Procedure {
    /// Reads a function and what was taken off it.
    pub(crate) fn read(
        function: &ItemFn,
        taken: &Taken,
        scope: &dyn defaults::Scope,
    ) -> syn::Result<Self> {
        let signature = &function.sig;
        refuse_what_callers_cannot(function)?;
        let inputs = signature.inputs.iter().zip(&taken.defaults);
        let inputs = inputs.map(|(input, defaults)| Input::read(input, defaults, scope));
        let result = types::read_result(&signature.output, scope)?;
        let mut procedure = Self {
            ident: signature.ident.clone(),
            name: name(&signature.ident)?,
            docs: docs::of(&function.attrs),
            is_async: signature.asyncness.is_some(),
            inputs: inputs.collect::<syn::Result<_>>()?,
            exported: result.clone(),
            result,
            options: Options::read(&taken.procedure)?,
        };
        let parameters = procedure.inputs.iter_mut().filter_map(|input| match input {
            Input::Parameter(parameter) => Some((&mut parameter.name, &parameter.ident)),
            Input::Context => None,
        });
        names::distinct(parameters)?;
        procedure.check_web(function)?;
        procedure.check_options()?;
        Ok(procedure)
    }

    /// What callers pass.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Parameter(parameter) => Some(parameter),
            Input::Context => None,
        })
    }

    /// The types that it names.
    pub(crate) fn types(&self) -> impl Iterator<Item = &Type> {
        self.parameters().map(|parameter| &parameter.of).chain(&self.result)
    }

    /// Whether it may refuse arguments that fit the types of its export. `types` are those of the module.
    pub(crate) fn may_refuse(&self, types: &[Declared]) -> bool {
        self.parameters().any(|parameter| declared::may_refuse(&parameter.of, types))
    }

    /// Gives the export an error where it may refuse arguments, and the author's function has none.
    pub(crate) fn settle(&mut self, types: &[Declared]) {
        let is_result = matches!(self.result, Some(Type::Result(..)));
        if !is_result && self.may_refuse(types) {
            let ok = self.result.clone().map(Box::new);
            self.exported = Some(Type::Result(ok, Some(Box::new(Type::String))));
        }
    }

    /// Whether it answers requests as they are: it takes a request and nothing else, and gives a
    /// response.
    fn is_web(&self) -> bool {
        let is_response = |of: &Type| matches!(of, Type::Shared(Shared::Response));
        let mut parameters = self.parameters().map(|parameter| &parameter.of);
        let takes_request = matches!(parameters.next(), Some(Type::Shared(Shared::Request)))
            && parameters.next().is_none();
        let gives_response = match &self.result {
            Some(Type::Result(Some(ok), _)) => is_response(ok),
            Some(result) => is_response(result),
            None => false,
        };
        takes_request && gives_response
    }

    fn check_web(&self, function: &ItemFn) -> syn::Result<()> {
        let cure = "a web procedure takes a `Request` and nothing else besides `&Context`, and gives a \
                    `Response` or a `Result<Response, _>`";
        if self.is_web() {
            return Ok(());
        }
        if let Some(span) = self.options.web {
            return Err(Error::new(span, cure));
        }
        if let Some((_, span)) = self.options.methods {
            return Err(Error::new(span, format!("only web procedures have methods; {cure}")));
        }
        if self.types().any(|of| of.holds(Shared::Request) || of.holds(Shared::Response)) {
            return Err(Error::new(function.sig.ident.span(), cure));
        }
        Ok(())
    }

    fn check_options(&self) -> syn::Result<()> {
        match self.options {
            Options { suggested_wait: Some((_, span)), asynchronous: None, .. }
                if !self.is_async =>
            {
                let message = "only a caller that gets a handle waits; add `asynchronous`";
                Err(Error::new(span, message))
            }
            _ => Ok(()),
        }
    }
}

/// The name of a procedure, which is part of an address.
fn name(ident: &Ident) -> syn::Result<Name> {
    let name = Name::of_value(ident)?;
    if is_valid_name(name.author()) {
        return Ok(name);
    }
    let message = format!(
        "`{}` cannot be the name of a procedure, which is part of an address: it has the letters a to z and \
         A to Z, digits and `_` after a letter, {MAX_NAME_LENGTH} of them at the most",
        name.author()
    );
    Err(Error::new(ident.span(), message))
}

impl Input {
    fn read(
        input: &FnArg,
        defaults: &[Attribute],
        scope: &dyn defaults::Scope,
    ) -> syn::Result<Self> {
        let typed = match input {
            FnArg::Typed(typed) => typed,
            FnArg::Receiver(receiver) => {
                return Err(Error::new_spanned(
                    receiver,
                    "a procedure is a function, not a method",
                ));
            }
        };
        if is_context(&typed.ty, scope) {
            return match defaults.first() {
                Some(default) => Err(Error::new_spanned(default, "nobody passes the context")),
                None => Ok(Self::Context),
            };
        }
        let ident = match &*typed.pat {
            Pat::Ident(pattern) if pattern.subpat.is_none() && pattern.by_ref.is_none() => {
                &pattern.ident
            }
            pattern => {
                let message =
                    "callers pass this by name, so it needs one, as in `pair: (f64, f64)`";
                return Err(Error::new_spanned(pattern, message));
            }
        };
        let (of, by_reference) = types::read_parameter(&typed.ty, scope)?;
        let default = match defaults {
            [] => None,
            [default] => Some(read_default(default, &of, scope)?),
            [_, second, ..] => return Err(Error::new_spanned(second, "one default is enough")),
        };
        let name = Name::of_value(ident)?;
        Ok(Self::Parameter(Parameter { ident: ident.clone(), name, of, by_reference, default }))
    }
}

fn read_default(
    attribute: &Attribute,
    of: &Type,
    scope: &dyn defaults::Scope,
) -> syn::Result<Value> {
    match &attribute.meta {
        Meta::NameValue(pair) => defaults::json(&pair.value, of, scope),
        other => Err(Error::new_spanned(other, "a default is written `#[default = 10]`")),
    }
}

fn is_context(syntax: &Syntax, scope: &dyn Scope) -> bool {
    let Syntax::Reference(reference) = syntax else { return false };
    let Syntax::Path(path) = &*reference.elem else { return false };
    let last = path.path.segments.last().expect("a path has a segment");
    last.ident == "Context" && !scope.declares(&last.ident)
}

fn refuse_what_callers_cannot(function: &ItemFn) -> syn::Result<()> {
    let ItemFn { attrs, sig: signature, .. } = function;
    let condition = attrs.iter().find(|attribute| attribute.path().is_ident("cfg"));
    let refused = [
        (
            signature.generics.params.first().map(ToTokens::to_token_stream),
            "a procedure cannot be generic: callers pass values, not types",
        ),
        (
            signature.unsafety.map(ToTokens::into_token_stream),
            "a procedure cannot be unsafe: callers pass anything",
        ),
        (
            signature.abi.as_ref().map(ToTokens::to_token_stream),
            "a procedure is a plain Rust function",
        ),
        (
            condition.map(ToTokens::to_token_stream),
            "a procedure is always there; put `cfg` into its body, or on the module",
        ),
    ];
    match refused.into_iter().find_map(|(tokens, message)| Some((tokens?, message))) {
        Some((tokens, message)) => Err(Error::new_spanned(
            tokens,
            format!("{message}; a helper for other modules is `pub(crate) fn`"),
        )),
        None => Ok(()),
    }
}

impl Options {
    fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut options = Self::default();
        for attribute in attributes {
            if matches!(attribute.meta, Meta::Path(_)) {
                continue;
            }
            attribute.parse_nested_meta(|meta| options.add(&meta))?;
        }
        Ok(options)
    }

    fn add(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let span = meta.path.span();
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let twice = match key.as_str() {
            "asynchronous" => self.asynchronous.replace(span).is_some(),
            "web" => self.web.replace(span).is_some(),
            "suggested_wait" => {
                let seconds: LitInt = meta.value()?.parse()?;
                let number = seconds.base10_parse::<u32>()?;
                if number == 0 {
                    return Err(Error::new(seconds.span(), "one second is the least to wait"));
                }
                self.suggested_wait.replace((number, span)).is_some()
            }
            "methods" => self.methods.replace((methods(meta)?, span)).is_some(),
            "aliases" => self.aliases.replace((aliases(meta)?, span)).is_some(),
            "arrays" => {
                let literal: LitStr = meta.value()?.parse()?;
                let arrays = serde_json::from_value(literal.value().into()).map_err(|_| {
                    Error::new(literal.span(), "arrays are \"auto\", \"numpy\" or \"list\"")
                })?;
                self.arrays.replace((arrays, span)).is_some()
            }
            _ => {
                let message = "a procedure can be `asynchronous`, `suggested_wait = SECONDS`, `web`, \
                               `methods = [\"GET\", \"POST\"]`, `aliases = [\"otherName\"]` and \
                               `arrays = \"numpy\"`";
                return Err(Error::new(span, message));
            }
        };
        if twice { Err(Error::new(span, format!("`{key}` is said twice"))) } else { Ok(()) }
    }
}

/// A text, or a list of them in brackets.
fn texts(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<LitStr>> {
    let value = meta.value()?;
    if !value.peek(syn::token::Bracket) {
        return Ok(vec![value.parse()?]);
    }
    let content;
    syn::bracketed!(content in value);
    let texts = content.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?;
    Ok(texts.into_iter().collect())
}

/// Names that a procedure has besides its own. The host checks them again, and against all others.
fn aliases(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<String>> {
    let mut aliases = Vec::new();
    for literal in texts(meta)? {
        let alias = literal.value();
        let message = if !is_valid_name(&alias) {
            "a name has ASCII letters, digits and _ after a letter, in parts separated by /"
        } else if aliases.contains(&alias) {
            "this name is there twice"
        } else {
            aliases.push(alias);
            continue;
        };
        return Err(Error::new(literal.span(), message));
    }
    Ok(aliases)
}

/// `methods = "GET"`, or a list of them in brackets.
fn methods(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<WebMethod>> {
    let listed = texts(meta)?;
    if listed.is_empty() {
        return Err(meta.error("a web procedure without methods is never called"));
    }
    let method = |literal: &LitStr| {
        serde_json::from_value(literal.value().into()).map_err(|_| {
            Error::new(literal.span(), "a web procedure answers \"GET\", \"POST\" or both")
        })
    };
    listed.iter().map(method).collect()
}
