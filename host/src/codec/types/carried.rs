//! Maps that a guest gives as lists of pairs, for want of a type of its own.

use super::keys::{repeated_key, shown_key};
use super::signature::Type;
use super::typed::{ListOf, Typed};

/// Whether there is a map in values of this type.
pub fn holds_map(ty: &Type) -> bool {
    match ty {
        Type::Map { .. } => true,
        Type::List(inner) | Type::Set(inner) | Type::Option(inner) => holds_map(inner),
        Type::Tuple(types) => types.iter().any(holds_map),
        Type::Record(fields) => fields.iter().any(|field| holds_map(&field.ty)),
        Type::Variant(cases) => cases.iter().filter_map(|case| case.ty.as_ref()).any(holds_map),
        Type::Result { ok, err } => [ok, err].into_iter().flatten().any(|ty| holds_map(ty)),
        _ => false,
    }
}

/// The value with maps where `ty` has them and the guest had lists of pairs.
///
/// # Errors
///
/// A key that comes twice in one, as messages show it.
pub fn with_maps(typed: Typed, ty: &Type) -> Result<Typed, String> {
    if !holds_map(ty) {
        return Ok(typed);
    }
    let part = |typed: Box<Typed>, ty: &Type| with_maps(*typed, ty).map(Box::new);
    let payload = |typed: Option<Box<Typed>>, ty: Option<&Type>| match (typed, ty) {
        (Some(typed), Some(ty)) => part(typed, ty).map(Some),
        (typed, _) => Ok(typed),
    };
    Ok(match (typed, ty) {
        (Typed::List(ListOf::Items(items)), Type::Map { key, value }) => {
            let entries = items.into_iter().map(|item| match item {
                Typed::Tuple(pair) => <[Typed; 2]>::try_from(pair).ok(),
                _ => None,
            });
            let entries: Option<Vec<_>> = entries.collect();
            // The catalog lays a map over nothing but a list of pairs.
            let entries = entries.unwrap_or_default().into_iter();
            let entries = entries.map(|[k, v]| Ok((with_maps(k, key)?, with_maps(v, value)?)));
            let entries: Vec<_> = entries.collect::<Result<_, String>>()?;
            match repeated_key(&entries) {
                Some(key) => return Err(shown_key(key)),
                None => Typed::Map(entries),
            }
        }
        (Typed::Map(entries), Type::Map { value, .. }) => {
            let entries = entries.into_iter().map(|(k, v)| Ok((k, with_maps(v, value)?)));
            Typed::Map(entries.collect::<Result<_, String>>()?)
        }
        (Typed::List(ListOf::Items(items)), Type::List(item)) => {
            let items = items.into_iter().map(|typed| with_maps(typed, item));
            Typed::List(ListOf::Items(items.collect::<Result<_, _>>()?))
        }
        (Typed::Tuple(items), Type::Tuple(types)) => {
            let items = items.into_iter().zip(types).map(|(typed, ty)| with_maps(typed, ty));
            Typed::Tuple(items.collect::<Result<_, _>>()?)
        }
        (Typed::Record(values), Type::Record(fields)) => {
            let values = values.into_iter().zip(fields);
            let values = values.map(|(typed, field)| with_maps(typed, &field.ty));
            Typed::Record(values.collect::<Result<_, _>>()?)
        }
        (Typed::Variant(case, typed), Type::Variant(cases)) => {
            let ty = cases.get(case as usize).and_then(|case| case.ty.as_ref());
            Typed::Variant(case, payload(typed, ty)?)
        }
        (Typed::Option(typed), Type::Option(inner)) => Typed::Option(payload(typed, Some(inner))?),
        (Typed::Result(result), Type::Result { ok, err }) => Typed::Result(match result {
            Ok(typed) => Ok(payload(typed, ok.as_deref())?),
            Err(typed) => Err(payload(typed, err.as_deref())?),
        }),
        (typed, _) => typed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::types::{Case, Field};

    fn pairs(entries: &[(&str, bool)]) -> Typed {
        let pair = |(key, value): &(&str, bool)| {
            Typed::Tuple(vec![Typed::String((*key).into()), Typed::Bool(*value)])
        };
        Typed::List(ListOf::Items(entries.iter().map(pair).collect()))
    }

    #[test]
    fn lists_of_pairs_become_maps_wherever_they_are() {
        let ty = || Type::Map { key: Box::new(Type::String), value: Box::new(Type::Bool) };
        let boxed = || Box::new(ty());
        let list = || pairs(&[("b", true), ("a", false)]);
        let entry = |key: &str, value| (Typed::String(key.into()), Typed::Bool(value));
        let map = || Typed::Map(vec![entry("b", true), entry("a", false)]);
        let items = |typed| Typed::List(ListOf::Items(vec![typed]));
        let some = |typed| Some(Box::new(typed));
        for (ty, given, expected) in [
            (ty(), list(), map()),
            (ty(), map(), map()),
            (Type::List(boxed()), items(list()), items(map())),
            (Type::Option(boxed()), Typed::Option(some(list())), Typed::Option(some(map()))),
            (Type::Tuple(vec![ty()]), Typed::Tuple(vec![list()]), Typed::Tuple(vec![map()])),
            (
                Type::Record(vec![Field { name: "a".into(), ty: ty() }]),
                Typed::Record(vec![list()]),
                Typed::Record(vec![map()]),
            ),
            (
                Type::Variant(vec![Case { name: "a".into(), ty: Some(ty()) }]),
                Typed::Variant(0, some(list())),
                Typed::Variant(0, some(map())),
            ),
            (
                Type::Result { ok: Some(boxed()), err: None },
                Typed::Result(Ok(some(list()))),
                Typed::Result(Ok(some(map()))),
            ),
            (
                Type::Map { key: Box::new(Type::String), value: boxed() },
                items(Typed::Tuple(vec![Typed::String("k".into()), list()])),
                Typed::Map(vec![(Typed::String("k".into()), map())]),
            ),
            // What is a list to callers stays one.
            (Type::List(Box::new(Type::Tuple(vec![Type::String, Type::Bool]))), list(), list()),
        ] {
            assert_eq!(with_maps(given, &ty).as_ref(), Ok(&expected), "{ty}");
        }
        let twice = pairs(&[("a", true), ("b", true), ("a", false)]);
        assert_eq!(with_maps(twice, &ty()), Err(r#""a""#.into()));
    }
}
