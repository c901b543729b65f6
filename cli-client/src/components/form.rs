//! A component and its sidecar as one body: `multipart/form-data` (RFC 7578).

use uuid::Uuid;

/// A body and its content type.
pub(super) struct Form {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// The form with these parts: the name of each, its content type and its content.
pub(super) fn form(parts: &[(&str, &str, &[u8])]) -> Form {
    // Random, so that no content has it.
    let boundary = Uuid::new_v4().simple().to_string();
    let mut body = Vec::new();
    for (name, content_type, content) in parts {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: {content_type}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Form { content_type: format!("multipart/form-data; boundary={boundary}"), body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_stands_between_boundaries() {
        let Form { content_type, body } =
            form(&[("a", "text/plain", b"1\r\n2"), ("b", "x/y", b"")]);
        let boundary = content_type.split_once("boundary=").unwrap().1;
        let text = String::from_utf8(body).unwrap();
        let parts: Vec<_> = text.split(&format!("--{boundary}")).collect();
        assert_eq!(parts.len(), 4);
        assert!(parts[1].ends_with("Content-Type: text/plain\r\n\r\n1\r\n2\r\n"), "{}", parts[1]);
        assert!(parts[2].starts_with("\r\nContent-Disposition: form-data; name=\"b\";"));
        assert_eq!(parts[3], "--\r\n");
    }
}
