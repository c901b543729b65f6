//! Words, addresses and templates. Knows nothing of components.

use std::collections::HashMap;

pub(crate) fn count(text: &str) -> Vec<(String, u32)> {
    let mut counts = HashMap::new();
    let words = text.split(|character: char| !character.is_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    let mut counts: Vec<(String, u32)> = counts.into_iter().collect();
    counts.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    counts
}

pub(crate) fn slug(text: &str) -> String {
    let words = text.split(|character: char| !character.is_alphanumeric());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.join("-")
}

pub(crate) fn render(template: &str, values: &[(String, String)]) -> Result<String, String> {
    let mut rendered = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find(['{', '}']) {
        rendered.push_str(&rest[..start]);
        let brace = &rest[start..=start];
        let after = &rest[start + 1..];
        if let Some(after) = after.strip_prefix(brace) {
            rendered.push_str(brace);
            rest = after;
        } else if brace == "}" {
            return Err(format!("template has a }} without its {{ before {after:?}; write }}}}"));
        } else {
            let Some((name, after)) = after.split_once('}') else {
                return Err(format!("template has a {{ without its }} before {after:?}"));
            };
            let Some((_, value)) = values.iter().find(|(key, _)| key == name) else {
                return Err(format!("template names {name:?}, and values has no such name"));
            };
            rendered.push_str(value);
            rest = after;
        }
    }
    rendered.push_str(rest);
    Ok(rendered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_puts_the_most_frequent_first() {
        let counts = count("One fish, two fish; red FISH, blue fish.");
        let expected = [("fish", 4), ("blue", 1), ("one", 1), ("red", 1), ("two", 1)];
        assert_eq!(counts, expected.map(|(word, count)| (word.to_owned(), count)));
    }

    #[test]
    fn slug_keeps_letters_and_digits() {
        assert_eq!(slug("  Röntgen: Run No. 7! "), "röntgen-run-no-7");
        assert_eq!(slug("?!"), "");
    }

    #[test]
    fn render_fills_in_values_and_keeps_doubled_braces() {
        let values = [("name".to_owned(), "Ada".to_owned())];
        assert_eq!(render("{{Dear}} {name}!", &values).unwrap(), "{Dear} Ada!");
        assert!(render("{nobody}", &values).unwrap_err().contains("nobody"));
        assert!(render("{name", &values).is_err());
        assert!(render("name}", &values).is_err());
    }
}
