//! The table of cases, which the console is tested with as well.

use serde::Deserialize;

use super::*;
use crate::arguments::table;

#[derive(Deserialize)]
struct Table {
    numbers: Vec<Case>,
    lists: Vec<Case>,
    tables: Vec<Case>,
}

/// A text for a type, and what it gives: a value, with what is said of it, or a refusal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "type")]
    ty: Type,
    text: String,
    column: Option<String>,
    value: Option<Value>,
    #[serde(default)]
    notes: Vec<String>,
    refused: Option<String>,
}

impl Case {
    /// The numbers compared as such: `1` is `1.0`, and `-0` is not `0`.
    fn check(&self, read: Result<Value, String>, notes: &[String]) {
        let Self { ty, text, .. } = self;
        match (&self.value, &self.refused) {
            (Some(value), None) => {
                let read = read.map(|value| exact(&value));
                assert_eq!(read, Ok(exact(value)), "{text:?} as {ty}");
                assert_eq!(notes, self.notes, "{text:?} as {ty}");
            }
            (None, Some(why)) => assert_eq!(read, Err(why.clone()), "{text:?} as {ty}"),
            _ => panic!("{text:?} as {ty} gives either a value or a refusal"),
        }
    }
}

fn exact(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("{:?}", items.iter().map(exact).collect::<Vec<_>>()),
        Value::Number(number) if number.is_f64() => {
            let x = number.as_f64().unwrap_or_default();
            if x.fract() == 0.0 { format!("{x:.0}") } else { format!("{x:?}") }
        }
        Value::Object(fields) => {
            // A field that is left out is none.
            let there = fields.iter().filter(|(_, value)| !value.is_null());
            let mut fields: Vec<_> = there.map(|(name, value)| (name, exact(value))).collect();
            fields.sort();
            format!("{fields:?}")
        }
        value => value.to_string(),
    }
}

fn table() -> Table {
    serde_json::from_str(include_str!("../../../../tests/values/number-text.json")).unwrap()
}

#[test]
fn numbers_are_read_as_the_table_has_them() {
    for case in table().numbers {
        case.check(one(&case.text, &case.ty).map_err(|why| why.to_string()), &[]);
    }
}

#[test]
fn lists_are_read_as_the_table_has_them() {
    for case in table().lists {
        let mut notes = Notes::default();
        let source = Source { file: None, column: case.column.as_deref() };
        let read = read(&case.text, &case.ty, source, &mut notes);
        case.check(read.map_err(|why| why.to_string()), &notes.told());
    }
}

#[test]
fn tables_are_read_as_the_table_has_them() {
    for case in table().tables {
        let mut notes = Notes::default();
        let read = table::value(&case.text, &case.ty, &mut notes);
        case.check(read.map_err(|why| why.to_string()), &notes.told());
    }
}
