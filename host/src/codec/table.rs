//! Lists as tables: CSV as RFC 4180 has it, for spreadsheets and everything else that reads columns.
//!
//! A record is a line, under a line with the names of its fields; so is a list or a tuple, without
//! names. A list of single values is one column. What is nested deeper is JSON in its cell, bytes are
//! base64, what is absent is an empty cell, and an empty text is `""`, as PostgreSQL writes them. A line
//! of one empty cell has to be `""` as well, so there is no table where those two could be mistaken.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::json::Json;
use super::types::Type;
use crate::value::Value;

/// The names of a table's columns; none where they have no names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Arc<[Arc<str>]>);

impl Columns {
    /// Of a table whose lines are items of a value of this type; `None` where that is no table.
    pub fn of_type(ty: &Type) -> Option<Self> {
        let Type::List(item) = ty else { return None };
        match &**item {
            // Of bytes there is one cell, not one each.
            Type::U8 => None,
            Type::Record(fields) => match &**fields {
                [field] if may_be_absent_or_empty(&field.ty) => None,
                fields => Some(Self(fields.iter().map(|field| Arc::clone(&field.name)).collect())),
            },
            Type::List(cell) => (!may_be_absent_or_empty(cell)).then(Self::nameless),
            Type::Tuple(cells) => match &**cells {
                [cell] if may_be_absent_or_empty(cell) => None,
                _ => Some(Self::nameless()),
            },
            item => (is_single(item) && !may_be_absent_or_empty(item)).then(Self::nameless),
        }
    }

    /// Of a table whose lines are the items of this value; `None` where that is no table.
    pub fn of_value(value: &Value) -> Option<Self> {
        let items = match value {
            Value::Array(_) => return Some(Self::nameless()),
            Value::List(items) => items,
            _ => return None,
        };
        let Some(first) = items.first() else { return Some(Self::nameless()) };
        let is_there = |value: Value| items.iter().any(|item| alone(item) == Some(&value));
        if is_there(Value::None) && (is_there(Value::text("")) || is_there(Value::Bytes("".into())))
        {
            return None;
        }
        let names = names(first);
        let is_like_the_first = |item: &Value| match (&names, item) {
            (Some(first), _) => names_of(item).is_some_and(|names| names.eq(first.iter().copied())),
            (None, Value::Map(_) | Value::Set(_)) => false,
            (None, item) => is_row(item) == is_row(first),
        };
        items.iter().all(is_like_the_first).then(|| {
            let names = names.unwrap_or_default();
            Self(names.into_iter().map(Arc::clone).collect())
        })
    }

    fn nameless() -> Self {
        Self(Arc::new([]))
    }

    /// Whether the table begins with a line of names.
    pub fn have_names(&self) -> bool {
        !self.0.is_empty()
    }

    /// The table. The value is one whose columns these are; in any other, each item is a line.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, value: &Value, out: impl Write) -> io::Result<()> {
        let mut table = Table {
            writer: WriterBuilder::new()
                .terminator(Terminator::CRLF)
                // Lists in a list may differ in length.
                .flexible(true)
                // By `quoted`, since the writer cannot quote a cell that needs no quotes.
                .quote_style(QuoteStyle::Never)
                .from_writer(out),
            cell: Vec::new(),
        };
        table.write(self, value).map_err(io::Error::other)?;
        table.writer.flush()
    }
}

/// Whether a value of this type fits into a cell as it is.
fn is_single(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Char | Type::String | Type::Enum(_) => true,
        Type::List(item) => **item == Type::U8,
        Type::Option(inner) => is_single(inner),
        ty => ty.is_number(),
    }
}

/// Whether a cell of this type is empty both for what is absent and for a value.
fn may_be_absent_or_empty(ty: &Type) -> bool {
    matches!(ty, Type::Option(_)) && (*ty.present() == Type::String || ty.present().is_bytes())
}

/// The only value in a line.
fn alone(item: &Value) -> Option<&Value> {
    match item {
        Value::Map(entries) => match &**entries {
            [(_, value)] => Some(value),
            _ => None,
        },
        Value::List(cells) | Value::Tuple(cells) => match &**cells {
            [value] => Some(value),
            _ => None,
        },
        single => Some(single),
    }
}

/// A cell as it is written: in quotes where it has characters of CSV itself, and where it is empty,
/// since what is absent is written so without them.
fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.is_empty() || cell.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}

fn is_row(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Tuple(_) | Value::Array(_))
}

fn names_of(value: &Value) -> Option<impl Iterator<Item = &Arc<str>>> {
    let Value::Map(entries) = value else { return None };
    let name = |(key, _): &'_ (Value, Value)| matches!(key, Value::Text(_));
    entries.iter().all(name).then(|| {
        entries
            .iter()
            .filter_map(|(key, _)| if let Value::Text(name) = key { Some(name) } else { None })
    })
}

fn names(value: &Value) -> Option<Vec<&Arc<str>>> {
    names_of(value).map(Iterator::collect)
}

struct Table<W: Write> {
    writer: Writer<W>,
    /// The cell that is being written, kept for the next.
    cell: Vec<u8>,
}

impl<W: Write> Table<W> {
    fn write(&mut self, columns: &Columns, value: &Value) -> csv::Result<()> {
        if columns.have_names() {
            let names = columns.0.iter().map(|name| quoted(name));
            self.writer.write_record(names.map(|name| name.into_owned().into_bytes()))?;
        }
        match value {
            Value::Array(array) => array.elements().try_for_each(|item| self.line(&item)),
            Value::List(items) => items.iter().try_for_each(|item| self.line(item)),
            other => self.line(other),
        }
    }

    fn line(&mut self, item: &Value) -> csv::Result<()> {
        match item {
            Value::Map(entries) => entries.iter().try_for_each(|(_, value)| self.cell(value))?,
            Value::List(cells) | Value::Tuple(cells) => {
                cells.iter().try_for_each(|value| self.cell(value))?;
            }
            Value::Array(cells) => cells.elements().try_for_each(|value| self.cell(&value))?,
            single => self.cell(single)?,
        }
        self.writer.write_record(None::<&[u8]>)
    }

    fn cell(&mut self, value: &Value) -> csv::Result<()> {
        match value {
            Value::None => self.writer.write_field(""),
            Value::Text(text) => self.writer.write_field(&*quoted(text)),
            other => {
                self.cell.clear();
                // Into memory, and no map has keys that are no text.
                let _ = serde_json::to_writer(&mut self.cell, &Json(other));
                // What JSON has no literal for, such as NaN, it has as text.
                let text = self.cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\""));
                let text = String::from_utf8_lossy(text.unwrap_or(&self.cell));
                self.writer.write_field(&*quoted(&text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::types::{Case, Field};
    use crate::value::Array;

    fn list_of(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    fn table(value: &Value) -> String {
        String::from_utf8(written(&Columns::of_value(value).unwrap(), value)).unwrap()
    }

    fn written(columns: &Columns, value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        columns.write(value, &mut out).unwrap();
        out
    }

    fn record(fields: &[(&str, Value)]) -> Value {
        Value::Map(fields.iter().map(|(name, value)| (Value::text(name), value.clone())).collect())
    }

    #[test]
    fn the_type_says_what_is_a_table() {
        let record = Type::Record(vec![Field { name: "x".into(), ty: Type::F64 }]);
        let columns = Columns::of_type(&list_of(record.clone())).unwrap();
        assert!(columns.have_names());
        assert_eq!(written(&columns, &Value::List(Vec::new())), b"x\r\n");
        for item in [
            Type::F64,
            Type::String,
            Type::Option(Box::new(Type::S32)),
            list_of(Type::F64),
            list_of(Type::U8),
            Type::Tuple(vec![Type::String, Type::U32]),
        ] {
            let columns = Columns::of_type(&list_of(item.clone()));
            assert!(!columns.unwrap().have_names(), "{item}");
        }
        let variant = Type::Variant(vec![Case { name: "none".into(), ty: None }]);
        for ty in [Type::F64, record, list_of(Type::U8), list_of(variant)] {
            assert_eq!(Columns::of_type(&ty), None, "{ty}");
        }
    }

    #[test]
    fn records_have_a_line_of_names() {
        let people = Value::List(vec![
            record(&[("name", Value::text("Ada, \"Countess\"")), ("age", Value::Int(36))]),
            record(&[("name", Value::text("two\nlines")), ("age", Value::None)]),
        ]);
        assert_eq!(
            table(&people),
            "name,age\r\n\"Ada, \"\"Countess\"\"\",36\r\n\"two\nlines\",\r\n"
        );
    }

    #[test]
    fn rows_and_single_values_have_none() {
        assert_eq!(table(&Value::Array(Array::row(vec![1.5, f64::NAN]))), "1.5\r\nNaN\r\n");
        let ragged = [vec![1i64, 2], vec![], vec![3]].map(|row| Value::Array(Array::row(row)));
        assert_eq!(table(&Value::List(ragged.to_vec())), "1,2\r\n\"\"\r\n3\r\n");
        let pair = |word: &str, n| Value::Tuple(vec![Value::text(word), Value::Int(n)]);
        assert_eq!(table(&Value::List(vec![pair("a", 1), pair("", 2)])), "a,1\r\n\"\",2\r\n");
        let texts = Value::List(vec![Value::text(""), Value::Bytes("hi".into())]);
        assert_eq!(table(&texts), "\"\"\r\naGk=\r\n");
        assert_eq!(table(&Value::List(Vec::new())), "");
    }

    #[test]
    fn what_is_absent_is_not_written_as_what_is_empty() {
        let people = ["Ada", "", "?"].map(|name| {
            let name = if name == "?" { Value::None } else { Value::text(name) };
            record(&[("name", name), ("data", Value::Bytes("".into()))])
        });
        assert_eq!(
            table(&Value::List(people.to_vec())),
            "name,data\r\nAda,\"\"\r\n\"\",\"\"\r\n,\"\"\r\n"
        );
        let option = |ty| Type::Option(Box::new(ty));
        for cell in [Type::String, list_of(Type::U8)].map(option) {
            let field = |name: &str| Field { name: name.into(), ty: cell.clone() };
            for alone in [
                cell.clone(),
                list_of(cell.clone()),
                Type::Tuple(vec![cell.clone()]),
                Type::Record(vec![field("a")]),
            ] {
                assert_eq!(Columns::of_type(&list_of(alone.clone())), None, "{alone}");
            }
            let two = Type::Record(vec![field("a"), field("b")]);
            assert!(Columns::of_type(&list_of(two)).is_some());
        }
        for one in
            [|value| value, |value| Value::Tuple(vec![value]), |value| record(&[("a", value)])]
        {
            let both = [Value::None, Value::text("")].map(one);
            assert_eq!(Columns::of_value(&Value::List(both.to_vec())), None);
            let either = [Value::None, Value::text("a")].map(one);
            assert!(Columns::of_value(&Value::List(either.to_vec())).is_some());
        }
    }

    #[test]
    fn what_is_nested_is_json() {
        let nested = record(&[
            ("where", record(&[("x", Value::Float(1.0))])),
            ("values", Value::Array(Array::row(vec![1i64, 2]))),
        ]);
        assert_eq!(
            table(&Value::List(vec![nested])),
            "where,values\r\n\"{\"\"x\"\":1.0}\",\"[1,2]\"\r\n"
        );
    }

    #[test]
    fn lines_that_differ_in_kind_are_no_table() {
        let one = record(&[("a", Value::Int(1))]);
        for items in [
            vec![one.clone(), record(&[("b", Value::Int(1))])],
            vec![one.clone(), Value::Int(1)],
            vec![Value::text("a"), one],
            vec![Value::Int(1), Value::List(Vec::new())],
        ] {
            assert_eq!(Columns::of_value(&Value::List(items.clone())), None, "{items:?}");
        }
        assert_eq!(Columns::of_value(&Value::Int(1)), None);
    }
}
