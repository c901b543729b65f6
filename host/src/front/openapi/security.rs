//! How the document says that requests need a token.

use serde_json::{Map, Value, json};

use super::json::shared;
use crate::front::health;

/// What all operations need that say nothing else.
pub(super) fn requirements(wants_tokens: bool, takes_certificates: bool) -> Value {
    if wants_tokens && takes_certificates {
        json!([{"bearer": []}, {"basic": []}, {"certificate": []}])
    } else if wants_tokens {
        json!([{"bearer": []}, {"basic": []}])
    } else {
        // Said rather than left out: nothing asks for credentials.
        json!([])
    }
}

/// Adds to each operation that it is refused without a token, and to what they share how one is sent.
pub(super) fn ask_for_tokens(
    paths: &mut Map<String, Value>,
    components: &mut Value,
    takes_certificates: bool,
) {
    components["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token of this host."},
        "basic": {"type": "http", "scheme": "basic", "description": "Any user, and a token as the password."},
    });
    if takes_certificates {
        components["securitySchemes"]["certificate"] =
            json!({"type": "mutualTLS", "description": "A certificate that the host knows."});
    }
    for (path, item) in paths {
        let is_open = health::PATHS.contains(&path.as_str());
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if !operation.get("responses").is_some_and(Value::is_object) {
                continue;
            }
            if is_open {
                operation["security"] = json!([]);
            } else {
                operation["responses"]["401"] = shared("responses", "Failure401");
            }
        }
    }
}
