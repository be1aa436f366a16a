/*! Reports: folds over the one event stream of a run.

Takes [`judge::RunEvent`]s and the catalogue of requirements; gives text.
Nothing here knows how a run happens, and nothing here decides a verdict. Two
reports are written while the run lasts and implement [`Fold`]: [`console`] and
[`ndjson`]. All others are pure functions of the folded [`Run`], so that
rendering again from a stored stream gives the same files.

| module | gives |
|--|--|
| [`ndjson`] | `events.ndjson`, the stream itself |
| [`console`] | what a person reads while and after it runs |
| [`junit`] | `junit.xml` for CI servers |
| [`json`] | `results.json` for scripts |
| [`html`] | `index.html`, one self-contained page |
| [`sarif`] | `results.sarif` for code-scanning viewers |
| [`tap`] | `results.tap` |
| [`github`] | annotations and step summary of GitHub Actions |
| [`files`] | all of the above as a directory |
| [`merge`] | the streams of shards as one stream |
*/

pub mod console;
pub mod evidence;
pub mod files;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod label;
pub mod merge;
pub mod ndjson;
pub mod run;
pub mod sarif;
pub mod tap;
pub mod text;
pub mod xml;

use std::io;

use judge::RunEvent;

pub use run::Run;

/// A report that is written while the run lasts.
pub trait Fold {
    /// Takes the next event. Errors are those of the sink.
    fn take(&mut self, event: &RunEvent) -> io::Result<()>;

    /// The stream ended, with or without [`RunEvent::RunFinished`].
    fn finish(&mut self) -> io::Result<()>;
}

/// Where a scenario's trace is stored below the report directory: `traces/server/join/x.ndjson`.
///
/// Ids come from files that anybody may have written, so whatever could leave the directory is
/// replaced.
pub fn trace_path(scenario: &str) -> String {
    format!("traces/{}.ndjson", trace::snapshot::safe_path(scenario))
}
