//! A guest's [`Typed`] result as a neutral [`Value`], names restored from the [`Type`].

use std::sync::Arc;

use super::signature::{Case, Type};
use super::typed::{ListOf, Typed};
use crate::value::{Array, Value};

/// How large a result becomes once it is presented.
///
/// The names of cases, flags and fields are in the type once, however long they are, and are written
/// each time that they occur in a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presented {
    /// About the bytes of the value written down, rows of numbers as they lie in memory.
    pub written: usize,
    /// About the bytes that the [`Value`] takes in the host.
    pub memory: usize,
}

impl Presented {
    /// Of a value of this type.
    #[must_use]
    pub fn of(typed: &Typed, ty: &Type) -> Self {
        let mut presented = Self::default();
        presented.add(typed, ty);
        presented
    }

    /// One value that takes so many bytes beyond itself.
    fn one(&mut self, bytes: usize) {
        /// What a number, or the frame of a text, takes in a pickle.
        const SINGLE: usize = 9;
        self.written = self.written.saturating_add(bytes).saturating_add(SINGLE);
        self.memory = self.memory.saturating_add(size_of::<Value>());
    }

    /// A set: each item is a value of its own.
    fn set(&mut self, list: &ListOf, item: &Type) {
        self.one(0);
        let singles = match list {
            ListOf::Items(items) => return items.iter().for_each(|typed| self.add(typed, item)),
            ListOf::Bytes(bytes) => bytes.len(),
            ListOf::Numbers(numbers) => numbers.len(),
        };
        (0..singles).for_each(|_| self.one(0));
    }

    fn add(&mut self, typed: &Typed, ty: &Type) {
        match (typed, ty) {
            (Typed::String(text), _) => {
                self.one(text.len());
                self.memory += text.len();
            }
            (Typed::List(list), Type::Set(item)) => self.set(list, item),
            (Typed::List(ListOf::Bytes(bytes)), _) => {
                self.one(bytes.len());
                self.memory += bytes.len();
            }
            (Typed::List(ListOf::Numbers(numbers)), _) => {
                self.one(numbers.size_in_bytes());
                self.memory += numbers.size_in_bytes();
            }
            (Typed::List(ListOf::Items(items)), Type::List(item)) => {
                self.one(0);
                items.iter().for_each(|typed| self.add(typed, item));
            }
            (Typed::Map(entries), Type::Map { key: key_type, value: value_type }) => {
                self.one(0);
                for (key, value) in entries {
                    self.add(key, key_type);
                    self.add(value, value_type);
                }
            }
            (Typed::Tuple(items), Type::Tuple(types)) => {
                self.one(0);
                items.iter().zip(types).for_each(|(typed, ty)| self.add(typed, ty));
            }
            (Typed::Record(values), Type::Record(fields)) => {
                self.one(0);
                for (typed, field) in values.iter().zip(fields) {
                    self.one(field.name.len());
                    self.add(typed, &field.ty);
                }
            }
            (Typed::Variant(case, payload), Type::Variant(cases)) => {
                let Some(Case { name, ty }) = cases.get(*case as usize) else {
                    return self.one(0);
                };
                self.one(name.len());
                if let (Some(payload), Some(ty)) = (payload, ty) {
                    self.one(0);
                    self.add(payload, ty);
                }
            }
            (Typed::Enum(case), Type::Enum(names)) => {
                self.one(names.get(*case as usize).map_or(0, |name| name.len()));
            }
            (Typed::Flags(words), Type::Flags(names)) => {
                self.one(0);
                set(words, names).for_each(|flag| self.one(flag.len()));
            }
            (Typed::Option(Some(inner)), Type::Option(ty)) => {
                if ty.may_be_absent() {
                    self.one("some".len());
                    self.one(0);
                }
                self.add(inner, ty);
            }
            (Typed::Result(result), Type::Result { ok, err }) => {
                self.one("err".len());
                self.one(0);
                let (payload, ty) = match result {
                    Ok(payload) => (payload, ok),
                    Err(payload) => (payload, err),
                };
                if let (Some(payload), Some(ty)) = (payload, ty) {
                    self.add(payload, ty);
                }
            }
            _ => self.one(0),
        }
    }
}

/// The flags that are set.
fn set<'a>(words: &'a [u32], names: &'a [Arc<str>]) -> impl Iterator<Item = &'a Arc<str>> {
    let is_set = |i: usize| words.get(i / 32).is_some_and(|word| word & (1 << (i % 32)) != 0);
    names.iter().enumerate().filter(move |(i, _)| is_set(*i)).map(|(_, flag)| flag)
}

/// The value as the caller is to see it.
///
/// `typed` must have the type `ty`; the sandbox makes no others. Where it does not, the value is
/// shown without its names rather than refused.
pub fn present(typed: Typed, ty: &Type) -> Value {
    match (typed, ty) {
        (Typed::Bool(b), _) => Value::Bool(b),
        (Typed::S8(n), _) => Value::Int(n.into()),
        (Typed::U8(n), _) => Value::Int(n.into()),
        (Typed::S16(n), _) => Value::Int(n.into()),
        (Typed::U16(n), _) => Value::Int(n.into()),
        (Typed::S32(n), _) => Value::Int(n.into()),
        (Typed::U32(n), _) => Value::Int(n.into()),
        (Typed::S64(n), _) => Value::Int(n),
        (Typed::U64(n), _) => Value::from(n),
        (Typed::F32(x), _) => Value::Float32(x),
        (Typed::F64(x), _) => Value::Float(x),
        (Typed::Char(c), _) => Value::text(c.encode_utf8(&mut [0; 4])),
        (Typed::String(text), _) => Value::Text(text),
        (Typed::List(list), Type::Set(item)) => Value::Set(match list {
            ListOf::Bytes(bytes) => bytes.into_iter().map(|byte| Value::Int(byte.into())).collect(),
            ListOf::Numbers(numbers) => Array::row(numbers).elements().collect(),
            ListOf::Items(items) => items.into_iter().map(|typed| present(typed, item)).collect(),
        }),
        (Typed::List(ListOf::Bytes(bytes)), _) => Value::Bytes(bytes),
        (Typed::List(ListOf::Numbers(numbers)), _) => Value::Array(Array::row(numbers)),
        (Typed::List(ListOf::Items(items)), Type::List(item)) => {
            Value::List(items.into_iter().map(|typed| present(typed, item)).collect())
        }
        (Typed::Map(entries), Type::Map { key: key_type, value: value_type }) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| (present(key, key_type), present(value, value_type)))
                .collect(),
        ),
        (Typed::Tuple(items), Type::Tuple(types)) => Value::Tuple(
            items.into_iter().zip(types).map(|(typed, ty)| present(typed, ty)).collect(),
        ),
        (Typed::Record(values), Type::Record(fields)) => {
            let fields = values.into_iter().zip(fields);
            Value::Map(
                fields
                    .map(|(typed, field)| (name(&field.name), present(typed, &field.ty)))
                    .collect(),
            )
        }
        (Typed::Variant(case, payload), Type::Variant(cases)) => match cases.get(case as usize) {
            Some(case) => match (payload, &case.ty) {
                (Some(payload), Some(ty)) => {
                    Value::Map(vec![(name(&case.name), present(*payload, ty))])
                }
                _ => name(&case.name),
            },
            None => Value::None,
        },
        (Typed::Enum(case), Type::Enum(names)) => {
            names.get(case as usize).map_or(Value::None, name)
        }
        (Typed::Flags(words), Type::Flags(names)) => {
            Value::Set(set(&words, names).map(name).collect())
        }
        (Typed::Option(None), _) => Value::None,
        (Typed::Option(Some(inner)), Type::Option(ty)) => {
            let value = present(*inner, ty);
            if ty.may_be_absent() { Value::Map(vec![(Value::text("some"), value)]) } else { value }
        }
        (Typed::Result(result), Type::Result { ok, err }) => {
            let (side, payload, ty) = match result {
                Ok(payload) => ("ok", payload, ok),
                Err(payload) => ("err", payload, err),
            };
            let value = match (payload, ty) {
                (Some(payload), Some(ty)) => present(*payload, ty),
                _ => Value::None,
            };
            Value::Map(vec![(Value::text(side), value)])
        }
        (
            Typed::List(ListOf::Items(_))
            | Typed::Map(_)
            | Typed::Tuple(_)
            | Typed::Record(_)
            | Typed::Variant(..)
            | Typed::Enum(_)
            | Typed::Flags(_)
            | Typed::Option(Some(_))
            | Typed::Result(_),
            _,
        ) => Value::None,
    }
}

fn name(name: &Arc<str>) -> Value {
    Value::Text(Arc::clone(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::types::Field;

    #[test]
    fn names_count_each_time_that_they_occur() {
        let long: Arc<str> = "n".repeat(1000).into();
        let many = |item: &Typed| Typed::List(ListOf::Items(vec![item.clone(); 100]));
        let list_of = |ty: Type| Type::List(Box::new(ty));
        let record = Type::Record(vec![Field { name: Arc::clone(&long), ty: Type::Bool }]);
        let case = Case { name: Arc::clone(&long), ty: None };
        for (item, ty) in [
            (Typed::Enum(0), Type::Enum(vec![Arc::clone(&long)])),
            (Typed::Flags(vec![1]), Type::Flags(vec![Arc::clone(&long)])),
            (Typed::Variant(0, None), Type::Variant(vec![case])),
            (Typed::Record(vec![Typed::Bool(true)]), record),
        ] {
            let (typed, ty) = (many(&item), list_of(ty));
            let presented = Presented::of(&typed, &ty);
            assert!(typed.size() < 20_000 && presented.written >= 100_000, "{presented:?}");
        }
    }

    #[test]
    fn the_keys_of_a_map_count() {
        let ty = Type::Map { key: Box::new(Type::String), value: Box::new(Type::Bool) };
        let key = |n: usize| Typed::String(format!("{n:01000}").into());
        let map = Typed::Map((0..100).map(|n| (key(n), Typed::Bool(true))).collect());
        let presented = Presented::of(&map, &ty);
        assert!(presented.written >= 100_000 && presented.memory >= 100_000, "{presented:?}");
        assert!(map.size() >= 100_000);
        let Value::Map(entries) = present(map, &ty) else { panic!("a map") };
        assert_eq!((entries.len(), &entries[1].1), (100, &Value::Bool(true)));
    }

    #[test]
    fn every_item_of_a_set_is_a_value_of_its_own() {
        let set_of = |item| Type::Set(Box::new(item));
        let numbers = Typed::List(ListOf::Numbers(vec![1.5_f64; 100].into()));
        let texts = vec![Typed::String("a".into()), Typed::String("b".into())];
        for (typed, ty, count) in [
            (numbers, set_of(Type::F64), 100),
            (Typed::List(ListOf::Items(texts)), set_of(Type::String), 2),
            (Typed::List(ListOf::Bytes(vec![1, 2, 3].into())), set_of(Type::U8), 3),
        ] {
            assert!(Presented::of(&typed, &ty).memory >= count * size_of::<Value>());
            let Value::Set(items) = present(typed, &ty) else { panic!("{ty}") };
            assert_eq!(items.len(), count);
        }
    }

    #[test]
    fn every_flag_that_is_set_is_a_value_of_its_own() {
        let names: Vec<Arc<str>> = (0..64).map(|i| Arc::from(format!("f{i}"))).collect();
        let (all, ty) = (Typed::Flags(vec![u32::MAX; 2]), Type::Flags(names));
        assert!(Presented::of(&all, &ty).memory >= 64 * size_of::<Value>());
        assert_eq!(Presented::of(&Typed::Flags(vec![0, 1]), &ty).written, 9 + 3 + 9);
        let Value::Set(set) = present(all, &ty) else { panic!("a set") };
        assert_eq!(set.len(), 64);
    }
}
