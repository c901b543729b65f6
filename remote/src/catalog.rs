//! What the host serves: procedures found by name, or the name that was probably meant.

use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::types::{Type, lenient, lenient_option};

/// What `/-/procedures` says.
#[derive(Debug, Deserialize)]
pub(crate) struct Catalog {
    pub(crate) complete: bool,
    pub(crate) procedures: Vec<Procedure>,
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
    #[serde(deserialize_with = "lenient_option")]
    result: Option<Type>,
    mode: String,
    /// How it is called where it answers requests as they are.
    #[serde(default)]
    pub(crate) web: Option<Web>,
}

/// What an argument may be.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(crate) ty: Type,
    #[serde(default, deserialize_with = "present")]
    pub(crate) default: Option<Value>,
}

/// A web procedure's methods.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Web {
    pub(crate) methods: Vec<String>,
}

/// A default of `null` is one, too.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Parameter {
    pub(crate) fn may_be_absent(&self) -> bool {
        self.default.is_some() || matches!(self.ty, Type::Option(_))
    }
}

impl Procedure {
    /// Whether its author or operator wants it to run as a job.
    pub(crate) fn is_async(&self) -> bool {
        self.mode == "async"
    }

    /// What a caller gets where it does not fail; `None` where that is nothing.
    pub(crate) fn result(&self) -> Option<&Type> {
        match &self.result {
            Some(Type::Result { ok, .. }) => ok.as_deref(),
            result => result.as_ref(),
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
            "it serves none at all".into()
        } else {
            "`tarp list` has those that there are".into()
        };
        Error::Usage(format!("{host} has no procedure `{name}`; {cure}"))
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

/// The name that is so like the one given that it was probably meant; also by its last part alone.
pub(crate) fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this, suggestions are guesses.
    const ALIKE: f64 = 0.6;
    let likeness = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or(name);
        strsim::normalized_damerau_levenshtein(given, name)
            .max(strsim::normalized_damerau_levenshtein(given, last))
    };
    names
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
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
