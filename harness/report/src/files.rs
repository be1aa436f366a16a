//! The report directory: every file report of a run, by its name.

use std::io;
use std::path::Path;

use judge::Catalogue;

use crate::{Run, html, json, junit, sarif, tap, trace_path};

/// The reports as file name and content; traces are apart, in [`traces`].
pub fn reports(run: &Run, catalogue: &Catalogue) -> Vec<(&'static str, String)> {
    vec![
        ("index.html", html::render(run, catalogue)),
        ("junit.xml", junit::render(run, catalogue)),
        ("results.json", json::render(run)),
        ("results.sarif", sarif::render(run, catalogue)),
        ("results.tap", tap::render(run, catalogue)),
    ]
}

/// The trace of each scenario that has one, as path below the report directory and content.
pub fn traces(run: &Run) -> impl Iterator<Item = (String, String)> + '_ {
    run.scenarios
        .iter()
        .filter(|s| !s.last.events.is_empty())
        .map(|s| {
            (
                trace_path(&s.info.id),
                trace::ndjson::to_string(&s.last.events),
            )
        })
}

/// Writes all of it below `dir`, which is made when it is missing. Each file appears whole or not
/// at all. Errors name the file.
pub fn write(dir: &Path, run: &Run, catalogue: &Catalogue) -> io::Result<()> {
    for (name, content) in reports(run, catalogue) {
        put(&dir.join(name), content.as_bytes())?;
    }
    for (name, content) in traces(run) {
        put(&dir.join(name), content.as_bytes())?;
    }
    Ok(())
}

/// Writes one file by way of a neighbour, so that a reader never sees half of it.
pub fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(named)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, content).map_err(named)?;
    std::fs::rename(&beside, path).map_err(named)
}
