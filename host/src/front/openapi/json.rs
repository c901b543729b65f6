//! JSON that every part of the document is made of.

use serde_json::{Map, Value, json};

/// A JSON object of these entries.
pub(super) fn object(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(Map::from_iter(entries))
}

/// A reference to something that is shared.
pub(super) fn shared(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
