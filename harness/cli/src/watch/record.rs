use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use judge::Finding;
use peer::recorder::Observer;
use trace::Event;

/// Writes the trace as NDJSON, event by event.
pub struct Record {
    out: BufWriter<File>,
    failed: bool,
}

impl Record {
    /// Into a fresh file.
    pub fn create(path: &Path) -> std::io::Result<Record> {
        Ok(Record {
            out: BufWriter::new(File::create(path)?),
            failed: false,
        })
    }
}

impl Observer for Record {
    fn event(&mut self, event: &Event, _: &[Finding]) {
        let write = |out: &mut BufWriter<File>| -> std::io::Result<()> {
            serde_json::to_writer(&mut *out, event)?;
            out.write_all(b"\n")?;
            // A recording is wanted most when the process dies.
            out.flush()
        };
        if !self.failed
            && let Err(error) = write(&mut self.out)
        {
            self.failed = true;
            crate::commands::warn(&format!("the recording ends here: {error}"));
        }
    }
}
