//! Text in lines of cells: RFC 4180, and also with semicolons, tabs or spaces between the cells.
//!
//! One delimiter for all of a text, and nothing is passed over in silence. Knows nothing of numbers.

use std::fmt;

/// What the cells of a text are, by which it is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::arguments) enum Cells {
    /// Numbers alone: spaces around them are no part of them, and may separate them.
    Numbers,
    /// Words, with none of them text: spaces around them are no part of them.
    Words,
    /// Text among others, from the first line on: spaces are a part of a cell, as in RFC 4180, and a line
    /// that begins with `#` is one like the others.
    Text,
    /// The same below a line of titles, before which there may be comments.
    TitledText,
}

impl Cells {
    fn keeps_spaces(self) -> bool {
        matches!(self, Self::Text | Self::TitledText)
    }
}

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
    /// Whether the first line said so: `sep=;`, as Excel has it.
    pub(in crate::arguments) is_named: bool,
    /// The first line that has a tab at one of its ends, where tabs are not the delimiter.
    pub(in crate::arguments) outer_tab: Option<usize>,
}

/// Splits a text, by what its cells are.
pub(in crate::arguments) fn split(text: &str, kind: Cells) -> Result<Lines, LinesError> {
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        delimiter: None,
        keeps_spaces: kind.keeps_spaces(),
    };
    let mut lines =
        Lines { rows: Vec::new(), comments: 0, delimiter: None, is_named: false, outer_tab: None };
    if let Some(named) = named_delimiter(first_line(reader.rest)) {
        if !DELIMITERS.contains(&named) {
            return Err(LinesError::OtherDelimiter(named));
        }
        lines.is_named = true;
        lines.delimiter = Some(named);
        reader.delimiter = lines.delimiter;
        reader.end_line(first_line(reader.rest).len());
    }
    let has_comments = kind != Cells::Text;
    let mut blank = None;
    while !reader.rest.is_empty() {
        let line = first_line(reader.rest);
        let start = line.trim_matches(is_space);
        let is_blank = match lines.delimiter {
            _ if kind.keeps_spaces() => line.is_empty(),
            // What is between tabs are cells, empty ones too.
            Some('\t') => start.is_empty() && !line.contains('\t'),
            _ => start.is_empty(),
        };
        if is_blank {
            if !lines.rows.is_empty() {
                blank.get_or_insert(reader.line);
            }
            reader.end_line(line.len());
        } else if lines.rows.is_empty() && has_comments && is_comment(start) {
            lines.comments += 1;
            reader.end_line(line.len());
        } else if let Some(blank) = blank {
            return Err(LinesError::Blank(blank));
        } else {
            if lines.rows.is_empty() && !lines.is_named {
                reader.delimiter = delimiter(reader.rest, kind);
                lines.delimiter = reader.delimiter;
            }
            if lines.delimiter != Some('\t') && (line.starts_with('\t') || line.ends_with('\t')) {
                lines.outer_tab.get_or_insert(reader.line);
            }
            lines.rows.push(reader.row()?);
        }
    }
    Ok(lines)
}

impl Lines {
    /// Takes a delimiter at the end of every line, or of every line but the last, for no beginning of a
    /// cell.
    pub(in crate::arguments) fn close(&mut self) {
        let Some((last, before)) = self.rows.split_last() else { return };
        let is_continued = !before.is_empty()
            && before.iter().all(|row| row.is_open)
            && before.iter().all(|row| row.cells.len() == last.cells.len() + 1);
        if is_continued || self.rows.iter().all(|row| row.is_open) {
            for row in self.rows.iter_mut().filter(|row| row.is_open) {
                row.cells.pop();
                row.is_open = false;
            }
        }
    }
}

/// Refuses lines of several lengths.
pub(in crate::arguments) fn check_lengths(rows: &[Row]) -> Result<(), LinesError> {
    let Some(first) = rows.first() else { return Ok(()) };
    match rows.iter().find(|row| row.cells.len() != first.cells.len()) {
        None => Ok(()),
        Some(row) => {
            let length = |row: &Row| Length { line: row.line, cells: row.cells.len() };
            Err(LinesError::Lengths(length(first), length(row)))
        }
    }
}

/// Why a text is not in lines of cells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::arguments) enum LinesError {
    #[error("line {0} is blank, and lines with cells follow")]
    Blank(usize),
    #[error("{0}, and {1}")]
    Lengths(Length, Length),
    #[error("line {0}: a quote is opened and not closed")]
    OpenQuote(usize),
    #[error("line {0}: text follows a quote that is closed")]
    AfterQuote(usize),
    #[error("line {0}: there are spaces around the quotes of a cell; leave them out")]
    AroundQuotes(usize),
    #[error(
        "line 1: `sep={0}` names what is between cells; only a tab, a semicolon or a comma can be that"
    )]
    OtherDelimiter(char),
}

/// How many cells a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::arguments) struct Length {
    line: usize,
    cells: usize,
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.cells == 1 { "" } else { "s" };
        write!(f, "line {} has {} cell{plural}", self.line, self.cells)
    }
}

fn is_comment(line: &str) -> bool {
    let is_gap = line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("#N/A"));
    line.starts_with('#') && !is_gap
}

/// What may be between cells, beside spaces.
const DELIMITERS: [char; 3] = ['\t', ';', ','];

/// The delimiter of `sep=;`, which Excel writes and reads as a first line. In quotes it is a cell.
fn named_delimiter(line: &str) -> Option<char> {
    let name = line.get(..4).filter(|name| name.eq_ignore_ascii_case("sep="))?;
    let mut rest = line[name.len()..].chars();
    rest.next().filter(|_| rest.as_str().is_empty())
}

/// What may be around a number and is no part of it.
pub(in crate::arguments) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{a0}' | '\u{202f}')
}

fn first_line(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or_default()
}

/// The first of tab, semicolon and comma that there is outside of quotes, in the first line or else
/// below it; else spaces, where they may separate and there are any between words below that line, or in
/// the only one.
fn delimiter(text: &str, kind: Cells) -> Option<char> {
    let mut found = DELIMITERS.map(|delimiter| (delimiter, false));
    let line = first_line(text);
    // Around numbers, tabs at an end of the line are as good as spaces.
    let inside = match kind.keeps_spaces() {
        true => 0..line.len(),
        false => {
            line.len() - line.trim_start_matches(is_space).len()
                ..line.trim_end_matches(is_space).len()
        }
    };
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
            at_start = matches!(c, '\t' | ';' | ',' | '\n' | '\r')
                || (is_space(c) && !kind.keeps_spaces());
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
        (kind == Cells::Numbers && has_any).then_some(' ')
    })
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    delimiter: Option<char>,
    /// Whether spaces are a part of a cell.
    keeps_spaces: bool,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Row, LinesError> {
        let line = self.line;
        let mut cells = Vec::new();
        let mut is_open = false;
        loop {
            if !self.keeps_spaces {
                self.skip_spaces();
            }
            if self.delimiter == Some(' ') && self.is_at_end() && !cells.is_empty() {
                break;
            }
            is_open = !cells.is_empty() && self.is_at_end();
            cells.push(if self.rest.starts_with('"') { self.quoted()? } else { self.bare()? });
            match self.rest.chars().next() {
                Some(c) if Some(c) == self.delimiter => self.rest = &self.rest[1..],
                _ => break,
            }
        }
        self.end_line(0);
        Ok(Row { line, cells, is_open })
    }

    fn bare(&mut self) -> Result<String, LinesError> {
        let ends = |c: char| matches!(c, '\n' | '\r') || Some(c) == self.delimiter;
        let (cell, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        if !self.keeps_spaces {
            return Ok(cell.trim_end_matches(is_space).to_owned());
        }
        if cell.trim_start_matches(is_space).starts_with('"') {
            return Err(LinesError::AroundQuotes(self.line));
        }
        Ok(cell.to_owned())
    }

    fn quoted(&mut self) -> Result<String, LinesError> {
        let line = self.line;
        let mut cell = String::new();
        self.rest = &self.rest[1..];
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                return Err(LinesError::OpenQuote(line));
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
        let behind = self.rest.len();
        if self.delimiter != Some(' ') {
            self.skip_spaces();
        }
        let next = self.rest.chars().next();
        match self.is_at_end() || next == self.delimiter {
            true if self.keeps_spaces && self.rest.len() < behind => {
                Err(LinesError::AroundQuotes(self.line))
            }
            true => Ok(cell),
            false => Err(LinesError::AfterQuote(self.line)),
        }
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
