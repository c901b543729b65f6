//! Text in lines of cells: RFC 4180, and also with semicolons, tabs or spaces between the cells.
//!
//! One delimiter for all of a text, and nothing is passed over in silence. Knows nothing of numbers.

/// A line's cells.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::arguments) struct Row {
    /// In the text, from 1.
    pub(in crate::arguments) line: usize,
    pub(in crate::arguments) cells: Vec<String>,
    /// Whether a delimiter was the last of it.
    is_open: bool,
}

/// The lines of a text.
#[derive(Debug)]
pub(in crate::arguments) struct Lines {
    pub(in crate::arguments) rows: Vec<Row>,
    /// How many lines of comments were at its beginning.
    pub(in crate::arguments) comments: usize,
    /// What is between the cells, where there is more than one in a line.
    pub(in crate::arguments) delimiter: Option<char>,
}

/// Splits a text. `by_spaces` where cells have none inside of them, so that spaces may separate.
pub(in crate::arguments) fn split(text: &str, by_spaces: bool) -> Result<Lines, String> {
    let mut reader =
        Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1, delimiter: None };
    let mut lines = Lines { rows: Vec::new(), comments: 0, delimiter: None };
    let mut blank = None;
    while !reader.rest.is_empty() {
        let line = first_line(reader.rest);
        let start = line.trim_matches(is_space);
        if start.is_empty() {
            if !lines.rows.is_empty() {
                blank.get_or_insert(reader.line);
            }
            reader.end_line(line.len());
        } else if lines.rows.is_empty() && is_comment(start) {
            lines.comments += 1;
            reader.end_line(line.len());
        } else if let Some(blank) = blank {
            return Err(format!("line {blank} is blank, and lines with cells follow"));
        } else {
            if lines.rows.is_empty() {
                reader.delimiter = delimiter(reader.rest, by_spaces);
                lines.delimiter = reader.delimiter;
            }
            lines.rows.push(reader.row()?);
        }
    }
    close(&mut lines.rows);
    Ok(lines)
}

/// Refuses lines of several lengths.
pub(in crate::arguments) fn check_lengths(rows: &[Row]) -> Result<(), String> {
    let Some(first) = rows.first() else { return Ok(()) };
    match rows.iter().find(|row| row.cells.len() != first.cells.len()) {
        None => Ok(()),
        Some(row) => {
            let cells = |row: &Row| match row.cells.len() {
                1 => "1 cell".to_owned(),
                n => format!("{n} cells"),
            };
            Err(format!(
                "line {} has {}, and line {} has {}",
                first.line,
                cells(first),
                row.line,
                cells(row)
            ))
        }
    }
}

fn is_comment(line: &str) -> bool {
    let is_gap = line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("#N/A"));
    line.starts_with('#') && !is_gap
}

/// What may be around a cell and is no part of it.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{a0}' | '\u{202f}')
}

fn first_line(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or_default()
}

/// The first of tab, semicolon and comma that there is outside of quotes, in the first line or else
/// below it; else spaces, where there are any between words below that line, or in the only one.
fn delimiter(text: &str, by_spaces: bool) -> Option<char> {
    let mut found = [('\t', false), (';', false), (',', false)];
    let line = first_line(text);
    // Tabs at an end of the line are as good as spaces.
    let inside =
        line.len() - line.trim_start_matches(is_space).len()..line.trim_end_matches(is_space).len();
    let (mut is_quoted, mut at_start) = (false, true);
    for (i, c) in text.char_indices() {
        if c == '"' && (is_quoted || at_start) {
            is_quoted = !is_quoted;
        } else if !is_quoted {
            // Further lines count only where the first has no delimiter.
            if matches!(c, '\n' | '\r') && found.iter().any(|(_, is_there)| *is_there) {
                break;
            }
            for (delimiter, is_there) in &mut found {
                *is_there |=
                    *delimiter == c && (c != '\t' || inside.contains(&i) || i > line.len());
            }
            at_start = is_space(c) || matches!(c, ';' | ',' | '\n' | '\r');
        }
    }
    let found = found.into_iter().find(|(_, is_there)| *is_there).map(|(delimiter, _)| delimiter);
    let mut lines = text.split(['\n', '\r']).filter(|line| !line.trim_matches(is_space).is_empty());
    let first = lines.next().unwrap_or_default();
    let has_spaces = |line: &str| line.trim_matches(is_space).contains(' ');
    found.or_else(|| {
        let mut below = lines.peekable();
        let has_any = match below.peek() {
            None => has_spaces(first),
            Some(_) => below.any(has_spaces),
        };
        (by_spaces && has_any).then_some(' ')
    })
}

/// A delimiter at the end of every line, or of every line but the last, begins no cell.
fn close(rows: &mut [Row]) {
    let Some((last, before)) = rows.split_last() else { return };
    let is_continued = !before.is_empty()
        && before.iter().all(|row| row.is_open)
        && before.iter().all(|row| row.cells.len() == last.cells.len() + 1);
    if is_continued || rows.iter().all(|row| row.is_open) {
        for row in rows.iter_mut().filter(|row| row.is_open) {
            row.cells.pop();
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    delimiter: Option<char>,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Row, String> {
        let line = self.line;
        let mut cells = Vec::new();
        let mut is_open = false;
        loop {
            self.skip_spaces();
            if self.delimiter == Some(' ') && self.is_at_end() && !cells.is_empty() {
                break;
            }
            is_open = !cells.is_empty() && self.is_at_end();
            cells.push(if self.rest.starts_with('"') { self.quoted()? } else { self.bare() });
            match self.rest.chars().next() {
                Some(c) if Some(c) == self.delimiter => self.rest = &self.rest[1..],
                _ => break,
            }
        }
        self.end_line(0);
        Ok(Row { line, cells, is_open })
    }

    fn bare(&mut self) -> String {
        let ends = |c: char| matches!(c, '\n' | '\r') || Some(c) == self.delimiter;
        let (cell, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        cell.trim_end_matches(is_space).to_owned()
    }

    fn quoted(&mut self) -> Result<String, String> {
        let line = self.line;
        let mut cell = String::new();
        self.rest = &self.rest[1..];
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                return Err(format!("line {line}: a quote is opened and not closed"));
            };
            self.line += part.matches('\n').count();
            cell += part;
            self.rest = rest;
            match rest.strip_prefix('"') {
                Some(rest) => {
                    cell.push('"');
                    self.rest = rest;
                }
                None => break,
            }
        }
        if self.delimiter != Some(' ') {
            self.skip_spaces();
        }
        let next = self.rest.chars().next();
        if self.is_at_end() || next == self.delimiter {
            return Ok(cell);
        }
        Err(format!("line {}: text follows a quote that is closed", self.line))
    }

    fn skip_spaces(&mut self) {
        let is_skipped = |c: char| is_space(c) && (c != '\t' || self.delimiter != Some('\t'));
        self.rest = self.rest.trim_start_matches(is_skipped);
    }

    fn is_at_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(['\n', '\r'])
    }

    /// Goes on behind the end of a line that is so far away.
    fn end_line(&mut self, length: usize) {
        let rest = &self.rest[length..];
        let after = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']));
        self.rest = after.unwrap_or(rest);
        self.line += 1;
    }
}
