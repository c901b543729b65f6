//! Names: in any style on one side, kebab-case on WIT's.
//!
//! WIT's are internal. Callers see those of the author, which a component carries beside its WIT
//! (`tarp_schema::procedure`). So any name has one here, and no two of a scope the same.

/// WIT has no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be a name here: {rule}")]
pub struct NameError {
    name: String,
    rule: Rule,
}

/// What a name has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Rule {
    #[error("only the letters a to z, digits and underscores can be in one")]
    Ascii,
    #[error("only letters, digits and underscores can be in one")]
    Characters,
    #[error("it has to begin with a letter")]
    Beginning,
    #[error("it may not end with an underscore, nor have two in a row")]
    Underscores,
}

/// A name in kebab-case: `n_bins` and `nBins` become `n-bins`, `PeakShape` becomes `peak-shape`,
/// `HTTPError` becomes `http-error`.
///
/// # Errors
///
/// When WIT has no such name; says which rule it breaks.
pub fn kebab(name: &str) -> Result<String, NameError> {
    let refuse = |rule| Err(NameError { name: name.to_owned(), rule });
    if !name.is_ascii() {
        return refuse(Rule::Ascii);
    }
    let mut kebab = String::new();
    let characters: Vec<char> = name.chars().collect();
    for (index, &c) in characters.iter().enumerate() {
        match c {
            '_' | '-' => kebab.push('-'),
            'A'..='Z' => {
                let before = index.checked_sub(1).map(|before| characters[before]);
                let after = characters.get(index + 1);
                let word_begins = before
                    .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                    || before.is_some_and(|c| c.is_ascii_uppercase())
                        && after.is_some_and(char::is_ascii_lowercase);
                if word_begins {
                    kebab.push('-');
                }
                kebab.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' => kebab.push(c),
            _ => return refuse(Rule::Characters),
        }
    }
    if !kebab.starts_with(|c: char| c.is_ascii_lowercase()) {
        return refuse(Rule::Beginning);
    }
    if kebab.split('-').any(str::is_empty) {
        return refuse(Rule::Underscores);
    }
    Ok(kebab)
}

/// As it is written in WIT text: a word of WIT itself is escaped.
pub(super) fn written(kebab: &str) -> String {
    if KEYWORDS.contains(&kebab) { format!("%{kebab}") } else { kebab.to_owned() }
}

/// The words of WIT, those of types among them.
const KEYWORDS: [&str; 48] = [
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
    "float32",
    "float64",
    "fixed",
    "implements",
    "external-id",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_becomes_kebab_case() {
        for (name, expected) in [
            ("n_bins", "n-bins"),
            ("nBins", "n-bins"),
            ("PeakShape", "peak-shape"),
            ("HTTPError", "http-error"),
            ("N", "n"),
            ("x_0", "x-0"),
            ("x2", "x2"),
            ("DARK_BLUE", "dark-blue"),
        ] {
            assert_eq!(kebab(name).as_deref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn what_wit_has_no_name_for_is_refused_with_the_rule() {
        for (name, rule) in [
            ("größe", "letters a to z"),
            ("_x", "begin with a letter"),
            ("2x", "begin with a letter"),
            ("a__b", "two in a row"),
            ("from_", "end with an underscore"),
            ("a b", "only letters"),
            ("", "begin with a letter"),
        ] {
            assert!(kebab(name).unwrap_err().to_string().contains(rule), "{name}");
        }
    }

    #[test]
    fn words_of_wit_are_escaped() {
        assert_eq!(written("list"), "%list");
        assert_eq!(written("listing"), "listing");
    }
}
