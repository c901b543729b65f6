//! Where a reply is written: memory that is charged as it grows, and given back when the connection has
//! sent it.

use std::io::{self, Write};

use axum::body::Bytes;

use crate::budget::{Charge, NoRoom};

/// A reply of no more bytes is not charged: nearly all are so small, and they are many.
pub(super) const FREE: usize = 4 << 10;

/// A reply of so many bytes no longer doubles its memory.
const MUCH: usize = 4 << 20;

/// A reply that is being written.
pub(super) struct Sink {
    out: Vec<u8>,
    charge: Charge,
    no_room: Option<NoRoom>,
}

impl Sink {
    /// An empty one with room for so many bytes, if there is: what is known to be written is allocated at
    /// once, so that a large reply is not moved while it grows.
    pub(super) fn with_size(size: usize, charge: Charge) -> Self {
        let mut sink = Self::new(charge);
        if size > FREE {
            // Without room, writing says so.
            let _ = sink.reserve(size);
        }
        sink
    }

    /// An empty one. What `charge` holds already is given back when the reply is whole.
    pub(super) fn new(charge: Charge) -> Self {
        Self { out: Vec::new(), charge, no_room: None }
    }

    /// Makes room for so many bytes more.
    pub(super) fn reserve(&mut self, more: usize) -> Result<(), NoRoom> {
        let wanted = self.out.len().saturating_add(more);
        let capacity = self.out.capacity();
        if wanted > capacity {
            self.charge.take(wanted.saturating_sub(capacity.max(FREE)))?;
            // It is charged, and yet the system may refuse it.
            self.out.try_reserve_exact(more).map_err(|_| self.charge.refusal())?;
        }
        Ok(())
    }

    /// Writes what writes itself.
    ///
    /// # Errors
    ///
    /// Where there is no room for it.
    pub(super) fn fill(
        mut self,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<Bytes, NoRoom> {
        match write(&mut self) {
            Ok(()) => Ok(self.finish()),
            Err(_) => Err(self.no_room.unwrap_or_else(|| self.charge.refusal())),
        }
    }

    /// The reply, whole.
    pub(super) fn finish(mut self) -> Bytes {
        let capacity = self.out.capacity();
        if capacity <= FREE {
            return Bytes::from(self.out);
        }
        self.charge.shrink_to(capacity);
        self.charge.hold(self.out)
    }
}

impl Write for Sink {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.out.capacity() - self.out.len();
        if bytes.len() > room {
            // By much at first, so that a long reply is not moved for each of its parts; a large one grows
            // where it is.
            let capacity = self.out.capacity();
            let more = if capacity < MUCH { capacity.max(256) } else { capacity / 8 };
            let grown = self.reserve(more.max(bytes.len()));
            if let Err(no_room) = grown.or_else(|_| self.reserve(bytes.len())) {
                let error = io::Error::other(no_room.to_string());
                self.no_room = Some(no_room);
                return Err(error);
            }
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{MemoryBudget, Purpose};

    #[test]
    fn a_reply_is_charged_until_its_last_part_is_gone() {
        let budget = MemoryBudget::new(64 << 20);
        let sink = Sink::new(budget.charge(Purpose::Work));
        let mut reply = sink.fill(|sink| sink.write_all(&[7; 1 << 20])).unwrap();
        assert!(budget.used() >= 1 << 20);
        let tail = reply.split_off(10);
        drop(reply);
        assert!(budget.used() >= 1 << 20);
        drop(tail);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_reply_without_room_says_so() {
        let budget = MemoryBudget::new(1 << 20);
        let sink = Sink::new(budget.charge(Purpose::Work));
        let refused = sink.fill(|sink| {
            for _ in 0..1 << 10 {
                sink.write_all(&[7; 4 << 10])?;
            }
            Ok(())
        });
        assert!(refused.unwrap_err().to_string().contains("memory"));
        assert_eq!(budget.used(), 0);
    }
}
