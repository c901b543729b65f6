//! Names that do not exist, and which one was probably meant.

/// The name that is so like the one given that it was probably meant; also by its last part alone.
///
/// What it costs is bounded, since strangers may ask: names of more than [`MAX_LENGTH`] bytes are like
/// none, and no more than [`MAX_CANDIDATES`] names of about that length are compared.
pub fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > MAX_LENGTH {
        return None;
    }
    names
        .filter(|name| is_about_as_long(given, name) || is_about_as_long(given, last(name)))
        .take(MAX_CANDIDATES)
        .map(|name| (likeness(given, name).max(likeness(given, last(name))), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// Bytes of the longest name for which one that is like it is looked for.
pub const MAX_LENGTH: usize = 100;

/// How many names are compared with the one given.
pub const MAX_CANDIDATES: usize = 250;

/// Below this likeness, suggestions are guesses.
const ALIKE: f64 = 0.6;

/// From 0 to 1: without the share of its characters that has to be changed, left out or swapped.
fn likeness(given: &str, name: &str) -> f64 {
    let longest = given.chars().count().max(name.chars().count()).max(1);
    #[expect(clippy::cast_precision_loss, reason = "names are short")]
    let changed = strsim::osa_distance(given, name) as f64 / longest as f64;
    1.0 - changed
}

/// Whether the lengths alone allow two names to be alike.
fn is_about_as_long(given: &str, name: &str) -> bool {
    if name.len() > 4 * MAX_LENGTH {
        return false;
    }
    let (given, name) = (given.chars().count(), name.chars().count());
    10 * given.min(name) >= 6 * given.max(name)
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_a_name_is_named() {
        let names = ["stats/mean", "stats/median", "add", "größe"];
        for (given, near) in [
            ("stats/maen", Some("stats/mean")),
            ("median", Some("stats/median")),
            ("ad", Some("add")),
            ("grösse", Some("größe")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, names.into_iter()), near, "{given}");
        }
    }

    #[test]
    fn what_it_costs_is_bounded() {
        let long = "a".repeat(MAX_LENGTH + 1);
        assert_eq!(nearest(&long, [&*long].into_iter()), None);
        let mut taken = 0;
        let others = std::iter::repeat_n("abcdef", 10 * MAX_CANDIDATES).inspect(|_| taken += 1);
        assert_eq!(nearest("uvwxyz", others), None);
        assert_eq!(taken, MAX_CANDIDATES);
    }
}
