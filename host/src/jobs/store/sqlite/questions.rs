//! Questions that are being answered, so that one which takes too long can be ended.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, InterruptHandle};

/// All of a store that are being answered.
#[derive(Default)]
pub(super) struct Questions(Mutex<Open>);

#[derive(Default)]
struct Open {
    next: u64,
    begun: HashMap<u64, (Instant, InterruptHandle)>,
}

/// One of them, until it is dropped.
pub(super) struct Question<'a> {
    questions: &'a Questions,
    number: u64,
}

impl Questions {
    /// A question that is answered by this connection from now on.
    pub(super) fn begin(&self, connection: &Connection) -> Question<'_> {
        let mut open = self.lock();
        let number = open.next;
        open.next += 1;
        open.begun.insert(number, (Instant::now(), connection.get_interrupt_handle()));
        Question { questions: self, number }
    }

    /// Has those fail that were begun so long ago.
    pub(super) fn end_older_than(&self, age: Duration) {
        // Under the lock, so that no connection has another question by now.
        for (begun, handle) in self.lock().begun.values() {
            if begun.elapsed() >= age {
                handle.interrupt();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.questions.lock().begun.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ErrorCode;

    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

    #[test]
    fn one_that_takes_too_long_is_ended_and_the_next_is_not() {
        let questions = Questions::default();
        let connection = Connection::open_in_memory().unwrap();
        std::thread::scope(|scope| {
            let ending = scope.spawn(|| {
                while questions.lock().next == 0 {
                    std::thread::yield_now();
                }
                std::thread::sleep(Duration::from_millis(20));
                questions.end_older_than(Duration::from_secs(60));
                std::thread::sleep(Duration::from_millis(20));
                let since = Instant::now();
                questions.end_older_than(Duration::from_millis(20));
                since
            });
            let question = questions.begin(&connection);
            let answer = connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0));
            let ended = Instant::now();
            drop(question);
            let code = answer.unwrap_err().sqlite_error_code();
            assert_eq!(code, Some(ErrorCode::OperationInterrupted));
            assert!(ended >= ending.join().unwrap(), "it was young before");
        });
        questions.end_older_than(Duration::ZERO);
        let answer = connection.query_row("SELECT 7", [], |row| row.get::<_, i64>(0));
        assert_eq!(answer.unwrap(), 7);
    }
}
