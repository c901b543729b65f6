//! Calls and results as bytes in the store. Each layout has a version, so that a later host can read
//! what an earlier one wrote.

use serde::{Deserialize, Serialize};

use super::model::Presentation;
use crate::codec::neutral::{self, NeutralError};
use crate::codec::types::Arguments;
use crate::value::Value;

/// The version of the layout of a [`StoredCall`].
const CALL: u8 = 2;

/// A call as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredCall {
    pub(super) arguments: Arguments,
    pub(super) presentation: Presentation,
    /// Whether its submitter waits for it with the connection open: it has the limits of a call.
    pub(super) is_synchronous: bool,
}

impl StoredCall {
    pub(super) fn encode(&self) -> Vec<u8> {
        neutral::encode_version(CALL, self)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, NeutralError> {
        #[derive(Deserialize)]
        struct First {
            arguments: Arguments,
            presentation: Presentation,
        }
        match neutral::version(bytes)? {
            (1, encoded) => {
                let First { arguments, presentation } = neutral::decode(encoded)?;
                Ok(Self { arguments, presentation, is_synchronous: false })
            }
            (CALL, encoded) => neutral::decode(encoded),
            (version, _) => Err(NeutralError::Layout(version)),
        }
    }
}

/// A result as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredResult {
    pub(super) value: Value,
    pub(super) presentation: Presentation,
}

impl StoredResult {
    pub(super) fn encode(&self) -> Vec<u8> {
        neutral::encode(self)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, NeutralError> {
        neutral::decode_first(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_the_first_layout_can_be_read() {
        #[derive(Serialize)]
        struct First {
            arguments: Arguments,
            presentation: Presentation,
        }
        let arguments = Arguments { positional: vec![Value::Int(7)], named: Vec::new() };
        let first = First { arguments, presentation: Presentation::Numpy };
        let read = StoredCall::decode(&neutral::encode(&first)).unwrap();
        assert_eq!(read.arguments.positional, [Value::Int(7)]);
        assert_eq!((read.presentation, read.is_synchronous), (Presentation::Numpy, false));
        let again =
            StoredCall::decode(&StoredCall { is_synchronous: true, ..read }.encode()).unwrap();
        assert_eq!(again.arguments.positional, [Value::Int(7)]);
        assert!(again.is_synchronous);
    }

    #[test]
    fn a_layout_of_a_later_host_is_refused_by_its_version() {
        let later = neutral::encode_version(9, &());
        assert!(matches!(StoredCall::decode(&later), Err(NeutralError::Layout(9))));
        assert!(matches!(StoredResult::decode(&later), Err(NeutralError::Layout(9))));
    }
}
