//! What a component might want to touch, beside what it was granted: [`Access`].

use serde::Serialize;

use crate::config::Granted;

/// What a component might want, as far as its imports tell, and what it was granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Access {
    /// What its imports would be good for. Most tool chains import all of WASI, used or not.
    pub wants: Vec<Want>,
    /// What its sidecar grants.
    pub granted: Granted,
}

/// Something that has to be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Want {
    /// Files, by `wasi:filesystem`.
    Files,
    /// The configuration, by `wasi:config`.
    Config,
    /// Requests to other HTTP servers, by `wasi:http` or `tarp:procedure/http`.
    Http,
    /// Sockets, by `wasi:sockets`, which nobody can grant.
    Sockets,
}

impl Want {
    const ALL: [Self; 4] = [Self::Files, Self::Config, Self::Http, Self::Sockets];

    /// The interfaces by which a component has it, as their names begin.
    fn interfaces(self) -> &'static [&'static str] {
        match self {
            Self::Files => &["wasi:filesystem/"],
            Self::Config => &["wasi:config/"],
            Self::Http => &[
                "wasi:http/outgoing-handler",
                "wasi:http/client",
                "wasi:http/handler",
                "tarp:procedure/http@",
            ],
            Self::Sockets => &["wasi:sockets/"],
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Config => "configuration",
            Self::Http => "other HTTP servers",
            Self::Sockets => "sockets",
        }
    }

    /// The line of `[grants]` that would grant it, if anything can.
    #[must_use]
    pub fn grant(self) -> Option<&'static str> {
        match self {
            Self::Files => Some(
                r#"folders = [{ host = "/path/on/the/host", guest = "/path/in/the/component", access = "read" }]"#,
            ),
            Self::Config => Some(r#"config = { KEY = "VALUE" }"#),
            Self::Http => Some(r#"http = ["SERVER"]"#),
            Self::Sockets => None,
        }
    }

    /// What of these imports is good for anything that has to be granted.
    pub(super) fn of(imports: &[String]) -> Vec<Self> {
        let is_imported = |want: &Self| {
            let mut interfaces = want.interfaces().iter();
            interfaces.any(|interface| imports.iter().any(|import| import.starts_with(interface)))
        };
        Self::ALL.into_iter().filter(is_imported).collect()
    }
}

impl Access {
    /// Whether any of what a component might want is granted.
    #[must_use]
    pub fn is_granted(&self, want: Want) -> bool {
        match want {
            Want::Files => !self.granted.folders.is_empty(),
            Want::Config => !self.granted.config.is_empty(),
            Want::Http => !self.granted.http.is_empty(),
            Want::Sockets => false,
        }
    }

    /// What it might want and was not granted.
    pub fn missing(&self) -> impl Iterator<Item = Want> {
        self.wants.iter().copied().filter(|want| !self.is_granted(*want))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_follow_from_imports() {
        let imports = [
            "wasi:config/runtime@0.2.0-draft",
            "wasi:filesystem/preopens@0.2.3",
            "wasi:filesystem/types@0.2.3",
            "wasi:io/streams@0.2.3",
            "wasi:http/types@0.2.3",
        ];
        assert_eq!(Want::of(&imports.map(String::from)), [Want::Files, Want::Config]);
        assert_eq!(Want::of(&["wasi:http/outgoing-handler@0.2.0".into()]), [Want::Http]);
        assert_eq!(Want::of(&["tarp:procedure/http@0.1.0".into()]), [Want::Http]);
        assert_eq!(Want::of(&[]), []);
    }
}
