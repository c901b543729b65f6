//! The keys of maps: each comes once.

use std::cmp::Ordering;

use super::present::present;
use super::signature::Type;
use super::typed::Typed;
use crate::codec::json::to_string;
use crate::error::excerpt;

/// A key that comes more than once among the entries of a map; `None` where each is another.
pub fn repeated_key(entries: &[(Typed, Typed)]) -> Option<&Typed> {
    // Ordered maps give their entries in this order, and need no copy.
    if entries.is_sorted_by(|(a, _), (b, _)| order(a, b) == Ordering::Less) {
        return None;
    }
    let mut keys: Vec<_> = entries.iter().map(|(key, _)| key).collect();
    keys.sort_unstable_by(|a, b| order(a, b));
    let mut pairs = keys.windows(2);
    pairs.find(|pair| order(pair[0], pair[1]) == Ordering::Equal).map(|pair| pair[0])
}

/// A key as messages show it: `"a"`, `1`, `true`.
pub fn shown_key(key: &Typed) -> String {
    // Scalars are shown without a look at their type.
    let text = to_string(&present(key.clone(), &Type::String));
    excerpt(&text).into_owned()
}

/// The order of two keys of one type.
fn order(a: &Typed, b: &Typed) -> Ordering {
    match (a, b) {
        (Typed::Bool(a), Typed::Bool(b)) => a.cmp(b),
        (Typed::S8(a), Typed::S8(b)) => a.cmp(b),
        (Typed::U8(a), Typed::U8(b)) => a.cmp(b),
        (Typed::S16(a), Typed::S16(b)) => a.cmp(b),
        (Typed::U16(a), Typed::U16(b)) => a.cmp(b),
        (Typed::S32(a), Typed::S32(b)) => a.cmp(b),
        (Typed::U32(a), Typed::U32(b)) => a.cmp(b),
        (Typed::S64(a), Typed::S64(b)) => a.cmp(b),
        (Typed::U64(a), Typed::U64(b)) => a.cmp(b),
        (Typed::Char(a), Typed::Char(b)) => a.cmp(b),
        (Typed::String(a), Typed::String(b)) => a.cmp(b),
        // Keys of other types are refused when a component is loaded.
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_is_found_in_any_order() {
        let entries = |keys: &[u32]| -> Vec<_> {
            keys.iter().map(|&key| (Typed::U32(key), Typed::Bool(true))).collect()
        };
        for keys in [&[][..], &[1], &[1, 2, 3], &[3, 1, 2], &[2, 1]] {
            assert_eq!(repeated_key(&entries(keys)), None, "{keys:?}");
        }
        for keys in [&[1, 1][..], &[1, 2, 1], &[3, 1, 0, 1, 2], &[0, 1, 2, 1]] {
            assert_eq!(repeated_key(&entries(keys)), Some(&Typed::U32(1)), "{keys:?}");
        }
        let texts = ["b", "", "a", ""].map(|key| (Typed::String(key.into()), Typed::Bool(true)));
        assert_eq!(shown_key(repeated_key(&texts).unwrap()), r#""""#);
    }
}
