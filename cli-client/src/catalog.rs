//! What the host serves: procedures found by name, or the name that was probably meant.

use serde::Deserialize;
use serde_json::Value;
use tarp_schema::names;
use tarp_schema::nearest::nearest;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::style::one_line;
use crate::types::{Told, Type};

/// What `/-/procedures` says.
#[derive(Debug, Deserialize)]
pub(crate) struct Catalog {
    pub(crate) complete: bool,
    pub(crate) procedures: Vec<Procedure>,
    /// What is wrong with files of the host's folder.
    #[serde(default)]
    problems: Vec<Problem>,
}

/// What is wrong with a file.
#[derive(Debug, Deserialize)]
struct Problem {
    file: String,
    message: String,
}

/// Something that can be called.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Procedure {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) documentation: String,
    #[serde(default)]
    aliases: Vec<String>,
    pub(crate) signature: String,
    pub(crate) parameters: Vec<Parameter>,
    result: Option<Told>,
    mode: String,
    /// How it is called where it answers requests as they are.
    #[serde(default)]
    pub(crate) web: Option<Web>,
}

/// What an argument may be.
pub(crate) type Parameter = tarp_schema::types::Parameter<Value, Told>;

/// A web procedure's methods.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Web {
    pub(crate) methods: Vec<String>,
}

/// Whether a caller may leave it out.
pub(crate) fn may_be_absent(parameter: &Parameter) -> bool {
    parameter.default.is_some() || parameter.ty.known().is_some_and(Type::may_be_absent)
}

impl Procedure {
    /// The parameter that a word calls so, with `-` for `_` too.
    pub(crate) fn parameter(&self, key: &str) -> Option<&Parameter> {
        let names = || self.parameters.iter().map(|parameter| &*parameter.name);
        let position = names::position(key, names());
        let position = position.or_else(|| names::position(&key.replace('-', "_"), names()));
        position.map(|position| &self.parameters[position])
    }

    /// Whether its author or operator wants it to run as a job.
    pub(crate) fn is_async(&self) -> bool {
        self.mode == "async"
    }

    /// What a caller gets where it does not fail; `None` where that is nothing.
    pub(crate) fn result(&self) -> Option<Told<&Type>> {
        match self.result.as_ref()?.as_ref() {
            Told::Known(Type::Result { ok, .. }) => ok.as_deref().map(Told::Known),
            result => Some(result),
        }
    }

    /// How it is called, where that is special.
    pub(crate) fn kind(&self) -> Option<String> {
        match &self.web {
            Some(web) => Some(format!("web, {}", web.methods.join(" and "))),
            None => self.is_async().then(|| "asynchronous".to_owned()),
        }
    }

    /// How it is called: `add(x: s64, y: s64) -> s64`.
    pub(crate) fn usage(&self) -> String {
        format!("{}{}", self.name, self.signature)
    }
}

impl Catalog {
    /// Asks the host.
    pub(crate) async fn of(client: &Client) -> Result<Self> {
        let told = client.json(client.get("/-/procedures")).await?;
        Self::read(&told, client)
    }

    /// Reads what a host has told.
    pub(crate) fn read(told: &Value, client: &Client) -> Result<Self> {
        Self::deserialize(told).map_err(|e| client.nonsense(&format!("its catalog: {e}")))
    }

    /// The procedure of that name or alias, also with `_` in place of `/`.
    pub(crate) fn find(&self, name: &str, host: &str) -> Result<&Procedure> {
        let name = name.trim_matches('/');
        let exact = self.procedures.iter().find(|procedure| procedure.name == name);
        let by = |is_it: &dyn Fn(&str) -> bool| {
            let mut procedures = self.procedures.iter();
            procedures.find(|it| is_it(&it.name) || it.aliases.iter().any(|alias| is_it(alias)))
        };
        let alias = || by(&|alias| alias == name);
        let flat = || by(&|full| full.replace('/', "_") == name);
        exact.or_else(alias).or_else(flat).ok_or_else(|| self.unknown(name, host))
    }

    /// Full names and aliases.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.procedures.iter().flat_map(|procedure| {
            std::iter::once(&procedure.name).chain(&procedure.aliases).map(|name| &**name)
        })
    }

    pub(crate) fn unknown(&self, name: &str, host: &str) -> Error {
        let cure = if !self.complete {
            "it is still loading its components; try again in a moment".into()
        } else if let Some(near) = nearest(name, self.names()) {
            format!("did you mean `{near}`?")
        } else if self.procedures.is_empty() {
            format!("it serves none at all{}", self.problems())
        } else {
            format!("`tarp list` has those that there are{}", self.problems())
        };
        Error::Usage(format!("{host} has no procedure `{name}`; {cure}"))
    }

    /// What is wrong with files that may have what a name leads to.
    pub(crate) fn problems(&self) -> String {
        match self.problems.as_slice() {
            [] => String::new(),
            [Problem { file, message }, more @ ..] => {
                let cause = one_line(message.lines().next().unwrap_or_default());
                let more = match more.len() {
                    0 => String::new(),
                    n => format!("; files with problems: {}", n + 1),
                };
                format!("; there is a problem with {}: {cause}{more}", one_line(file))
            }
        }
    }
}

/// Whether a name fits a pattern: with `*` and `?` as a whole, without them in any part. Case is the same.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    if !pattern.contains(['*', '?']) {
        return name.contains(&pattern);
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // Which beginnings of the name fit the pattern so far.
    let mut fits = vec![false; name.len() + 1];
    fits[0] = true;
    for wanted in pattern {
        if wanted == '*' {
            let first = fits.iter().position(|fit| *fit).unwrap_or(fits.len());
            fits[first..].fill(true);
        } else {
            for end in (0..name.len()).rev() {
                fits[end + 1] = fits[end] && (wanted == '?' || wanted == name[end]);
            }
            fits[0] = false;
        }
    }
    fits[name.len()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn catalog(names: &[&str]) -> Catalog {
        let procedures = names.iter().map(|name| {
            json!({"name": name, "signature": "()", "parameters": [], "result": null, "mode": "sync"})
        });
        let procedures: Vec<_> = procedures.collect();
        serde_json::from_value(json!({"complete": true, "procedures": procedures})).unwrap()
    }

    #[test]
    fn a_procedure_answers_to_both_its_names() {
        let catalog = catalog(&["stats/mean", "add"]);
        for name in ["stats/mean", "stats_mean", "/stats/mean"] {
            assert_eq!(catalog.find(name, "http://h").unwrap().name, "stats/mean");
        }
    }

    #[test]
    fn a_pattern_is_a_part_of_a_name_or_all_of_it() {
        for (pattern, is_there) in [
            ("mean", true),
            ("MEAN", true),
            ("stats/*", true),
            ("*mean", true),
            ("s*/m?an", true),
            ("*", true),
            ("stats*mean*", true),
            ("mean*", false),
            ("?", false),
            ("stats/?", false),
            ("median", false),
        ] {
            assert_eq!(matches(pattern, "stats/mean"), is_there, "{pattern}");
        }
    }

    #[test]
    fn an_alias_is_a_name_and_a_name_beats_it() {
        let listed = json!({"complete": true, "procedures": [
            {"name": "linspace", "aliases": ["rpcExample", "old/range", "add"], "signature": "()",
             "parameters": [], "result": null, "mode": "sync"},
            {"name": "add", "signature": "()", "parameters": [], "result": null, "mode": "sync"},
        ]});
        let catalog: Catalog = serde_json::from_value(listed).unwrap();
        for name in ["linspace", "rpcExample", "old/range", "old_range"] {
            assert_eq!(catalog.find(name, "http://h").unwrap().name, "linspace");
        }
        assert_eq!(catalog.find("add", "http://h").unwrap().name, "add");
        let error = catalog.find("rpcExampel", "http://h").unwrap_err().to_string();
        assert!(error.contains("`rpcExample`"), "{error}");
    }

    #[test]
    fn files_that_may_have_it_are_named_with_what_is_wrong() {
        let problem = |file: &str| json!({"file": file, "message": "is no component\nat all"});
        for (problems, told) in [
            (vec![], "serves none at all"),
            (vec![problem("a.wasm")], "there is a problem with a.wasm: is no component"),
            (vec![problem("a.wasm"), problem("b.wasm")], "; files with problems: 2"),
        ] {
            let listed = json!({"complete": true, "procedures": [], "problems": problems});
            let catalog: Catalog = serde_json::from_value(listed).unwrap();
            let error = catalog.find("add", "http://h").unwrap_err().to_string();
            assert!(error.ends_with(told), "{error}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let catalog = catalog(&["stats/mean", "stats/median", "add"]);
        for (wrong, cure) in [
            ("stats/maen", "did you mean `stats/mean`?"),
            ("median", "did you mean `stats/median`?"),
            ("ad", "did you mean `add`?"),
            ("zzz", "`tarp list` has"),
        ] {
            let error = catalog.find(wrong, "http://h").unwrap_err().to_string();
            assert!(error.contains(cure), "{error}");
        }
    }
}
