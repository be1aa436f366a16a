/*! Where a run's reports go: the report directory and the files asked for besides.

Takes the event stream, writes `events.ndjson` as it happens, shows the console
report, and at the end renders everything else from the folded run.
*/

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use judge::{Catalogue, RunEvent};
use report::console::Console;
use report::{Fold, Run, ndjson};

/// A file that could not be written.
#[derive(Debug)]
pub struct WriteError {
    path: PathBuf,
    error: io::Error,
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be written: {}", self.path.display(), self.error)
    }
}

/// Additional files by format.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    pub junit: Option<PathBuf>,
    pub json: Option<PathBuf>,
    pub html: Option<PathBuf>,
}

/// See the module.
pub struct Outputs {
    dir: PathBuf,
    console: Console<io::Stderr>,
    stream: ndjson::Writer<BufWriter<File>>,
    /// The first write that failed; the run goes on, the user is told once.
    failed: Option<WriteError>,
}

impl Outputs {
    /// Makes the directory and opens the stream; what an earlier run left there goes.
    pub fn open(dir: &Path, console: Console<io::Stderr>) -> Result<Outputs, WriteError> {
        let events = dir.join("events.ndjson");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| WriteError { path, error }
        };
        fs::create_dir_all(dir).map_err(failed(dir))?;
        // Only a directory that is ours is cleared.
        if events.exists() {
            let traces = dir.join("traces");
            if traces.is_dir() {
                fs::remove_dir_all(&traces).map_err(failed(&traces))?;
            }
        }
        let file = File::create(&events).map_err(failed(&events))?;
        Ok(Outputs {
            dir: dir.to_owned(),
            console,
            stream: ndjson::Writer::new(BufWriter::new(file)),
            failed: None,
        })
    }

    /// The next event.
    pub fn take(&mut self, event: &RunEvent) {
        if let Err(error) = self.stream.take(event) {
            let path = self.dir.join("events.ndjson");
            self.failed.get_or_insert(WriteError { path, error });
        }
        // A terminal that went away stops nothing.
        let _ = self.console.take(event);
    }

    /// Ends the stream and writes every report; gives what was written, in the order a reader wants it.
    pub fn finish(mut self, catalogue: &Catalogue, extra: &Extra) -> Result<Vec<PathBuf>, WriteError> {
        if let Err(error) = self.stream.finish() {
            let path = self.dir.join("events.ndjson");
            self.failed.get_or_insert(WriteError { path, error });
        }
        let _ = self.console.finish();
        let written = render(self.console.run(), catalogue, &self.dir, extra)?;
        match self.failed {
            Some(failed) => Err(failed),
            None => Ok(written),
        }
    }
}

/// Writes every report of a run into a directory, and the further files.
pub fn render(
    run: &Run,
    catalogue: &Catalogue,
    dir: &Path,
    extra: &Extra,
) -> Result<Vec<PathBuf>, WriteError> {
    let mut written = Vec::new();
    type Render<'a> = &'a dyn Fn() -> String;
    let html: Render<'_> = &|| report::html::render(run, catalogue);
    let junit: Render<'_> = &|| report::junit::render(run, catalogue);
    let json: Render<'_> = &|| report::json::render(run);
    for (name, render, also) in [
        ("index.html", html, &extra.html),
        ("junit.xml", junit, &extra.junit),
        ("results.json", json, &extra.json),
    ] {
        let text = render();
        for path in [Some(dir.join(name)), also.clone()].into_iter().flatten() {
            put(&path, text.as_bytes())?;
            written.push(path);
        }
    }
    for scenario in &run.scenarios {
        let path = dir.join(report::trace_path(&scenario.info.id));
        let mut lines = Vec::new();
        for event in &scenario.last.events {
            serde_json::to_writer(&mut lines, event).map_err(|e| WriteError {
                path: path.clone(),
                error: e.into(),
            })?;
            lines.push(b'\n');
        }
        put(&path, &lines)?;
    }
    Ok(written)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let write = || {
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        file.write_all(bytes)
    };
    write().map_err(|error| WriteError {
        path: path.to_owned(),
        error,
    })
}
