//! Names as authors write them, and their snake_case form, by which callers may write them too.

/// The snake_case form of a name in any style: `n_bins` of `nBins`, `http_error` of `HTTPError`, `p_ka` of
/// `pKa`, `log_log` of `log-log`, `lambda` of `lambda_`. Empty where a name has no letters and digits.
#[must_use]
pub fn snake_form(name: &str) -> String {
    snake_chars(name).collect()
}

/// The snake_case form of a procedure's name, part by part: `lab/fit_peak` of `lab/fitPeak`.
#[must_use]
pub fn snake_path(name: &str) -> String {
    name.split('/').map(snake_form).collect::<Vec<_>>().join("/")
}

/// Which of the names is meant by `given`: the one that is the same, or else the only one whose
/// snake_case form it is.
pub fn position<'a>(given: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    exact_or_only(given, names, |name| snake_chars(name).eq(given.chars()))
}

/// The same for the names of procedures, whose form is that of [`snake_path`].
pub fn path_position<'a>(
    given: &str,
    paths: impl Iterator<Item = &'a str> + Clone,
) -> Option<usize> {
    exact_or_only(given, paths, |path| snake_path(path) == given)
}

fn exact_or_only<'a>(
    given: &str,
    names: impl Iterator<Item = &'a str> + Clone,
    is_form: impl Fn(&str) -> bool,
) -> Option<usize> {
    if let Some(exact) = names.clone().position(|name| name == given) {
        return Some(exact);
    }
    if given.is_empty() {
        return None;
    }
    let mut forms = names.enumerate().filter(|(_, name)| is_form(name));
    match (forms.next(), forms.next()) {
        (Some((only, _)), None) => Some(only),
        _ => None,
    }
}

/// Whether something may be called that: no control characters, which a terminal would obey.
#[must_use]
pub fn is_printable(name: &str) -> bool {
    !name.contains(char::is_control)
}

/// The snake_case form, character by character. A word begins behind whatever is no letter or digit, at a
/// capital behind a small letter or digit, and at the last capital of several before a small letter.
fn snake_chars(name: &str) -> impl Iterator<Item = char> {
    let mut before: Option<char> = None;
    let mut has_begun = false;
    name.char_indices().flat_map(move |(index, c)| {
        let is_part = c.is_alphanumeric();
        let after = name[index + c.len_utf8()..].chars().next();
        let begins = before.is_none_or(|before| {
            let ends_capitals = before.is_uppercase() && after.is_some_and(char::is_lowercase);
            c.is_uppercase() && (before.is_lowercase() || before.is_numeric() || ends_capitals)
        });
        let separator = (is_part && begins && has_begun).then_some('_');
        has_begun |= is_part;
        before = is_part.then_some(c);
        separator.into_iter().chain(is_part.then(|| c.to_lowercase()).into_iter().flatten())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_has_a_snake_case_form() {
        let cases = include_str!("../tests/names.json");
        let cases: Vec<(String, String)> = serde_json::from_str(cases).unwrap();
        for (name, expected) in cases {
            assert_eq!(snake_form(&name), expected, "{name}");
        }
    }

    #[test]
    fn a_path_keeps_its_parts() {
        assert_eq!(snake_path("Lab/fitPeak"), "lab/fit_peak");
    }

    #[test]
    fn an_exact_name_wins_and_a_shared_form_is_nobodys() {
        let find = |given: &str, names: &[&str]| position(given, names.iter().copied());
        assert_eq!(find("p_ka", &["n", "pKa"]), Some(1));
        assert_eq!(find("pKa", &["p_ka", "pKa"]), Some(1));
        assert_eq!(find("p_ka", &["pKa", "p_ka"]), Some(1));
        assert_eq!(find("p_ka", &["pKa", "PKa"]), None);
        assert_eq!(find("t", &["T", "t"]), Some(1));
        assert_eq!(find("V", &["v"]), None);
        assert_eq!(find("", &["", "+"]), Some(0));
        assert_eq!(find("", &["+"]), None);
        assert_eq!(find("P_KA", &["pKa"]), None);
        let find = |given: &str, paths: &[&str]| path_position(given, paths.iter().copied());
        assert_eq!(find("lab/fit_peak", &["fitPeak", "lab/fitPeak"]), Some(1));
        assert_eq!(find("lab/fit_peak", &["Lab/fitPeak", "lab/fitPeak"]), None);
        assert_eq!(find("lab_fit_peak", &["lab/fitPeak"]), None);
    }

    #[test]
    fn what_a_terminal_would_obey_is_no_name() {
        assert!(is_printable("größe 2") && is_printable(""));
        assert!(!is_printable("a\u{1b}[31m") && !is_printable("a\n"));
    }
}
