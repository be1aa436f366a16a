//! `parlance fmt`: YAML files in one layout.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use judge::exit;
use scenario::format::{Refusal, format};
use scenario::{Problems, Source};
use similar::TextDiff;

use crate::args::Fmt;
use crate::failure::{Done, Failure};
use crate::pick;
use crate::terminal::Terminal;

/// Exit code 2 when a file cannot be laid out, 1 when --check finds one that is not, 0 otherwise.
pub fn fmt(args: &Fmt, terminal: &Terminal) -> Done {
    let mut files = Vec::new();
    for path in &args.files {
        files_of(path, &mut files)?;
    }
    if files.is_empty() {
        return Err(Failure::nothing("there is no .yaml file"));
    }
    let (mut changed, mut failed) = (0, false);
    for path in &files {
        match one(path, args.check, terminal) {
            Ok(change) => changed += usize::from(change),
            Err(failure) => {
                failure.print();
                failed = true;
            }
        }
    }
    if !terminal.is_quiet() {
        let verb = if args.check {
            "not laid out"
        } else {
            "changed"
        };
        anstream::eprintln!(
            "{}, {changed} {verb}",
            report::text::count(files.len(), "file")
        );
    }
    Ok(match (failed, changed > 0 && args.check) {
        (true, _) => exit::USAGE,
        (_, true) => exit::VIOLATION,
        _ => exit::CONFORMANT,
    })
}

/// Whether the file changes (or would).
fn one(path: &Path, check: bool, terminal: &Terminal) -> Result<bool, Failure> {
    let stdin = path.as_os_str() == "-";
    let source = if stdin {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .take(scenario::lang::yaml::MAX_BYTES as u64 + 1)
            .read_to_string(&mut text)
            .map_err(|e| Failure::usage(format!("stdin: {e}")))?;
        Source::new("stdin", text)
    } else {
        scenario::library::read(path).map_err(|p| pick::problems(&p, terminal))?
    };
    let text = format(&source).map_err(|refusal| match refusal {
        Refusal::Broken(problem) => pick::problems(&Problems(vec![*problem]), terminal),
        Refusal::Risky => Failure::usage(format!("{}: {refusal}", source.name)),
    })?;
    let change = text != source.text;
    if check && change {
        let diff = TextDiff::from_lines(&source.text, &text);
        let (was, is) = (source.name.as_str(), "laid out");
        super::print(&diff.unified_diff().header(was, is).to_string())?;
    } else if stdin && !check {
        super::print(&text)?;
    } else if change {
        report::files::put(path, text.as_bytes()).map_err(Failure::environment)?;
    }
    Ok(change)
}

fn files_of(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let named = |e: std::io::Error| Failure::usage(format!("{}: {e}", path.display()));
    let mut below = std::fs::read_dir(path)
        .map_err(named)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(named)?;
    below.sort();
    for path in below {
        let is_yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
        if path.is_dir() || is_yaml {
            files_of(&path, files)?;
        }
    }
    Ok(())
}
