//! The example `maps`: maps with keys of every type, in and out.
//!
//! Its maps keep their entries as they came, so that a caller sees what the host does with their order,
//! and so that it can return a map that is none.

#[expect(unsafe_code, reason = "generated bindings cross the boundary of the component")]
mod bindings {
    //! Generated from `wit/maps.wit`.
    wit_bindgen::generate!({ path: "wit", world: "maps", map_type: "crate::Entries" });
    export!(Maps with_types_in self);
    use super::Maps;
    use wit_bindgen::rt::WitMap as _;
}

use bindings::{Guest, Station};

tarp_guest::embed_wit!("wit/maps.wit");

/// A map as it lies in memory: its entries in their order.
#[derive(Debug, Clone)]
pub struct Entries<K, V>(Vec<(K, V)>);

impl<K, V> wit_bindgen::rt::WitMap<K, V> for Entries<K, V> {
    fn wit_map_new(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    fn wit_map_push(&mut self, key: K, value: V) {
        self.0.push((key, value));
    }

    fn wit_map_len(&self) -> usize {
        self.0.len()
    }
}

impl<K, V> IntoIterator for Entries<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a Entries<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

struct Maps;

/// Functions that give back their argument.
macro_rules! echo {
    ($($name:ident: $value:ty,)+) => {$(
        fn $name(value: $value) -> $value {
            value
        }
    )+};
}

impl Guest for Maps {
    echo! {
        echo_map_bool: Entries<bool, String>,
        echo_map_s8: Entries<i8, String>,
        echo_map_u8: Entries<u8, String>,
        echo_map_s16: Entries<i16, String>,
        echo_map_u16: Entries<u16, String>,
        echo_map_s32: Entries<i32, String>,
        echo_map_u32: Entries<u32, String>,
        echo_map_s64: Entries<i64, String>,
        echo_map_u64: Entries<u64, String>,
        echo_map_char: Entries<char, String>,
        echo_map_string: Entries<String, String>,
        echo_map_flags: Entries<u64, bool>,
        echo_map_floats: Entries<u8, f64>,
        echo_map_bytes: Entries<char, Vec<u8>>,
        echo_map_nested: Entries<String, Entries<u32, Vec<f64>>>,
        echo_map_optional: Option<Entries<String, u64>>,
        echo_map_list: Vec<Entries<String, Option<bool>>>,
        echo_map_station: Station,
        echo_map_stations: Entries<u16, Station>,
    }

    fn total(
        amounts: Entries<String, u32>,
        prices: Entries<String, f64>,
    ) -> Result<f64, Entries<String, String>> {
        let mut total = 0.0;
        for (item, amount) in amounts {
            let Some((_, price)) = prices.0.iter().find(|(known, _)| *known == item) else {
                return Err(Entries(vec![(item, "has no price".into())]));
            };
            total += f64::from(amount) * price;
        }
        Ok(total)
    }

    fn squares(count: u32) -> Entries<u32, u64> {
        Entries((0..count).map(|n| (n, u64::from(n) * u64::from(n))).collect())
    }

    fn repeated_text() -> Entries<String, u8> {
        Entries(["b", "a", "b"].map(|key| (key.to_owned(), 1)).into())
    }

    fn repeated_number() -> Vec<Entries<i64, bool>> {
        vec![Entries(vec![(i64::MIN, true), (i64::MIN, false)])]
    }
}
