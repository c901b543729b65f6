//! Lists of anything but numbers from lines of cells: of records, of tuples, of rows, of words.

use serde_json::{Map, Value};
use tarp_schema::names;

use super::numbers::{
    self, Cell, Cells, Lines, LinesError, Notes, NumbersError, Place, Row, Source,
};
use super::text::{self, TextError};
use crate::types::{Field, Type};

/// Reads the text of a file by its parameter's type.
pub(super) fn value(content: &str, ty: &Type, notes: &mut Notes) -> Result<Value, TableError> {
    let Type::List(item) = ty.present() else {
        return Err(TableError::NoList(ty.clone()));
    };
    if numbers::is_nested(content, ty) {
        return Ok(numbers::read(content, ty, Source::default(), notes)?);
    }
    match &**item {
        Type::Record(fields) => records(content, fields, notes),
        Type::Tuple(types) => {
            let types: Vec<_> = types.iter().collect();
            let mut lines = lines(content, kind(&types), notes)?;
            if lines.rows.first().is_some_and(|row| row.cells.len() > types.len()) {
                lines.close();
            }
            numbers::check_lengths(&lines.rows)?;
            // Where there is text among the columns, a line of it may be anything.
            let has_numbers = types.iter().any(|ty| ty.present().is_number());
            let (titles, rows) =
                if has_numbers { numbers::titled(&lines.rows) } else { (&[][..], &*lines.rows) };
            notes.titles(titles);
            if let Some(row) = rows.iter().find(|row| row.cells.len() != types.len()) {
                return Err(TableError::cells(row, types.len(), "values"));
            }
            cells(&lines, rows, &types, notes).map(|rows| rows.into_iter().collect())
        }
        Type::List(cell) => {
            let lines = list(content, cell, notes)?;
            let width = lines.rows.first().map_or(0, |row| row.cells.len());
            cells(&lines, &lines.rows, &vec![&**cell; width], notes).map(Value::from)
        }
        cell => {
            let lines = list(content, cell, notes)?;
            let width = lines.rows.first().map_or(0, |row| row.cells.len());
            if width > 1 && lines.rows.len() > 1 {
                return Err(TableError::SeveralColumns(width));
            }
            let rows = cells(&lines, &lines.rows, &vec![cell; width], notes)?;
            Ok(rows.into_iter().flatten().collect())
        }
    }
}

fn is_text(ty: &Type) -> bool {
    matches!(ty.present(), Type::String | Type::Char)
}

/// What the cells of columns are.
fn kind(types: &[&Type]) -> Cells {
    if types.iter().all(|ty| ty.present().is_number()) {
        Cells::Numbers
    } else if types.iter().any(|ty| is_text(ty)) {
        Cells::Text
    } else {
        Cells::Words
    }
}

fn lines(content: &str, kind: Cells, notes: &mut Notes) -> Result<Lines, TableError> {
    let lines = numbers::split(content, kind)?;
    notes.lines(&lines);
    Ok(lines)
}

/// The lines of a list, all with as many cells. Of text, a delimiter at the end of lines is followed by
/// an empty one.
fn list(content: &str, cell: &Type, notes: &mut Notes) -> Result<Lines, TableError> {
    let kind = kind(&[cell]);
    let mut lines = lines(content, kind, notes)?;
    if kind != Cells::Text {
        lines.close();
    }
    numbers::check_lengths(&lines.rows)?;
    Ok(lines)
}

fn records(content: &str, fields: &[Field], notes: &mut Notes) -> Result<Value, TableError> {
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let kind = match kind(&types) {
        Cells::Text => Cells::TitledText,
        kind => kind,
    };
    let mut lines = lines(content, kind, notes)?;
    let is_open = |first: &Row| has_names(first, fields) || first.cells.len() > fields.len();
    if lines.rows.first().is_some_and(is_open) {
        lines.close();
    }
    numbers::check_lengths(&lines.rows)?;
    let (columns, rows) = columns(&lines.rows, fields)?;
    let types: Vec<_> = columns.iter().map(|field| &field.ty).collect();
    let record = |row: Vec<Value>| -> Value {
        let names = columns.iter().map(|field| field.name.to_string());
        names.zip(row).collect::<Map<_, _>>().into()
    };
    Ok(cells(&lines, rows, &types, notes)?.into_iter().map(record).collect())
}

fn field<'f>(title: &str, fields: &'f [Field]) -> Option<&'f Field> {
    Field::find(fields, title.trim()).or_else(|| Field::find(fields, &plain(title)))
}

fn has_names(first: &Row, fields: &[Field]) -> bool {
    first.cells.iter().any(|title| field(title, fields).is_some())
}

/// The field of each column, and the lines with values. The first line has the fields' names; without
/// any of them the columns are the fields in their order, where that line cannot be one of titles.
fn columns<'a, 'f>(
    rows: &'a [Row],
    fields: &'f [Field],
) -> Result<(Vec<&'f Field>, &'a [Row]), TableError> {
    let Some((first, rest)) = rows.split_first() else { return Ok((Vec::new(), rows)) };
    let may_be_number = |cell: &String| numbers::may_be_number(numbers::bare(cell));
    if !has_names(first, fields) && first.cells.iter().any(may_be_number) {
        return match first.cells.len() {
            n if n == fields.len() => Ok((fields.iter().collect(), rows)),
            _ => Err(TableError::cells(first, fields.len(), "fields")),
        };
    }
    let named = first.cells.iter().map(|title| {
        field(title, fields).ok_or_else(|| TableError::NoField {
            title: numbers::shortened(numbers::bare(title)),
            names: fields.iter().map(|field| field.name.to_string()).collect(),
        })
    });
    let columns: Vec<&Field> = named.collect::<Result<_, _>>()?;
    let place = |name: &str| columns.iter().position(|column| *column.name == *name);
    for (i, column) in columns.iter().enumerate() {
        if let Some(first) = place(&column.name).filter(|first| *first < i) {
            let name = column.name.to_string();
            return Err(TableError::SameTitle { name, first: first + 1, second: i + 1 });
        }
    }
    for field in fields {
        if place(&field.name).is_none() && !matches!(field.ty, Type::Option(_)) {
            return Err(TableError::NoColumn(field.name.to_string()));
        }
    }
    Ok((columns, rest))
}

/// A title as a name: `Taken at` is `taken_at`.
fn plain(title: &str) -> String {
    let words: Vec<_> =
        numbers::bare(title).split([' ', '-']).filter(|word| !word.is_empty()).collect();
    words.join("_").to_lowercase()
}

/// Why a text is no list in lines of cells.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    #[error("CSV holds lists, and the argument is {0}")]
    NoList(Type),
    #[error("line {line}: {cells} cells for {wanted} {parts}")]
    Cells { line: usize, cells: usize, wanted: usize, parts: &'static str },
    #[error("it has {0} columns, and one list is wanted")]
    SeveralColumns(usize),
    #[error("there is no column for the field `{0}`")]
    NoColumn(String),
    #[error(
        "columns {first} and {second} both have the title of the field `{name}`; rename or remove one of them"
    )]
    SameTitle { name: String, first: usize, second: usize },
    #[error("there is no field `{title}`; the first line has titles: {}", names.join(","))]
    NoField { title: String, names: Vec<String> },
    #[error("{place}: {why}")]
    Cell { place: Place, why: WordError },
    #[error(transparent)]
    Lines(#[from] LinesError),
    #[error(transparent)]
    Numbers(#[from] NumbersError),
}

impl TableError {
    fn cells(row: &Row, wanted: usize, parts: &'static str) -> Self {
        Self::Cells { line: row.line, cells: row.cells.len(), wanted, parts }
    }
}

/// Why a cell is no value of its type.
#[derive(Debug, thiserror::Error)]
pub(super) enum WordError {
    #[error("expected true or false, got `{0}`")]
    NoBool(String),
    #[error("`{text}` is none of {}", names.join(", "))]
    NoName { text: String, names: Vec<String> },
    #[error(transparent)]
    Text(#[from] TextError),
}

/// Cells by the types of their columns, all with the same decimal sign.
fn cells(
    lines: &Lines,
    rows: &[Row],
    types: &[&Type],
    notes: &mut Notes,
) -> Result<Vec<Vec<Value>>, TableError> {
    let floats = rows.iter().flat_map(|row| {
        let columns = types.iter().enumerate().filter(|(_, ty)| ty.present().is_float());
        columns.map(|(column, _)| Cell::new(row, column))
    });
    let is_decimal = numbers::has_decimal_commas(&floats.collect::<Vec<_>>(), lines.delimiter)?;
    let mut row = |row: &Row| -> Result<Vec<Value>, TableError> {
        let cell = |(column, ty): (usize, &&Type)| {
            let cell = Cell::new(row, column);
            if ty.present().is_number() {
                return Ok(numbers::value(&cell, ty, is_decimal, notes)?);
            }
            // Lines are all of one length.
            let whole = row.cells.get(column).map_or("", String::as_str);
            word(whole, ty).map_err(|why| TableError::Cell { place: cell.place, why })
        };
        types.iter().enumerate().map(cell).collect()
    };
    rows.iter().map(&mut row).collect()
}

/// A cell that is no number. Text is what it is, with the spaces around it; an empty cell is no value where
/// there may be none.
fn word(cell: &str, ty: &Type) -> Result<Value, WordError> {
    let bare = numbers::bare(cell);
    match ty {
        Type::Option(inner) if cell.is_empty() || (bare.is_empty() && !is_text(inner)) => {
            Ok(Value::Null)
        }
        Type::Option(inner) => word(cell, inner),
        Type::String | Type::Char => Ok(cell.into()),
        Type::Enum(names) => match names::position(bare, names.iter().map(|name| &**name)) {
            Some(_) => Ok(bare.into()),
            None => Err(WordError::NoName {
                text: numbers::shortened(bare),
                names: names.iter().map(ToString::to_string).collect(),
            }),
        },
        Type::Bool => match bare.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true.into()),
            "false" | "no" | "0" => Ok(false.into()),
            _ => Err(WordError::NoBool(numbers::shortened(bare))),
        },
        ty => Ok(text::value(bare, ty, &mut Notes::default())?),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(content: &str, told: Value) -> Result<Value, String> {
        let ty = serde_json::from_value(told).unwrap();
        value(content, &ty, &mut Notes::default()).map_err(|why| why.to_string())
    }

    #[test]
    fn tuples_and_records_come_in_lines() {
        assert_eq!(
            parse("1,x\n2,\"y, z\"", json!({"list": {"tuple": ["u8", "string"]}})),
            Ok(json!([[1, "x"], [2, "y, z"]]))
        );
        let text = json!({"list": "string"});
        assert_eq!(parse("a, b,", text.clone()), Ok(json!(["a", " b", ""])));
        assert_eq!(parse("# a\n b \n\"\"\n", text.clone()), Ok(json!(["# a", " b ", ""])));
        assert!(parse("a,\nb,\n", text).unwrap_err().contains("2 columns"));
        let rows = json!({"list": {"list": "string"}});
        assert_eq!(parse("a,\n ,b\n", rows), Ok(json!([["a", ""], [" ", "b"]])));
        let record = json!({"list": {"record": [
            {"name": "label", "type": "string"}, {"name": "x", "type": {"option": "f64"}},
        ]}});
        assert_eq!(
            parse("x,label\n1.5,5\n,b", record),
            Ok(json!([{"x": 1.5, "label": "5"}, {"x": null, "label": "b"}]))
        );
    }

    #[test]
    fn a_bad_cell_is_named_with_its_line() {
        assert!(parse("1", json!("f64")).unwrap_err().contains("CSV holds lists"));
        let record = json!({"list": {"record": [{"name": "label", "type": "string"}]}});
        assert!(parse("lable\nx", record.clone()).unwrap_err().contains("label"));
        assert!(parse("label\nx,y", record).unwrap_err().contains("line 2"));
    }
}
