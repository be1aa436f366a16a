use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Rows that are kept.
const ROWS: usize = 5000;
/// Bytes of all rows together.
const BYTES: usize = 16 << 20;
/// Rows given at a time.
const AT_A_TIME: usize = 500;

/// The rows of a recording, newest last. Clones are the same feed.
#[derive(Clone)]
pub struct Feed {
    kept: Arc<Mutex<Kept>>,
    newest: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct Kept {
    rows: VecDeque<String>,
    bytes: usize,
    /// Rows forgotten: the number of the oldest row is one more.
    forgotten: u64,
}

/// What happened after a number.
pub(super) struct News {
    /// The number of the row before the first given.
    pub from: u64,
    /// The number to ask with next time.
    pub next: u64,
    /// Rows in between that were forgotten already.
    pub missed: u64,
    /// The rows.
    pub rows: Vec<String>,
}

impl Default for Feed {
    fn default() -> Feed {
        Feed {
            kept: Arc::default(),
            newest: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl Feed {
    /// Adds a row, a JSON value.
    pub fn push(&self, row: String) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += row.len();
        kept.rows.push_back(row);
        while kept.rows.len() > ROWS || (kept.bytes > BYTES && kept.rows.len() > 1) {
            let gone = kept.rows.pop_front().map_or(0, |row| row.len());
            kept.bytes -= gone;
            kept.forgotten += 1;
        }
        let newest = kept.forgotten + kept.rows.len() as u64;
        drop(kept);
        self.newest.send_replace(newest);
    }

    /// What came after row `after`, waiting up to `patience` for something. Who asks for a row
    /// that does not exist yet saw an earlier mock, and gets everything.
    pub(super) async fn after(&self, after: u64, patience: Duration) -> News {
        let mut newest = self.newest.subscribe();
        let after = if after > *newest.borrow() { 0 } else { after };
        let _ = tokio::time::timeout(patience, newest.wait_for(|n| *n > after)).await;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let first = after.max(kept.forgotten);
        let skip = usize::try_from(first - kept.forgotten).unwrap_or(usize::MAX);
        let rows: Vec<String> = kept
            .rows
            .iter()
            .skip(skip)
            .take(AT_A_TIME)
            .cloned()
            .collect();
        News {
            from: first,
            next: first + rows.len() as u64,
            missed: first - after,
            rows,
        }
    }
}
