//! Lists of anything but numbers from lines of cells: of records, of tuples, of rows, of words.

use serde_json::{Map, Value};

use super::numbers::{self, Cell, Lines, Notes, Row};
use super::text;
use crate::catalog::nearest;
use crate::types::{Field, Type};

/// Reads the text of a file by its parameter's type.
pub(super) fn value(content: &str, ty: &Type, notes: &mut Notes) -> Result<Value, String> {
    let Type::List(item) = ty.present() else {
        return Err(format!("CSV holds lists, and the argument is {ty}"));
    };
    match &**item {
        Type::Record(fields) => records(content, fields, notes),
        Type::Tuple(types) => {
            let types: Vec<_> = types.iter().collect();
            let lines = lines(content, &types, notes)?;
            // Where there is text among the columns, a line of it may be anything.
            let has_numbers = types.iter().any(|ty| ty.present().is_number());
            let (titles, rows) =
                if has_numbers { numbers::titled(&lines.rows) } else { (&[][..], &*lines.rows) };
            notes.titles(titles);
            if let Some(row) = rows.iter().find(|row| row.cells.len() != types.len()) {
                let (cells, values) = (row.cells.len(), types.len());
                return Err(format!("line {}: {cells} cells for {values} values", row.line));
            }
            cells(&lines, rows, &types, notes).map(|rows| rows.into_iter().collect())
        }
        Type::List(cell) => {
            let lines = lines(content, &[cell], notes)?;
            let width = lines.rows.first().map_or(0, |row| row.cells.len());
            cells(&lines, &lines.rows, &vec![&**cell; width], notes).map(Value::from)
        }
        cell => {
            let lines = lines(content, &[cell], notes)?;
            let width = lines.rows.first().map_or(0, |row| row.cells.len());
            if width > 1 && lines.rows.len() > 1 {
                return Err(format!("it has {width} columns, and one list is wanted"));
            }
            let rows = cells(&lines, &lines.rows, &vec![cell; width], notes)?;
            Ok(rows.into_iter().flatten().collect())
        }
    }
}

/// The lines of a text, all with as many cells.
fn lines(content: &str, types: &[&Type], notes: &mut Notes) -> Result<Lines, String> {
    let lines = numbers::split(content, types.iter().all(|ty| ty.present().is_number()))?;
    notes.comments(lines.comments);
    numbers::check_lengths(&lines.rows)?;
    Ok(lines)
}

fn records(content: &str, fields: &[Field], notes: &mut Notes) -> Result<Value, String> {
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let lines = lines(content, &types, notes)?;
    let (columns, rows) = columns(&lines.rows, fields)?;
    let types: Vec<_> = columns.iter().map(|field| &field.ty).collect();
    let record = |row: Vec<Value>| -> Value {
        let names = columns.iter().map(|field| field.name.clone());
        names.zip(row).collect::<Map<_, _>>().into()
    };
    Ok(cells(&lines, rows, &types, notes)?.into_iter().map(record).collect())
}

/// The field of each column, and the lines with values. The first line has the fields' names; without
/// any of them the columns are the fields in their order, where that line cannot be one of titles.
fn columns<'a, 'f>(
    rows: &'a [Row],
    fields: &'f [Field],
) -> Result<(Vec<&'f Field>, &'a [Row]), String> {
    let Some((first, rest)) = rows.split_first() else { return Ok((Vec::new(), rows)) };
    let field = |title: &String| fields.iter().find(|field| field.name == plain(title));
    let has_names = first.cells.iter().any(|title| field(title).is_some());
    if !has_names && first.cells.iter().any(|cell| numbers::may_be_number(cell)) {
        return match first.cells.len() {
            n if n == fields.len() => Ok((fields.iter().collect(), rows)),
            n => Err(format!("line {}: {n} cells for {} fields", first.line, fields.len())),
        };
    }
    let named = first.cells.iter().map(|title| field(title).ok_or_else(|| unknown(title, fields)));
    let columns: Vec<&Field> = named.collect::<Result<_, _>>()?;
    for field in fields {
        match columns.iter().filter(|column| column.name == field.name).count() {
            0 if !matches!(field.ty, Type::Option(_)) => {
                return Err(format!("there is no column for the field `{}`", field.name));
            }
            0 | 1 => {}
            _ => return Err(format!("two columns have the title `{}`", field.name)),
        }
    }
    Ok((columns, rest))
}

/// A title as a name: `Taken at` is `taken_at`.
fn plain(title: &str) -> String {
    let words: Vec<_> = title.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    words.join("_").to_lowercase()
}

fn unknown(title: &str, fields: &[Field]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    match nearest(title, names.iter().copied()) {
        Some(near) => format!("there is no field `{title}`; did you mean `{near}`?"),
        None => {
            format!("there is no field `{title}`; the first line has titles: {}", names.join(","))
        }
    }
}

/// Cells by the types of their columns, all with the same decimal sign.
fn cells(
    lines: &Lines,
    rows: &[Row],
    types: &[&Type],
    notes: &mut Notes,
) -> Result<Vec<Vec<Value>>, String> {
    let floats = rows.iter().flat_map(|row| {
        let columns = types.iter().enumerate().filter(|(_, ty)| ty.present().is_float());
        columns.map(|(column, _)| Cell::new(row, column))
    });
    let is_decimal = numbers::has_decimal_commas(&floats.collect::<Vec<_>>(), lines.delimiter)?;
    let mut row = |row: &Row| -> Result<Vec<Value>, String> {
        let cell = |(column, ty): (usize, &&Type)| {
            let cell = Cell::new(row, column);
            if ty.present().is_number() {
                return numbers::value(&cell, ty, is_decimal, notes);
            }
            word(cell.text, ty).map_err(|why| format!("{}: {why}", cell.place))
        };
        types.iter().enumerate().map(cell).collect()
    };
    rows.iter().map(&mut row).collect()
}

/// A cell that is no number. Text is what it is; an empty cell is no value where there may be none.
fn word(text: &str, ty: &Type) -> Result<Value, String> {
    match ty {
        Type::Option(_) if text.is_empty() => Ok(Value::Null),
        Type::Option(inner) => word(text, inner),
        Type::String | Type::Char | Type::Enum(_) => Ok(text.into()),
        Type::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true.into()),
            "false" | "no" | "0" => Ok(false.into()),
            _ => Err(format!("expected true or false, got `{}`", numbers::shortened(text))),
        },
        ty => text::value(text, ty, &mut Notes::default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(content: &str, told: Value) -> Result<Value, String> {
        value(content, &serde_json::from_value(told).unwrap(), &mut Notes::default())
    }

    #[test]
    fn tuples_and_records_come_in_lines() {
        assert_eq!(
            parse("1,x\n2,\"y, z\"", json!({"list": {"tuple": ["u8", "string"]}})),
            Ok(json!([[1, "x"], [2, "y, z"]]))
        );
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
        assert!(parse("lable\nx", record.clone()).unwrap_err().contains("`label`"));
        assert!(parse("label\nx,y", record).unwrap_err().contains("line 2"));
    }
}
