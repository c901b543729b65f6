//! Lists of numbers from text, by the rules of `docs/numbers.md`: what is read, what is said of it,
//! and what is refused. `tests/values/number-text.json` has a case of each; the
//! console's `lib/numbers.js` follows the same rules.

mod brackets;
mod delimited;
mod notes;
mod number;

use std::borrow::Cow;

use serde_json::Value;

use brackets::BracketsError;
pub(super) use delimited::{Cells, Lines, LinesError, Row, check_lengths, split};
pub(super) use notes::Notes;
pub(super) use number::{NumberError, is_gap, may_be_number, shortened};

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
pub(super) fn one(text: &str, ty: &Type) -> Result<Value, NumberError> {
    number::read(text.trim(), ty)
}

/// A cell without what may be around a number, a name or a title, and is no part of it.
pub(super) fn bare(cell: &str) -> &str {
    cell.trim_matches(delimited::is_space)
}

/// Why a text is not a list of numbers of its type.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum NumbersError {
    #[error(transparent)]
    Brackets(#[from] BracketsError),
    #[error(transparent)]
    Lines(#[from] LinesError),
    #[error("it is a list in brackets, which has no column `{0}`")]
    NoColumns(String),
    #[error("all columns are wanted, and not `{0}` alone")]
    AllColumns(String),
    #[error("such lists are written in brackets")]
    NoBrackets,
    #[error(
        "line {line}: `{text}` is one number where the tab separates, and two where the comma does: decimals have a point; without the tab there are two"
    )]
    OuterTab { line: usize, text: String },
    #[error("{0}; {AS_LIST}")]
    LinesOfList(LinesError),
    #[error("{several}; {cure}")]
    SeveralColumns { several: String, cure: String },
    #[error("there is no column {number}; the columns are 1 to {width}")]
    NoColumn { number: usize, width: usize },
    #[error("several columns have the title `{0}`; choose one by its number")]
    SameTitle(String),
    #[error(
        "there is no column `{column}`; the first line is no line of titles, and 1 to {width} choose one by its number"
    )]
    NoTitles { column: String, width: usize },
    #[error("there is no column `{column}`; the columns are {}", titles.join(", "))]
    NoTitle { column: String, titles: Vec<String> },
    #[error("{place}: {fault}")]
    Cell { place: Place, fault: NumberError },
    #[error(
        "{place}: `{text}` is one number with a decimal comma and another with a comma between thousands: decimals have a point, and thousands no separator"
    )]
    Ambiguous { place: Place, text: String },
    #[error(
        "{place}: `{text}` has a decimal point, and `{other}` at {other_place} a decimal comma"
    )]
    TwoSigns { place: Place, text: String, other: String, other_place: Place },
}

/// What makes a list of several lines.
const AS_LIST: &str = "a list over several lines is one in brackets: [ ]";

/// A list of numbers.
pub(super) fn read(
    text: &str,
    ty: &Type,
    source: Source<'_>,
    notes: &mut Notes,
) -> Result<Value, NumbersError> {
    let trimmed = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if brackets::is_meant(trimmed) {
        if let Some(column) = source.column {
            return Err(NumbersError::NoColumns(column.to_owned()));
        }
        return Ok(brackets::read(trimmed, ty, notes)?);
    }
    let mut lines = split(text, Cells::Numbers)?;
    lines.close();
    notes.lines(&lines);
    check_outer_tabs(&lines)?;
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
        ((2, _), Some(column)) => Err(NumbersError::AllColumns(column.to_owned())),
        _ => Err(NumbersError::NoBrackets),
    }
}

/// Refuses lines such as `1,5` with a tab beside it, where either may be the delimiter.
fn check_outer_tabs(lines: &Lines) -> Result<(), NumbersError> {
    let Some(line) = lines.outer_tab.filter(|_| lines.delimiter == Some(',')) else {
        return Ok(());
    };
    let whole = |row: &Row| row.cells.join(",");
    match lines.rows.iter().find(|row| row.line == line) {
        Some(row) if lines.rows.iter().all(|row| number::has_decimal_comma(&whole(row))) => {
            Err(NumbersError::OuterTab { line, text: shortened(&whole(row)) })
        }
        _ => Ok(()),
    }
}

/// Whether a line of two cells may be one number with a decimal comma.
fn may_be_decimal(row: &Row) -> bool {
    matches!(&*row.cells, [_, fraction] if fraction.bytes().all(|byte| byte.is_ascii_digit()))
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
    fn list(
        &self,
        element: &Type,
        source: Source<'_>,
        notes: &mut Notes,
    ) -> Result<Value, NumbersError> {
        if let [row] = self.all {
            let items = Cell::all(row).enumerate();
            let items = items.map(|(i, cell)| Cell { place: Place::Item(i + 1), ..cell });
            let cells: Vec<_> = items.collect();
            return values(&cells, element, self.delimiter, notes).map(Value::from);
        }
        check_lengths(self.all).map_err(NumbersError::LinesOfList)?;
        if self.width() > 1 {
            let cure = match source.file {
                Some(file) => {
                    let last = self.titles.last();
                    let sample = last.map_or(self.width().to_string(), |title| shortened(title));
                    format!("choose one by its title or number: '@{file}:{sample}'")
                }
                None => AS_LIST.to_owned(),
            };
            return Err(NumbersError::SeveralColumns { several: self.several(), cure });
        }
        let cells: Vec<_> = self.rows.iter().map(|row| Cell::new(row, 0)).collect();
        values(&cells, element, self.delimiter, notes).map(Value::from)
    }

    fn matrix(&self, element: &Type, notes: &mut Notes) -> Result<Value, NumbersError> {
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
        let is_decimal = self.delimiter == Some(',') && self.all.iter().all(may_be_decimal);
        let comma = if is_decimal { " (decimals have a point)" } else { "" };
        format!("there are {width} columns{titles}{comma}, and one list of numbers is wanted")
    }
}

/// The titles, where the first line has some, and the lines below.
pub(super) fn titled(rows: &[Row]) -> (&[String], &[Row]) {
    match rows {
        [first, rest @ ..]
            if !rest.is_empty()
                && first.cells.iter().any(|cell| !bare(cell).is_empty())
                && !first.cells.iter().any(|cell| may_be_number(bare(cell))) =>
        {
            (&first.cells, rest)
        }
        rows => (&[], rows),
    }
}

/// The index of a column by its title, or by its number from 1.
fn find(column: &str, titles: &[String], rows: &[Row]) -> Result<usize, NumbersError> {
    let width = rows.first().map_or(0, |row| row.cells.len());
    if let Ok(number) = column.parse::<usize>() {
        return number
            .checked_sub(1)
            .filter(|index| *index < width)
            .ok_or(NumbersError::NoColumn { number, width });
    }
    let mut found = titles.iter().enumerate().filter(|(_, title)| title.as_str() == column);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => Err(NumbersError::SameTitle(column.to_owned())),
        (None, _) if titles.is_empty() => {
            Err(NumbersError::NoTitles { column: column.to_owned(), width })
        }
        (None, _) => {
            Err(NumbersError::NoTitle { column: column.to_owned(), titles: titles.to_vec() })
        }
    }
}

/// A cell without the spaces around it, and where it is.
pub(super) struct Cell<'a> {
    pub(super) text: &'a str,
    pub(super) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        Self { text: row.cells.get(column).map_or("", |cell| bare(cell)), place }
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
) -> Result<Vec<Value>, NumbersError> {
    let is_decimal = ty.present().is_float() && has_decimal_commas(cells, delimiter)?;
    cells.iter().map(|cell| value(cell, ty, is_decimal, notes)).collect()
}

/// A cell as a number, or as a gap.
pub(super) fn value(
    cell: &Cell<'_>,
    ty: &Type,
    is_decimal: bool,
    notes: &mut Notes,
) -> Result<Value, NumbersError> {
    let text = if is_decimal && number::has_decimal_comma(cell.text) {
        notes.comma(cell.text);
        Cow::Owned(cell.text.replacen(',', ".", 1))
    } else {
        Cow::Borrowed(cell.text)
    };
    element(&text, ty, notes, || cell.place.to_string())
        .map_err(|fault| NumbersError::Cell { place: cell.place, fault })
}

/// Whether commas are decimal: where they cannot be anything else, and none has a point.
pub(super) fn has_decimal_commas(
    cells: &[Cell<'_>],
    delimiter: Option<char>,
) -> Result<bool, NumbersError> {
    let has_comma = |cell: &&Cell<'_>| number::has_decimal_comma(cell.text);
    let Some(first) = cells.iter().find(has_comma) else { return Ok(false) };
    // Elsewhere a comma may be a delimiter, of this line or of a list that goes on.
    if !matches!(delimiter, Some(';' | '\t')) {
        return Ok(false);
    }
    if cells.iter().filter(has_comma).all(|cell| number::may_group_thousands(cell.text)) {
        return Err(NumbersError::Ambiguous { place: first.place, text: first.text.to_owned() });
    }
    match cells.iter().find(|cell| cell.text.contains('.') && may_be_number(cell.text)) {
        None => Ok(true),
        Some(cell) => Err(NumbersError::TwoSigns {
            place: cell.place,
            text: shortened(cell.text),
            other: shortened(first.text),
            other_place: first.place,
        }),
    }
}

/// An item of a list: a number, or a gap.
fn element(
    text: &str,
    ty: &Type,
    notes: &mut Notes,
    place: impl FnOnce() -> String,
) -> Result<Value, NumberError> {
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
        ty if text.is_empty() => Err(NumberError::Missing(ty.clone())),
        ty => Err(NumberError::Gap { text: text.to_owned(), ty: ty.clone() }),
    }
}

#[cfg(test)]
mod tests;
