//! What was made of a text that its author should know.

use super::bare;
use super::delimited::Lines;
use super::number::shortened;

/// What a person is told beside the numbers.
#[derive(Debug, Default)]
pub(in crate::arguments) struct Notes {
    /// What the first line said to be between cells.
    delimiter: Option<char>,
    /// The first line, where it was taken as titles.
    titles: Vec<String>,
    /// Lines of comments.
    comments: usize,
    /// A number with a decimal comma.
    comma: Option<String>,
    /// How many gaps there were, and where the first.
    gaps: usize,
    first_gap: Option<String>,
    /// Whether a gap became none rather than NaN.
    is_none: bool,
}

impl Notes {
    pub(in crate::arguments) fn titles(&mut self, titles: &[String]) {
        self.titles = titles.iter().map(|title| bare(title).to_owned()).collect();
    }

    pub(in crate::arguments) fn lines(&mut self, lines: &Lines) {
        self.comments = lines.comments;
        self.delimiter = lines.delimiter.filter(|_| lines.is_named);
    }

    pub(in crate::arguments) fn comma(&mut self, sample: &str) {
        self.comma.get_or_insert_with(|| sample.to_owned());
    }

    pub(in crate::arguments) fn gap(&mut self, is_none: bool, place: impl FnOnce() -> String) {
        self.gaps += 1;
        self.is_none = is_none;
        self.first_gap.get_or_insert_with(place);
    }

    /// Each as half a sentence.
    pub(in crate::arguments) fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(delimiter) = self.delimiter {
            let what = match delimiter {
                '\t' => "tabs",
                ';' => "semicolons",
                _ => "commas",
            };
            told.push(format!("the first line says that {what} are between cells"));
        }
        if !self.titles.is_empty() {
            let titles: Vec<_> = self.titles.iter().map(|title| shortened(title)).collect();
            let what = if titles.len() == 1 { "a title" } else { "titles" };
            told.push(format!("the first line was taken as {what}: {}", titles.join(", ")));
        }
        match self.comments {
            0 => {}
            1 => told.push("1 line that begins with # was taken as a comment".into()),
            n => told.push(format!("{n} lines that begin with # were taken as comments")),
        }
        if let Some(sample) = &self.comma {
            told.push(format!("commas were read as decimal points, as in {}", shortened(sample)));
        }
        if let Some(place) = &self.first_gap {
            let became = if self.is_none { "none" } else { "NaN" };
            told.push(match self.gaps {
                1 => format!("1 gap became {became}, at {place}"),
                n => format!("{n} gaps became {became}, the first at {place}"),
            });
        }
        told
    }
}
