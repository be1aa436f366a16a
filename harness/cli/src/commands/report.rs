//! `parlance report`: shards joined, reports rendered again.

use std::path::Path;

use judge::{RunEvent, exit};
use report::{Run, merge, ndjson};

use crate::args::{Report, ReportDo};
use crate::failure::{Done, Failure};
use crate::outputs::{Extra, render};

/// Exit code of the run that is rendered or joined.
pub fn report(args: &Report) -> Done {
    let catalogue = xccos::catalogue();
    match &args.what {
        ReportDo::Render { dirs } => {
            let mut code = exit::CONFORMANT;
            for dir in dirs {
                let run = Run::fold(&stream(dir)?);
                let written = render(&run, &catalogue, dir, &Extra::default())
                    .map_err(Failure::environment)?;
                for path in written {
                    anstream::eprintln!("reports      {}", path.display());
                }
                code = code.max(exit_code(&run));
            }
            Ok(code)
        }
        ReportDo::Merge { dirs, report } => {
            let streams = dirs
                .iter()
                .map(|d| stream(d))
                .collect::<Result<Vec<_>, _>>()?;
            let joined =
                merge::join(&streams).map_err(|e| Failure::usage(named(&e.to_string(), dirs)))?;
            let run = Run::fold(&joined);
            let path = report.join("events.ndjson");
            ::report::files::put(&path, ndjson::to_string(&joined).as_bytes())
                .map_err(|e| Failure::environment(format!("{}: {e}", path.display())))?;
            let written = render(&run, &catalogue, report, &Extra::default())
                .map_err(Failure::environment)?;
            for path in written {
                anstream::eprintln!("reports      {}", path.display());
            }
            Ok(exit_code(&run))
        }
    }
}

/// A stream that stops before its end is that of an interrupted run.
fn exit_code(run: &Run) -> u8 {
    run.end
        .as_ref()
        .map_or(exit::INTERRUPTED, |end| end.exit_code)
}

pub fn stream(dir: &Path) -> Result<Vec<RunEvent>, Failure> {
    let path = if dir.is_file() {
        dir.to_owned()
    } else {
        dir.join("events.ndjson")
    };
    let bytes =
        std::fs::read(&path).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
    ndjson::read(&bytes).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))
}

/// `stream 2` means nothing to somebody who named directories.
fn named(message: &str, dirs: &[std::path::PathBuf]) -> String {
    let mut text = message.to_owned();
    for (i, dir) in dirs.iter().enumerate().rev() {
        text = text.replace(
            &format!("stream {} ", i + 1),
            &format!("{} ", dir.display()),
        );
    }
    text
}
