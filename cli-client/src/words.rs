//! Words of the command line that a parser of options would misread, and what is done about it.

use std::ffi::{OsStr, OsString};

use crate::address::is_address;

/// In front of an argument that begins with a hyphen and is a number, or a list of them. No word of a
/// command line can have it.
const MARK: char = '\0';

/// The words of a command line as the parser is to see them: `tarp jobs HOST` has the address as an option,
/// and in `tarp call NAME -1,2` the numbers are no option.
#[must_use]
pub fn prepared(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    let text = |word: Option<&OsString>| word.and_then(|word| word.to_str()).map(str::to_owned);
    match text(words.get(1)).as_deref() {
        Some("jobs") if text(words.get(2)).is_some_and(|word| is_address(&word)) => {
            words.insert(2, "--url".into());
        }
        Some("call") => {
            let mut follows_option = false;
            for word in &mut words[2..] {
                let is_number = word.to_str().is_some_and(begins_as_negative_number);
                if is_number && !follows_option {
                    let mut marked = OsString::from(MARK.to_string());
                    marked.push(&*word);
                    *word = marked;
                }
                follows_option = !is_number && is_option(word);
            }
        }
        _ => {}
    }
    words
}

/// The argument that a word stands for.
pub(crate) fn unmarked(word: &str) -> &str {
    word.strip_prefix(MARK).unwrap_or(word)
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-") && word != "--"
}

/// Whether it is what no option is: `-1,2`, `-.5`, `-inf`, `-nan`.
fn begins_as_negative_number(word: &str) -> bool {
    let Some(number) = word.strip_prefix('-') else { return false };
    let digits = number.strip_prefix('.').unwrap_or(number);
    let begins_with = |name: &str| {
        let is_named =
            number.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        is_named && number[name.len()..].chars().all(|c| !c.is_alphabetic() || c == 'e')
    };
    digits.starts_with(|c: char| c.is_ascii_digit())
        || ["inf", "infinity", "nan"].into_iter().any(begins_with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared_line(line: &str) -> String {
        let words = line.split(' ').map(OsString::from);
        let prepared: Vec<_> =
            prepared(words).into_iter().map(|word| word.into_string().unwrap()).collect();
        prepared.join(" ").replace(MARK, "#")
    }

    #[test]
    fn negative_numbers_are_no_options() {
        for (line, expected) in [
            ("tarp call mean -1,2", "tarp call mean #-1,2"),
            (
                "tarp call f -1 -.5 -inf,1 -NaN -0x10 -1_000",
                "tarp call f #-1 #-.5 #-inf,1 #-NaN #-0x10 #-1_000",
            ),
            ("tarp call f -o -1", "tarp call f -o -1"),
            ("tarp call f --json", "tarp call f --json"),
            ("tarp call f -info", "tarp call f -info"),
            ("tarp call f -- -1,2 -x", "tarp call f -- #-1,2 -x"),
            ("tarp list -1", "tarp list -1"),
        ] {
            assert_eq!(prepared_line(line), expected);
        }
        assert_eq!(unmarked("\0-1,2"), "-1,2");
        assert_eq!(unmarked("-x"), "-x");
    }

    #[test]
    fn jobs_are_those_of_the_host_that_is_named_first() {
        for (line, expected) in [
            ("tarp jobs lab:8080", "tarp jobs --url lab:8080"),
            ("tarp jobs http://lab show 01", "tarp jobs --url http://lab show 01"),
            ("tarp jobs list", "tarp jobs list"),
            ("tarp jobs", "tarp jobs"),
        ] {
            assert_eq!(prepared_line(line), expected);
        }
    }
}
