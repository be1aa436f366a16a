use judge::Finding;
use peer::recorder::Observer;
use peer::ui::Feed;
use report::evidence::bytes_of;
use report::text;
use serde_json::Value;
use trace::{Event, Seat};

use super::row::Rows;

/// Longest message whose text is shown whole.
const SHOWN: usize = 32 << 10;
/// Columns of a source line on the page.
const WIDTH: usize = 96;

/// Feeds the live page with rows.
pub struct Feeder {
    feed: Feed,
    rows: Rows,
}

impl Feeder {
    /// The client is under test.
    pub fn new(feed: Feed) -> Feeder {
        Feeder {
            feed,
            rows: Rows::new(&[Seat::Client], WIDTH),
        }
    }
}

impl Observer for Feeder {
    fn event(&mut self, event: &Event, findings: &[Finding]) {
        let Some(row) = self.rows.row(event, findings) else {
            return;
        };
        let Ok(Value::Object(mut row)) = serde_json::to_value(row) else {
            return;
        };
        if let Some(bytes) = bytes_of(event) {
            let shown = text::lossless(bytes.get(..SHOWN).unwrap_or(bytes));
            let mut shown = text::visible_lines(&shown);
            if bytes.len() > SHOWN {
                shown.push_str(&format!("\n… and {} bytes more", bytes.len() - SHOWN));
            }
            row.insert("text".to_owned(), Value::from(shown));
        }
        self.feed.push(Value::Object(row).to_string());
    }
}
