//! Tables in columns of characters.

use std::fmt::Write as _;

use console::{measure_text_width, truncate_str};
use serde_json::Value;

use crate::style::{BOLD, one_line, painted};

/// The widest cell on a terminal; to a pipe goes all of it.
const WIDEST: usize = 60;

/// Lines of cells below titles. A cell may have colours.
#[derive(Debug)]
pub(crate) struct Table {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns of numbers, which are flush right.
    is_number: Vec<bool>,
}

impl Table {
    pub(crate) fn new(titles: &[&str]) -> Self {
        let titles: Vec<_> = titles.iter().map(|title| one_line(title)).collect();
        let is_number = vec![false; titles.len()];
        Self { titles, rows: Vec::new(), is_number }
    }

    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut widths: Vec<_> =
            self.titles.iter().map(|title| measure_text_width(title)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(measure_text_width(cell));
            }
        }
        let titles = self.titles.iter().map(|title| painted(BOLD, title)).collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = String::new();
            let mut gap = 0;
            for ((cell, width), is_number) in row.iter().zip(&widths).zip(&self.is_number) {
                let padding = width - measure_text_width(cell);
                let (before, after) = if *is_number { (padding, 0) } else { (0, padding) };
                write!(line, "{:gap$}{:before$}{cell}", "", "")?;
                // Only between cells: a line has no blanks at its end.
                gap = after + 2;
            }
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// A list of records as a table; `None` for any other value.
pub(super) fn of_records(value: &Value, is_terminal: bool) -> Option<String> {
    let records: Vec<_> = value.as_array()?.iter().map(Value::as_object).collect::<Option<_>>()?;
    let mut titles: Vec<&str> = Vec::new();
    for title in records.iter().flat_map(|record| record.keys()) {
        if !titles.contains(&title.as_str()) {
            titles.push(title);
        }
    }
    if titles.is_empty() {
        return None;
    }
    let mut table = Table::new(&titles);
    table.is_number = titles
        .iter()
        .map(|title| records.iter().filter_map(|record| record.get(*title)).all(is_number))
        .collect();
    for record in records {
        let cells = titles.iter().map(|title| {
            let cell = record.get(*title).map(cell).unwrap_or_default();
            if is_terminal { truncate_str(&cell, WIDEST, "…").into_owned() } else { cell }
        });
        table.push(cells.collect());
    }
    Some(table.to_string())
}

fn is_number(value: &Value) -> bool {
    value.is_number() || value.is_null()
}

/// A value on one line; text without its quotes, and nothing for none.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => one_line(text),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_lines_below_the_names_of_their_fields() {
        let records = json!([
            {"label": "ä\nb", "n": 5, "at": [1, 2]},
            {"label": "c", "n": null, "at": null, "more": true},
            {"label": "long enough", "n": 1234, "at": {"x": 1}},
        ]);
        let table = strip_str(&of_records(&records, true).unwrap()).to_string();
        let expected = "\
label           n  at       more
ä⏎b             5  [1,2]
c                           true
long enough  1234  {\"x\":1}
";
        let trimmed: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        assert_eq!(trimmed, expected);
    }

    #[test]
    fn only_a_terminal_has_an_edge() {
        let records = json!([{"text": "x".repeat(200)}]);
        assert!(of_records(&records, true).unwrap().contains('…'));
        assert!(of_records(&records, false).unwrap().contains(&"x".repeat(200)));
    }

    #[test]
    fn what_is_no_list_of_records_is_no_table() {
        for other in [json!([]), json!([{}]), json!([1]), json!({"a": 1}), json!([{"a": 1}, 2])] {
            assert_eq!(of_records(&other, false), None, "{other}");
        }
    }
}
