//! Server-sent events out of the bytes of a stream, as the HTML standard reads them. Knows no job.

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) data: String,
    /// Where to go on after a lost connection.
    pub(crate) id: Option<String>,
}

/// Puts events together from bytes that come in pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The line that has not ended.
    line: Vec<u8>,
    event: Event,
}

impl Parser {
    /// The events that are complete with these bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                events.extend(self.take(line.trim_end_matches(['\n', '\r'])));
            }
        }
        events
    }

    /// Takes one line; an empty one ends an event.
    fn take(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let mut event = std::mem::take(&mut self.event);
            let ended = event.data.pop();
            return ended.map(|_| event);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.event.kind),
            "id" => self.event.id = Some(value.to_owned()),
            "data" => {
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            // A comment, by which the host says that it is still there, or something of the future.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\nevent: state\nid: 1\ndata: {\"a\":\ndata: \"é\"}\n\nevent:log\r\ndata:x\r\n\r\n\nid: 9\n\n";

    #[test]
    fn events_are_the_same_in_pieces_of_any_size() {
        let event = |kind: &str, data: &str, id: Option<&str>| Event {
            kind: kind.into(),
            data: data.into(),
            id: id.map(str::to_owned),
        };
        let expected = [event("state", "{\"a\":\n\"é\"}", Some("1")), event("log", "x", None)];
        for size in 1..STREAM.len() {
            let mut parser = Parser::default();
            let pieces = STREAM.as_bytes().chunks(size);
            let events: Vec<_> = pieces.flat_map(|piece| parser.feed(piece)).collect();
            assert_eq!(events, expected, "in pieces of {size}");
        }
    }
}
