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
        write!(
            f,
            "{} cannot be written: {}",
            self.path.display(),
            self.error
        )
    }
}

/// Additional files by format.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    pub junit: Option<PathBuf>,
    pub json: Option<PathBuf>,
    pub html: Option<PathBuf>,
    pub sarif: Option<PathBuf>,
    pub tap: Option<PathBuf>,
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
    pub fn finish(
        mut self,
        catalogue: &Catalogue,
        extra: &Extra,
    ) -> Result<Vec<PathBuf>, WriteError> {
        if let Err(error) = self.stream.finish() {
            let path = self.dir.join("events.ndjson");
            self.failed.get_or_insert(WriteError { path, error });
        }
        let _ = self.console.finish();
        if crate::terminal::set("GITHUB_ACTIONS") {
            // The runner reads commands from both outputs; this one carries no machine output.
            eprint!("{}", report::github::annotations(self.console.run()));
        }
        let written = render(self.console.run(), catalogue, &self.dir, extra)?;
        match self.failed {
            Some(failed) => Err(failed),
            None => Ok(written),
        }
    }
}

/// Writes every report of a run into a directory, the further files, and the step summary of GitHub Actions.
/// Gives what a reader will look for.
pub fn render(
    run: &Run,
    catalogue: &Catalogue,
    dir: &Path,
    extra: &Extra,
) -> Result<Vec<PathBuf>, WriteError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| WriteError { path, error }
    };
    report::files::write(dir, run, catalogue).map_err(failed(dir))?;
    let mut written: Vec<PathBuf> = ["index.html", "junit.xml", "results.json"]
        .iter()
        .map(|name| dir.join(name))
        .collect();
    for (name, path) in [
        ("index.html", &extra.html),
        ("junit.xml", &extra.junit),
        ("results.json", &extra.json),
        ("results.sarif", &extra.sarif),
        ("results.tap", &extra.tap),
    ] {
        if let Some(path) = path {
            let text = fs::read(dir.join(name)).map_err(failed(&dir.join(name)))?;
            report::files::put(path, &text).map_err(failed(path))?;
            written.push(path.clone());
        }
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from) {
        let text = report::github::summary(run, catalogue);
        File::options()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(failed(&path))?;
    }
    Ok(written)
}
