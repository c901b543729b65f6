//! A job that is running from now on, with what it calls.

use std::sync::Arc;

use super::marks::Unclaimed;
use super::model::{Job, Presentation};
use super::stored::StoredCall;
use crate::budget::{Charge, NoRoom};
use crate::call::Call;
use crate::catalog::Procedure;
use crate::error::{CallError, ErrorKind};

/// A job that is running from now on.
pub(super) struct Claimed {
    pub(super) job: Job,
    /// What it calls, or why it cannot.
    pub(super) call: Result<Call, CallError>,
    /// How its submitter can take the result.
    pub(super) presentation: Presentation,
    /// Where the store does not know of it yet.
    pub(super) unclaimed: Option<Unclaimed>,
}

impl Claimed {
    /// One that cannot begin, and does so later.
    pub(super) fn without_room(job: Job, no_room: NoRoom, unclaimed: Option<Unclaimed>) -> Self {
        Self { job, call: Err(no_room.into()), presentation: Presentation::Plain, unclaimed }
    }

    pub(super) fn new(
        job: Job,
        procedure: Arc<Procedure>,
        encoded: &[u8],
        charge: Charge,
        unclaimed: Option<Unclaimed>,
    ) -> Self {
        let stored = StoredCall::decode(encoded).map_err(|e| {
            CallError::new(ErrorKind::Internal, format!("the stored arguments are unreadable: {e}"))
        });
        let presentation = stored.as_ref().map_or(Presentation::Plain, |call| call.presentation);
        let call = stored.and_then(|stored| {
            let call = Call::within(procedure, stored.arguments, charge)?;
            Ok(if stored.is_synchronous { call } else { call.as_job() })
        });
        Self { job, call, presentation, unclaimed }
    }
}
