//! Which attempts run that the database does not know of, in a file beside it: a few bytes for each,
//! written without waiting for the disk.
//!
//! What may run again is not claimed before it runs, which would cost a commit. After a crash of the
//! machine such a job is queued as if it had never begun, and no harm is done. After a crash of the host
//! alone the marks are there, so that a job which ends the host each time is found out.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::jobs::model::{Job, JobId, JobState};

/// Bytes of a handle and a number.
const MARK: usize = 16 + 4;

/// More than ever run or wait to be recorded at once.
const MAX_MARKS: u64 = 1 << 16;

pub(super) struct Marks {
    file: File,
    /// What ran when the last host ended.
    left_behind: HashMap<JobId, u32>,
}

impl Marks {
    /// Of the database at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path.with_extension("running"))?;
        let mut bytes = Vec::new();
        (&file).take(MAX_MARKS * MARK as u64).read_to_end(&mut bytes)?;
        let marks = bytes.chunks_exact(MARK).filter_map(|mark| {
            let id = JobId::from_bytes(mark[..16].try_into().ok()?);
            let attempt = u32::from_le_bytes(mark[16..].try_into().ok()?);
            (attempt > 0).then_some((id, attempt))
        });
        Ok(Self { left_behind: marks.collect(), file })
    }

    /// Where it cannot be written, a crash of the host is not counted.
    pub(super) fn set(&self, number: u32, id: JobId, attempt: u32) {
        let mut mark = [0; MARK];
        mark[..16].copy_from_slice(id.as_bytes());
        mark[16..].copy_from_slice(&attempt.to_le_bytes());
        let _ = self.file.write_all_at(&mark, u64::from(number) * MARK as u64);
    }

    /// Says of a job whether it ran when the last host ended.
    pub(super) fn apply(&self, job: &mut Job) {
        let next = job.attempts.saturating_add(1);
        if job.state == JobState::Queued && self.left_behind.get(&job.id) == Some(&next) {
            job.state = JobState::Running;
            job.attempts = next;
            // Nothing else runs without a claim.
            job.is_repeatable = true;
        }
    }
}
