//! Colours, and text of strangers made safe for a terminal. Whether colours are wanted is decided
//! where they are written, by `anstream`.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

/// For what is looked for first.
pub const BOLD: Style = Style::new().bold();
/// For what may be passed over.
pub const DIM: Style = Style::new().dimmed();
/// For what has failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// For what somebody should know.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// For what went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BUSY: Style = AnsiColor::Cyan.on_default();

/// The text in a style.
#[must_use]
pub fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The style of a job's state.
pub(crate) fn of_state(state: &str) -> Style {
    match state {
        "succeeded" => GOOD,
        "running" => BUSY,
        "queued" => DIM,
        "cancelled" => WARN,
        _ => BAD,
    }
}

/// The style of a log line's level.
pub(crate) fn of_level(level: &str) -> Style {
    match level {
        "error" => BAD,
        "warn" => WARN,
        "info" => GOOD,
        _ => DIM,
    }
}

/// Text without what would control a terminal: a guest can write anything, and must not be able to
/// move the cursor of whoever reads it.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let controls = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(controls) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if controls(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// The same on one line.
pub(crate) fn one_line(text: &str) -> String {
    printable(text).replace('\n', "⏎").replace('\t', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_guest_controls_no_terminal() {
        assert_eq!(printable("naïve\n\t✓"), "naïve\n\t✓");
        assert_eq!(printable("\u{1b}[2Jgone\r\nx\u{9b}1m"), "\\u{1b}[2Jgone\nx\\u{9b}1m");
        assert_eq!(one_line("a\nb\u{7}"), "a⏎b\\u{7}");
    }
}
