//! The annotated module: its procedures, and the types that they use.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Error, Fields, Item, ItemMod, ItemType, Visibility};

use crate::declared::Declared;
use crate::names::{self, Name};
use crate::procedure::{Procedure, Taken, take};
use crate::types::{Scope, Shared, Type};
use crate::{defaults, docs};

/// What there is to export.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: Name,
    pub(crate) docs: String,
    pub(crate) procedures: Vec<Procedure>,
    /// Those that procedures use, in the order of the source.
    pub(crate) types: Vec<Declared>,
}

/// Takes the macro's own attributes off the items, and reads the rest.
///
/// The items are clean afterwards, whether or not something is wrong with them.
pub(crate) fn read(module: &mut ItemMod) -> syn::Result<Module> {
    let (docs, ident) = (docs::of(&module.attrs), module.ident.clone());
    let Some((_, items)) = &mut module.content else {
        let message = "the macro sees only what is between the braces of `mod name { ... }`";
        return Err(Error::new_spanned(module, message));
    };
    let taken: Vec<_> = items.iter_mut().map(Attributes::take).collect();
    refuse_endless(items)?;
    let scope = Items(items);
    let mut errors = Errors::default();

    let mut procedures = Vec::new();
    for (item, taken) in items.iter().zip(&taken) {
        if let (Item::Fn(function), Attributes::Function(taken)) = (item, taken) {
            if matches!(function.vis, Visibility::Public(_)) {
                procedures.extend(errors.keep(Procedure::read(function, taken, &scope)));
            } else if !taken.is_empty() {
                let message =
                    format!("`{}` is no procedure unless it is `pub`", function.sig.ident);
                errors.keep::<()>(Err(Error::new_spanned(&function.sig, message)));
            }
        }
    }
    errors.finish()?;
    if procedures.is_empty() {
        let message = "no procedures: there is no `pub fn` in this module";
        return Err(Error::new(ident.span(), message));
    }
    let named = procedures.iter_mut().map(|procedure| (&mut procedure.name, &procedure.ident));
    names::distinct(named)?;

    let mut users =
        Users { chain: Vec::new(), found: BTreeMap::new(), taken: &taken, scope: &scope };
    for name in procedures.iter().flat_map(Procedure::types).flat_map(Type::declared) {
        errors.keep(users.add(name));
    }
    errors.finish()?;
    let mut types: Vec<_> = users.found.into_values().collect();
    names::distinct(types.iter_mut().flat_map(Declared::all_names_mut))?;
    types.iter().try_for_each(refuse_web)?;
    procedures.iter_mut().for_each(|procedure| procedure.settle(&types));
    Ok(Module { name: Name::of_value(&ident)?, docs, procedures, types })
}

/// The macro's attributes on one item.
enum Attributes {
    Function(Taken),
    Flags(Vec<Attribute>),
    None,
}

impl Attributes {
    fn take(item: &mut Item) -> Self {
        match item {
            Item::Fn(function) => Self::Function(Taken::from(function)),
            Item::Struct(item) => Self::Flags(take(&mut item.attrs, "flags")),
            Item::Enum(item) => Self::Flags(take(&mut item.attrs, "flags")),
            _ => Self::None,
        }
    }
}

/// An error where a `type` stands for itself, and following it would not end.
fn refuse_endless(items: &[Item]) -> syn::Result<()> {
    fn names(tokens: TokenStream) -> Vec<Ident> {
        let name = |token| match token {
            TokenTree::Ident(ident) => vec![ident],
            TokenTree::Group(group) => names(group.stream()),
            _ => Vec::new(),
        };
        tokens.into_iter().flat_map(name).collect()
    }
    fn follow(alias: &ItemType, items: &[Item], chain: &mut Vec<Ident>) -> syn::Result<()> {
        if chain.contains(&alias.ident) {
            return Err(Error::new(
                alias.ident.span(),
                format!("`{}` stands for itself", alias.ident),
            ));
        }
        chain.push(alias.ident.clone());
        for name in names(alias.ty.to_token_stream()) {
            if let Some(alias) = Items(items).alias(&name) {
                follow(alias, items, chain)?;
            }
        }
        chain.pop();
        Ok(())
    }
    items.iter().try_for_each(|item| match item {
        Item::Type(alias) => follow(alias, items, &mut Vec::new()),
        _ => Ok(()),
    })
}

/// The items of the module as a scope.
struct Items<'a>(&'a [Item]);

impl Items<'_> {
    /// The struct or enum of that name, with its place among the items.
    fn find(&self, name: &Ident) -> Option<(usize, &Item)> {
        self.0.iter().enumerate().find(|(_, item)| match item {
            Item::Struct(item) => item.ident == *name,
            Item::Enum(item) => item.ident == *name,
            _ => false,
        })
    }
}

impl Scope for Items<'_> {
    fn declares(&self, name: &Ident) -> bool {
        self.find(name).is_some()
    }

    fn alias(&self, name: &Ident) -> Option<&ItemType> {
        self.0.iter().find_map(|item| match item {
            Item::Type(alias) if alias.ident == *name => Some(alias),
            _ => None,
        })
    }
}

impl defaults::Scope for Items<'_> {
    fn empty_case(&self, of: &Ident, case: &Ident) -> Option<Name> {
        let Some((_, Item::Enum(item))) = self.find(of) else { return None };
        let variant = item.variants.iter().find(|variant| variant.ident == *case)?;
        let is_empty = matches!(variant.fields, Fields::Unit);
        is_empty.then(|| Name::of_type(&variant.ident))
    }
}

/// Follows the types of the module from those that procedures name to those within.
struct Users<'a> {
    /// From the procedure's type to this one.
    chain: Vec<Ident>,
    /// By their place among the items.
    found: BTreeMap<usize, Declared>,
    taken: &'a [Attributes],
    scope: &'a Items<'a>,
}

impl Users<'_> {
    fn add(&mut self, name: &Ident) -> syn::Result<()> {
        if self.chain.contains(name) {
            let message = format!(
                "`{name}` contains itself, and callers cannot pass that; use a list of nodes"
            );
            return Err(Error::new(name.span(), message));
        }
        let (position, item) = self.scope.find(name).expect("the scope declares this name");
        if self.found.contains_key(&position) {
            return Ok(());
        }
        let flags = match &self.taken[position] {
            Attributes::Flags(attributes) => attributes.first(),
            _ => None,
        };
        let declared = Declared::read(item, flags, self.scope)?;
        self.chain.push(name.clone());
        for of in declared.inner() {
            of.declared().into_iter().try_for_each(|name| self.add(name))?;
        }
        self.chain.pop();
        self.found.insert(position, declared);
        Ok(())
    }
}

/// A request inside of a record would be one that the host knows nothing of.
fn refuse_web(declared: &Declared) -> syn::Result<()> {
    let is_web = |of: &&Type| of.holds(Shared::Request) || of.holds(Shared::Response);
    match declared.inner().into_iter().find(is_web) {
        Some(_) => Err(Error::new(
            declared.ident.span(),
            "only web procedures take a `Request` and give a `Response`, each as it is",
        )),
        None => Ok(()),
    }
}

/// Collects errors, so that an author sees all of them at once.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                match &mut self.0 {
                    Some(all) => all.combine(error),
                    None => self.0 = Some(error),
                }
                None
            }
        }
    }

    fn finish(&mut self) -> syn::Result<()> {
        self.0.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(source: &str) -> String {
        read(&mut syn::parse_str(source).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn types_that_never_end() {
        assert_eq!(
            message("mod m { type A = Vec<B>; type B = A; pub fn f(a: A) {} }"),
            "`A` stands for itself"
        );
        let tree = "struct Tree(Vec<Branch>); enum Branch { Leaf, Tree(Tree) }";
        assert!(message(&format!("mod m {{ {tree} pub fn f(a: Tree) {{}} }}")).contains("itself"));
    }

    #[test]
    fn all_errors_at_once() {
        let source = "mod m { pub fn f(a: u128) {} pub fn g(b: Box<u8>) {} }";
        let error = read(&mut syn::parse_str(source).unwrap()).unwrap_err();
        assert_eq!(error.into_iter().count(), 2);
    }

    #[test]
    fn a_type_is_read_once_however_often_it_is_used() {
        let source =
            "mod m { struct B { a: A, c: A } struct A { b: u8 } pub fn f(b: B, a: A) -> A {} }";
        let module = read(&mut syn::parse_str(source).unwrap()).unwrap();
        let names: Vec<_> = module.types.iter().map(|declared| declared.name.kebab()).collect();
        assert_eq!(names, ["b", "a"]);
    }
}
