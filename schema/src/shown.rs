//! A type as its author wrote it over the one that the component has: the same values under other names.
//!
//! WIT has no words for most names of other languages, and some tool chains none for a map or a set. So a
//! component may say how the author's types look; [`fits`] says whether that is a way to see those that it
//! has.

use std::collections::HashSet;
use std::fmt;

use crate::names::is_printable;
use crate::types::Type;

/// Why a type is no way to see another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlike {
    /// They are of different shapes.
    Shape {
        /// What the author's is.
        shown: String,
        /// What the component has.
        carrier: String,
    },
    /// Two parts have this name.
    SameName(String),
    /// Names have control characters.
    ControlCharacters,
    /// Keys of a map have a type that no key can have.
    Keys(String),
    /// Items of a set have a type that none can have.
    Items(String),
}

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { shown, carrier } => write!(f, "{shown} is said to be a {carrier}"),
            Self::SameName(name) => write!(f, "two parts are called `{name}`"),
            Self::ControlCharacters => f.write_str("a name has control characters"),
            Self::Keys(key) => write!(f, "the keys of a map cannot be {key}"),
            Self::Items(item) => write!(f, "the items of a set cannot be {item}"),
        }
    }
}

impl std::error::Error for Unlike {}

/// Whether values of `carrier`, which the component has, can be seen as values of `shown`: the parts have
/// the same types, whatever their names are; a map may be carried by a list of pairs, a set by a list.
///
/// # Errors
///
/// What is different.
pub fn fits(shown: &Type, carrier: &Type) -> Result<(), Unlike> {
    let unlike = || Err(Unlike::Shape { shown: shown.to_string(), carrier: carrier.to_string() });
    match (shown, carrier) {
        (Type::List(shown), Type::List(carrier)) | (Type::Option(shown), Type::Option(carrier)) => {
            fits(shown, carrier)
        }
        (Type::Set(shown), Type::List(carrier)) => {
            if !shown.is_member() {
                return Err(Unlike::Items(shown.to_string()));
            }
            fits(shown, carrier)
        }
        (Type::Map { key, value }, Type::Map { key: carried_key, value: carried_value }) => {
            fits(key, carried_key)?;
            fits(value, carried_value)
        }
        (Type::Map { key, value }, Type::List(pair)) => match &**pair {
            Type::Tuple(pair) if pair.len() == 2 => {
                if !key.is_key() {
                    return Err(Unlike::Keys(key.to_string()));
                }
                fits(key, &pair[0])?;
                fits(value, &pair[1])
            }
            _ => unlike(),
        },
        (Type::Tuple(shown), Type::Tuple(carriers)) if shown.len() == carriers.len() => {
            shown.iter().zip(carriers).try_for_each(|(shown, carrier)| fits(shown, carrier))
        }
        (Type::Record(shown), Type::Record(carriers)) if shown.len() == carriers.len() => {
            distinct(shown.iter().map(|field| &*field.name))?;
            let pairs = shown.iter().zip(carriers);
            pairs.into_iter().try_for_each(|(shown, carrier)| fits(&shown.ty, &carrier.ty))
        }
        (Type::Variant(shown), Type::Variant(carriers)) if shown.len() == carriers.len() => {
            distinct(shown.iter().map(|case| &*case.name))?;
            let pairs = shown.iter().zip(carriers);
            pairs.into_iter().try_for_each(|(shown, carrier)| match (&shown.ty, &carrier.ty) {
                (Some(shown), Some(carrier)) => fits(shown, carrier),
                (None, None) => Ok(()),
                _ => unlike(),
            })
        }
        (Type::Enum(shown), Type::Enum(carriers)) | (Type::Flags(shown), Type::Flags(carriers))
            if shown.len() == carriers.len() =>
        {
            distinct(shown.iter().map(|name| &**name))
        }
        (Type::Result { ok, err }, Type::Result { ok: carried_ok, err: carried_err }) => {
            for pair in [(ok, carried_ok), (err, carried_err)] {
                match pair {
                    (Some(shown), Some(carrier)) => fits(shown, carrier)?,
                    (None, None) => {}
                    _ => return unlike(),
                }
            }
            Ok(())
        }
        (shown, carrier) if is_scalar(shown) && shown == carrier => Ok(()),
        _ => unlike(),
    }
}

/// Whether the names of parts can be told from one another, and be shown.
///
/// # Errors
///
/// What is wrong with them.
pub fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Unlike> {
    let mut seen = HashSet::new();
    for name in names {
        if !is_printable(name) {
            return Err(Unlike::ControlCharacters);
        }
        if !seen.insert(name) {
            return Err(Unlike::SameName(name.to_owned()));
        }
    }
    Ok(())
}

fn is_scalar(ty: &Type) -> bool {
    ty.is_number() || matches!(ty, Type::Bool | Type::Char | Type::String)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(shown: &Value, carrier: &Value) -> Result<(), String> {
        let ty = |told: &Value| serde_json::from_value(told.clone()).unwrap();
        fits(&ty(shown), &ty(carrier)).map_err(|unlike| unlike.to_string())
    }

    #[test]
    fn names_may_differ_and_shapes_may_not() {
        let record = |name: &str, ty: &Value| json!({"record": [{"name": name, "type": ty}]});
        let variant = |name: &str, ty: &Value| json!({"variant": [{"name": name, "type": ty}]});
        let result = |ok: &Value, err: &Value| json!({"result": {"ok": ok, "err": err}});
        let inner = |name: &str| json!({"option": {"tuple": [{"list": {"enum": [name]}}, "u8"]}});
        for outer in [record, variant] {
            assert_eq!(of(&outer("pKa", &inner("2d")), &outer("p_ka", &inner("n_2d"))), Ok(()));
            assert!(of(&outer("a", &json!("u8")), &outer("a", &json!("u16"))).is_err());
        }
        assert_eq!(of(&json!({"flags": ["A", "a"]}), &json!({"flags": ["a", "a_2"]})), Ok(()));
        assert_eq!(
            of(&result(&inner("A"), &Value::Null), &result(&inner("a"), &Value::Null)),
            Ok(())
        );
        for (shown, carrier) in [
            (json!("f64"), json!("f32")),
            (json!({"option": "u8"}), json!("u8")),
            (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]})),
            (json!({"enum": ["a"]}), json!({"flags": ["a"]})),
            (json!({"tuple": ["u8"]}), json!({"tuple": ["u8", "u8"]})),
            (variant("a", &Value::Null), variant("a", &json!("u8"))),
            (result(&json!("u8"), &Value::Null), result(&json!("u8"), &json!("u8"))),
            (json!({"record": []}), record("a", &json!("u8"))),
            (json!({"list": "u8"}), json!({"map": {"key": "u8", "value": "u8"}})),
        ] {
            let said = of(&shown, &carrier).unwrap_err();
            assert!(said.contains("is said to be a"), "{said}");
        }
    }

    #[test]
    fn maps_and_sets_are_carried_by_lists() {
        let map = |key: &str| json!({"map": {"key": key, "value": {"enum": ["A"]}}});
        let pairs = |key: &str| json!({"list": {"tuple": [key, {"enum": ["a"]}]}});
        assert_eq!(of(&map("string"), &pairs("string")), Ok(()));
        assert_eq!(
            of(&map("u8"), &json!({"map": {"key": "u8", "value": {"enum": ["a"]}}})),
            Ok(())
        );
        assert!(of(&map("string"), &pairs("s8")).is_err());
        assert!(of(&map("string"), &json!({"list": "string"})).is_err());
        assert!(
            of(&map("f64"), &pairs("f64")).unwrap_err().contains("keys of a map cannot be f64")
        );
        assert_eq!(of(&json!({"set": "f64"}), &json!({"list": "f64"})), Ok(()));
        assert!(of(&json!({"set": "f64"}), &json!({"list": "f32"})).is_err());
        let lists = json!({"list": {"list": "u8"}});
        assert!(
            of(&json!({"set": {"list": "u8"}}), &lists).unwrap_err().contains("items of a set")
        );
    }

    #[test]
    fn parts_have_names_of_their_own_that_can_be_shown() {
        let twice = json!({"enum": ["a", "a"]});
        assert!(of(&twice, &json!({"enum": ["a", "b"]})).unwrap_err().contains("called `a`"));
        let escape = json!({"flags": ["\u{1b}[2J"]});
        assert!(of(&escape, &json!({"flags": ["a"]})).unwrap_err().contains("control characters"));
    }
}
