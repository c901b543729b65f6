//! Lists of numbers from text, by the rules of `docs/numbers.md`: what is read, what is said of it,
//! and what is refused. `tests/values/number-text.json` has a case of each; the
//! console's `lib/numbers.js` follows the same rules.

mod brackets;
mod delimited;
mod notes;
mod number;

use std::borrow::Cow;

use serde_json::Value;

pub(super) use delimited::{Lines, Row, check_lengths, split};
pub(super) use notes::Notes;
pub(super) use number::{is_gap, may_be_number, shortened};

use crate::types::Type;

/// Where a text is from, as far as that matters for its columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Source<'a> {
    /// The file's name, or `-`.
    pub(super) file: Option<&'a str>,
    /// The column that is wanted, by title or number.
    pub(super) column: Option<&'a str>,
}

/// Whether a type is a list, or a list of lists, of numbers or of options of them; bytes are none.
pub(super) fn is_numeric(ty: &Type) -> bool {
    let (depth, element) = ty.present().lists();
    depth > 0 && element.present().is_number() && (element != &Type::U8)
}

/// Whether a text is a list or a tuple in brackets, for a type of lists and tuples with nothing but numbers
/// in them.
pub(super) fn is_nested(text: &str, ty: &Type) -> bool {
    fn has_numbers(ty: &Type) -> bool {
        match ty {
            Type::List(item) => !ty.is_bytes() && has_numbers(item),
            Type::Tuple(types) => types.iter().all(has_numbers),
            Type::Option(inner) => inner.is_number(),
            ty => ty.is_number(),
        }
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    has_numbers(ty) && brackets::is_meant(text)
}

/// One number, alone.
pub(super) fn one(text: &str, ty: &Type) -> Result<Value, String> {
    number::read(text.trim(), ty)
}

/// A list of numbers.
pub(super) fn read(
    text: &str,
    ty: &Type,
    source: Source<'_>,
    notes: &mut Notes,
) -> Result<Value, String> {
    let trimmed = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if brackets::is_meant(trimmed) {
        if let Some(column) = source.column {
            return Err(format!("it is a list in brackets, which has no column `{column}`"));
        }
        return brackets::read(trimmed, ty, notes);
    }
    let lines = split(text, true)?;
    notes.comments(lines.comments);
    let (titles, rows) = titled(&lines.rows);
    notes.titles(titles);
    let table = Table { all: &lines.rows, titles, rows, delimiter: lines.delimiter };
    match (ty.present().lists(), source.column) {
        ((1, element), Some(column)) => {
            check_lengths(table.all)?;
            let column = find(column, titles, table.all)?;
            let cells: Vec<_> = rows.iter().map(|row| Cell::new(row, column)).collect();
            values(&cells, element, table.delimiter, notes).map(Value::from)
        }
        ((1, element), None) => table.list(element, source, notes),
        ((2, element), None) => table.matrix(element, notes),
        ((2, _), Some(column)) => Err(format!("all columns are wanted, and not `{column}` alone")),
        _ => Err("such lists are written in brackets".into()),
    }
}

/// Lines of cells, of which the first may be titles.
struct Table<'a> {
    all: &'a [Row],
    titles: &'a [String],
    rows: &'a [Row],
    delimiter: Option<char>,
}

impl Table<'_> {
    /// The numbers of the only line, or of the only column.
    fn list(&self, element: &Type, source: Source<'_>, notes: &mut Notes) -> Result<Value, String> {
        const AS_LIST: &str = "a list over several lines is one in brackets: [ ]";
        if let [row] = self.all {
            let items = Cell::all(row).enumerate();
            let items = items.map(|(i, cell)| Cell { place: Place::Item(i + 1), ..cell });
            let cells: Vec<_> = items.collect();
            return values(&cells, element, self.delimiter, notes).map(Value::from);
        }
        check_lengths(self.all).map_err(|why| format!("{why}; {AS_LIST}"))?;
        if self.width() > 1 {
            let why = self.several();
            let cure = match source.file {
                Some(file) => {
                    let last = self.titles.last();
                    let sample = last.map_or(self.width().to_string(), |title| shortened(title));
                    format!("choose one by its title or number: '@{file}:{sample}'")
                }
                None => AS_LIST.to_owned(),
            };
            return Err(format!("{why}; {cure}"));
        }
        let cells: Vec<_> = self.rows.iter().map(|row| Cell::new(row, 0)).collect();
        values(&cells, element, self.delimiter, notes).map(Value::from)
    }

    fn matrix(&self, element: &Type, notes: &mut Notes) -> Result<Value, String> {
        check_lengths(self.all)?;
        let cells: Vec<_> = self.rows.iter().flat_map(Cell::all).collect();
        let mut values = values(&cells, element, self.delimiter, notes)?.into_iter();
        let row = |row: &Row| values.by_ref().take(row.cells.len()).collect::<Value>();
        Ok(self.rows.iter().map(row).collect())
    }

    fn width(&self) -> usize {
        self.all.first().map_or(0, |row| row.cells.len())
    }

    fn several(&self) -> String {
        let width = self.width();
        let titles: Vec<_> = self.titles.iter().map(|title| shortened(title)).collect();
        let titles =
            if titles.is_empty() { String::new() } else { format!(" ({})", titles.join(", ")) };
        // As `1,5` in each line is seen here.
        let is_digits = |cell: &String| cell.bytes().all(|byte| byte.is_ascii_digit());
        let has_halves = |row: &Row| row.cells.get(1).is_some_and(is_digits);
        let may_be_decimal =
            self.delimiter == Some(',') && width == 2 && self.all.iter().all(has_halves);
        let comma = if may_be_decimal { " (decimals have a point)" } else { "" };
        format!("there are {width} columns{titles}{comma}, and one list of numbers is wanted")
    }
}

/// The titles, where the first line has some, and the lines below.
pub(super) fn titled(rows: &[Row]) -> (&[String], &[Row]) {
    match rows {
        [first, rest @ ..]
            if !rest.is_empty()
                && first.cells.iter().any(|cell| !cell.is_empty())
                && !first.cells.iter().any(|cell| may_be_number(cell)) =>
        {
            (&first.cells, rest)
        }
        rows => (&[], rows),
    }
}

/// The index of a column by its title, or by its number from 1.
fn find(column: &str, titles: &[String], rows: &[Row]) -> Result<usize, String> {
    let width = rows.first().map_or(0, |row| row.cells.len());
    if let Ok(number) = column.parse::<usize>() {
        return number
            .checked_sub(1)
            .filter(|index| *index < width)
            .ok_or_else(|| format!("there is no column {number}; the columns are 1 to {width}"));
    }
    let mut found = titles.iter().enumerate().filter(|(_, title)| title.as_str() == column);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => {
            Err(format!("several columns have the title `{column}`; choose one by its number"))
        }
        (None, _) if titles.is_empty() => Err(format!(
            "there is no column `{column}`; the first line is no line of titles, and 1 to \
                 {width} choose one by its number"
        )),
        (None, _) => {
            Err(format!("there is no column `{column}`; the columns are {}", titles.join(", ")))
        }
    }
}

/// A cell, and where it is.
pub(super) struct Cell<'a> {
    pub(super) text: &'a str,
    pub(super) place: Place,
}

#[derive(Clone, Copy)]
pub(super) enum Place {
    Item(usize),
    Line(usize),
    Column(usize, usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Item(item) => write!(f, "item {item}"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Column(line, column) => write!(f, "line {line}, column {column}"),
        }
    }
}

impl<'a> Cell<'a> {
    pub(super) fn new(row: &'a Row, column: usize) -> Self {
        let place = match row.cells.len() {
            1 => Place::Line(row.line),
            _ => Place::Column(row.line, column + 1),
        };
        // Lines are all of one length.
        Self { text: row.cells.get(column).map_or("", String::as_str), place }
    }

    fn all(row: &'a Row) -> impl Iterator<Item = Self> {
        (0..row.cells.len()).map(|column| Cell::new(row, column))
    }
}

/// Cells as numbers, all by the same decimal sign.
fn values(
    cells: &[Cell<'_>],
    ty: &Type,
    delimiter: Option<char>,
    notes: &mut Notes,
) -> Result<Vec<Value>, String> {
    let is_decimal = ty.present().is_float() && has_decimal_commas(cells, delimiter)?;
    cells.iter().map(|cell| value(cell, ty, is_decimal, notes)).collect()
}

/// A cell as a number, or as a gap.
pub(super) fn value(
    cell: &Cell<'_>,
    ty: &Type,
    is_decimal: bool,
    notes: &mut Notes,
) -> Result<Value, String> {
    let text = if is_decimal && number::has_decimal_comma(cell.text) {
        notes.comma(cell.text);
        Cow::Owned(cell.text.replacen(',', ".", 1))
    } else {
        Cow::Borrowed(cell.text)
    };
    element(&text, ty, notes, || cell.place.to_string())
        .map_err(|why| format!("{}: {why}", cell.place))
}

/// Whether commas are decimal: where they cannot be anything else, and none has a point.
pub(super) fn has_decimal_commas(
    cells: &[Cell<'_>],
    delimiter: Option<char>,
) -> Result<bool, String> {
    let has_comma = |cell: &&Cell<'_>| number::has_decimal_comma(cell.text);
    let Some(first) = cells.iter().find(has_comma) else { return Ok(false) };
    // Elsewhere a comma may be a delimiter, of this line or of a list that goes on.
    if !matches!(delimiter, Some(';' | '\t')) {
        return Ok(false);
    }
    if cells.iter().filter(has_comma).all(|cell| number::may_group_thousands(cell.text)) {
        let (place, text) = (first.place, first.text);
        return Err(format!(
            "{place}: `{text}` is one number with a decimal comma and another with a comma between \
             thousands: decimals have a point, and thousands no separator"
        ));
    }
    match cells.iter().find(|cell| cell.text.contains('.') && may_be_number(cell.text)) {
        None => Ok(true),
        Some(cell) => Err(format!(
            "{}: `{}` has a decimal point, and `{}` at {} a decimal comma",
            cell.place,
            shortened(cell.text),
            shortened(first.text),
            first.place
        )),
    }
}

/// An item of a list: a number, or a gap.
fn element(
    text: &str,
    ty: &Type,
    notes: &mut Notes,
    place: impl FnOnce() -> String,
) -> Result<Value, String> {
    if !is_gap(text) {
        return number::read(text, ty.present());
    }
    match ty {
        Type::Option(_) => {
            notes.gap(true, place);
            Ok(Value::Null)
        }
        ty if ty.is_float() => {
            notes.gap(false, place);
            Ok("NaN".into())
        }
        ty if text.is_empty() => Err(format!("a number is missing, and {ty} has no NaN for that")),
        ty => Err(format!("`{text}` is no number, and {ty} has no NaN for a gap")),
    }
}

#[cfg(test)]
mod tests;
