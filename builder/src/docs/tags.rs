//! Lines of documentation that say what WIT has no words for, where a language has no annotations of its
//! own: `@alias otherName` and `@arrays numpy`, as JSDoc has them.

use std::collections::BTreeMap;

use tarp_schema::procedure::{ArrayReplies, MetadataMap};

use super::{AliasError, add_alias};

/// Takes the lines with tags out of documentation, which is by the procedure's name.
///
/// # Errors
///
/// What is wrong with a tag, and of which procedure.
pub(crate) fn take(docs: &mut BTreeMap<String, String>) -> Result<MetadataMap, TagError> {
    let mut tables = MetadataMap::new();
    for (name, text) in docs.iter_mut() {
        let mut prose = Vec::new();
        for line in text.lines() {
            let (tag, value) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            let value = value.trim();
            let said = match tag {
                "@alias" => {
                    add_alias(tables.entry(name.clone()).or_default(), value).map_err(Into::into)
                }
                "@arrays" => arrays(value)
                    .map(|arrays| {
                        tables.entry(name.clone()).or_default().arrays = Some(arrays);
                    })
                    .map_err(Into::into),
                _ => {
                    prose.push(line);
                    continue;
                }
            };
            said.map_err(|tag: Tag| TagError { procedure: name.clone(), tag })?;
        }
        *text = prose.join("\n").trim().to_owned();
    }
    docs.retain(|_, text| !text.is_empty());
    Ok(tables)
}

/// What a tag `@arrays` says.
///
/// # Errors
///
/// What it can say.
pub(crate) fn arrays(word: &str) -> Result<ArrayReplies, NoArrays> {
    serde_json::from_value(word.into()).map_err(|_| NoArrays)
}

/// A tag `@arrays` says what it cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`@arrays` says `auto`, `numpy` or `list`")]
pub(crate) struct NoArrays;

/// A tag in the documentation of a procedure cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{procedure}`: {tag}")]
pub(crate) struct TagError {
    procedure: String,
    tag: Tag,
}

/// What is wrong with a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Tag {
    #[error(transparent)]
    Alias(#[from] AliasError),
    #[error(transparent)]
    Arrays(#[from] NoArrays),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docs(text: &str) -> BTreeMap<String, String> {
        [("linspace".to_owned(), text.to_owned())].into()
    }

    #[test]
    fn tags_are_taken_and_the_rest_stays() {
        let mut docs =
            docs("Numbers.\n\n@alias rpcExample\n@alias old/linspace\n@arrays numpy\nEvenly.");
        let tables = take(&mut docs).unwrap();
        assert_eq!(docs["linspace"], "Numbers.\n\nEvenly.");
        assert_eq!(tables["linspace"].aliases, ["rpcExample", "old/linspace"]);
        assert_eq!(tables["linspace"].arrays, Some(ArrayReplies::Numpy));
        let mut only = self::docs("@arrays list");
        assert_eq!(take(&mut only).unwrap()["linspace"].arrays, Some(ArrayReplies::List));
        assert!(only.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_the_procedure() {
        for (text, words) in [
            ("@alias to-day", "to-day"),
            ("@alias", "cannot be a name"),
            ("@alias a\n@alias a", "twice"),
            ("@arrays pandas", "`auto`, `numpy` or `list`"),
        ] {
            let error = take(&mut docs(text)).unwrap_err().to_string();
            assert!(error.contains("`linspace`") && error.contains(words), "{error}");
        }
    }
}
