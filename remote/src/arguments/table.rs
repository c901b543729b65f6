//! CSV as a list of numbers, of rows of numbers, or of records.

use serde_json::{Map, Value};

use super::text;
use crate::catalog::nearest;
use crate::types::{Field, Type};

/// Reads the text of a file by its parameter's type.
pub(super) fn value(content: &str, ty: &Type) -> Result<Value, String> {
    let rows = rows(content)?;
    match ty {
        Type::List(item) => match &**item {
            Type::Record(fields) => records(&rows, fields),
            Type::List(cell) => {
                let rows = without_header(&rows, cell);
                rows.iter().map(|row| cells(row, cell)).collect()
            }
            Type::Tuple(types) => rows.iter().map(|row| tuple(row, types)).collect(),
            cell => without_header(&rows, cell)
                .iter()
                .flat_map(|row| row.cells.iter().map(|text| at(row, read(text, cell))))
                .collect(),
        },
        ty => Err(format!("CSV holds lists, and the argument is {ty}")),
    }
}

struct Row {
    line: u64,
    cells: Vec<String>,
}

fn rows(content: &str) -> Result<Vec<Row>, String> {
    let first = content.lines().next().unwrap_or_default();
    // What there is more of between the first line's words.
    let count = |separator: char| first.matches(separator).count();
    let delimiter =
        [',', ';', '\t'].into_iter().max_by_key(|separator| (count(*separator), *separator == ','));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .delimiter(delimiter.map_or(b',', |separator| separator as u8))
        .from_reader(content.trim_start_matches('\u{feff}').as_bytes());
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record.map_err(|e| format!("is no CSV: {e}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok(Row { line, cells: record.iter().map(str::to_owned).collect() })
    };
    reader.records().map(row).collect()
}

/// Columns of numbers may have titles.
fn without_header<'a>(rows: &'a [Row], cell: &Type) -> &'a [Row] {
    match rows {
        [first, rest @ ..]
            if cell.is_number()
                && first.cells.iter().all(|text| text::value(text, cell).is_err()) =>
        {
            rest
        }
        rows => rows,
    }
}

fn records(rows: &[Row], fields: &[Field]) -> Result<Value, String> {
    let Some((header, rows)) = rows.split_first() else { return Ok(Value::Array(Vec::new())) };
    let columns: Vec<&Field> =
        header.cells.iter().map(|title| column(title, fields)).collect::<Result<_, _>>()?;
    let record = |row: &Row| {
        if row.cells.len() != columns.len() {
            let (cells, titles) = (row.cells.len(), columns.len());
            return Err(format!("line {}: {cells} cells below {titles} titles", row.line));
        }
        let pairs = columns.iter().zip(&row.cells).map(|(field, text)| {
            let value = read(text, &field.ty).map_err(|why| format!("`{}`: {why}", field.name));
            Ok((field.name.clone(), at(row, value)?))
        });
        pairs.collect::<Result<Map<_, _>, String>>().map(Value::from)
    };
    rows.iter().map(record).collect()
}

fn column<'a>(title: &str, fields: &'a [Field]) -> Result<&'a Field, String> {
    fields.iter().find(|field| field.name == title).ok_or_else(|| {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        match nearest(title, names.iter().copied()) {
            Some(near) => format!("there is no field `{title}`; did you mean `{near}`?"),
            None => format!(
                "there is no field `{title}`; the first line has titles: {}",
                names.join(",")
            ),
        }
    })
}

fn cells(row: &Row, cell: &Type) -> Result<Value, String> {
    row.cells.iter().map(|text| at(row, read(text, cell))).collect()
}

fn tuple(row: &Row, types: &[Type]) -> Result<Value, String> {
    if row.cells.len() != types.len() {
        return Err(format!(
            "line {}: {} cells for {} values",
            row.line,
            row.cells.len(),
            types.len()
        ));
    }
    row.cells.iter().zip(types).map(|(text, ty)| at(row, read(text, ty))).collect()
}

/// An empty cell is no value.
fn read(text: &str, ty: &Type) -> Result<Value, String> {
    match ty {
        Type::Option(_) if text.is_empty() => Ok(Value::Null),
        ty => text::value(text, ty),
    }
}

fn at<T>(row: &Row, result: Result<T, String>) -> Result<T, String> {
    result.map_err(|why| format!("line {}: {why}", row.line))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(content: &str, told: Value) -> Result<Value, String> {
        value(content, &serde_json::from_value(told).unwrap())
    }

    #[test]
    fn numbers_come_in_rows_columns_and_records() {
        let numbers = json!({"list": "f64"});
        for content in ["1\n2\n3", "1,2,3", "\u{feff}# of today\nx\n1\n2\n3\n", "1;2;3"] {
            assert_eq!(parse(content, numbers.clone()), Ok(json!([1, 2, 3])), "{content}");
        }
        assert_eq!(
            parse("a,b\n1,2\n3,4", json!({"list": {"list": "s32"}})),
            Ok(json!([[1, 2], [3, 4]]))
        );
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
        let numbers = json!({"list": "f64"});
        assert!(parse("1\nx\n3", numbers.clone()).unwrap_err().starts_with("line 2: "));
        assert!(parse("1", json!("f64")).unwrap_err().contains("CSV holds lists"));
        let record = json!({"list": {"record": [{"name": "label", "type": "string"}]}});
        assert!(parse("lable\nx", record.clone()).unwrap_err().contains("`label`"));
        assert!(parse("label\nx,y", record).unwrap_err().contains("line 2"));
    }
}
