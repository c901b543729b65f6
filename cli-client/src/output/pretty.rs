//! JSON for people: what is short stays on a line, and numbers fill their lines.

use serde_json::Value;

/// Where lines end.
const WIDTH: usize = 80;

/// A value as JSON in lines; text by itself without its quotes.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, indent: usize, text: &mut String) {
    let room = WIDTH.saturating_sub(indent);
    if let Some(short) = compact(value, room) {
        text.push_str(&short);
        return;
    }
    let inner = indent + 2;
    match value {
        Value::Array(items) if items.iter().all(is_scalar) => {
            text.push_str("[\n");
            fill(items, inner, text);
            end(']', indent, text);
        }
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                next_line(i, inner, text);
                write(item, inner, text);
            }
            end(']', indent, text);
        }
        Value::Object(fields) => {
            text.push('{');
            for (i, (name, value)) in fields.iter().enumerate() {
                next_line(i, inner, text);
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push_str(": ");
                write(value, inner, text);
            }
            end('}', indent, text);
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn next_line(i: usize, indent: usize, text: &mut String) {
    text.push_str(if i == 0 { "\n" } else { ",\n" });
    text.extend(std::iter::repeat_n(' ', indent));
}

fn end(bracket: char, indent: usize, text: &mut String) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
    text.push(bracket);
}

/// Scalars, as many on a line as fit.
fn fill(items: &[Value], indent: usize, text: &mut String) {
    let mut column = 0;
    for (i, item) in items.iter().enumerate() {
        let word = item.to_string();
        let comma = if i + 1 < items.len() { "," } else { "" };
        if column == 0 {
            text.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column + 2 + word.len() > WIDTH {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(&word);
        text.push_str(comma);
        column += word.len() + 1;
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// The value on one line, if it has the room.
fn compact(value: &Value, room: usize) -> Option<String> {
    let line = match value {
        Value::Array(items) => {
            let items = some_of(items.iter().map(|item| compact(item, room)), room)?;
            format!("[{items}]")
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                Some(format!("{}: {}", Value::from(name.as_str()), compact(value, room)?))
            };
            let fields = some_of(fields.iter().map(field), room)?;
            format!("{{{fields}}}")
        }
        scalar => scalar.to_string(),
    };
    (line.chars().count() <= room).then_some(line)
}

/// The parts with commas between, unless that is longer than the room: a million are not put together
/// to find that out.
fn some_of(parts: impl Iterator<Item = Option<String>>, room: usize) -> Option<String> {
    let mut line = String::new();
    for part in parts {
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(&part?);
        if line.len() > room * 4 {
            return None;
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_short_stays_on_a_line() {
        for (value, expected) in [
            (json!([1, 2.5, "a"]), r#"[1, 2.5, "a"]"#),
            (json!({"a": [1], "b": null}), r#"{"a": [1], "b": null}"#),
            (json!(u64::MAX), "18446744073709551615"),
            (json!([]), "[]"),
        ] {
            assert_eq!(pretty(&value), expected);
        }
    }

    #[test]
    fn what_is_long_is_broken_and_is_still_the_same_json() {
        let long = json!({
            "numbers": (0..200).map(|n| n * 1000).collect::<Vec<_>>(),
            "records": [{"label": "x".repeat(60), "at": [1.0, 2.0]}, {"label": "y".repeat(90)}],
        });
        let text = pretty(&long);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), long);
        assert!(text.starts_with("{\n  \"numbers\": [\n    0, 1000, 2000,"), "{text}");
        let widest = text.lines().filter(|line| !line.contains("yyy")).map(str::len).max();
        assert!(widest <= Some(WIDTH), "{text}");
    }
}
