//! `parlance lint`: scenario, target and world files, with carets.

use std::path::{Path, PathBuf};

use judge::exit;
use scenario::{Library, Problems, Target};
use serde_json::json;
use xccos::world::World;

use crate::args::{Format, Lint};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;

/// Checks every file; exit code 2 when one has an error, 0 otherwise (warnings are shown).
pub fn lint(args: &Lint, terminal: &Terminal) -> Done {
    let mut found = Problems::default();
    let mut checked = 0;
    for path in &args.files {
        if path.is_dir() {
            match Library::folder(path) {
                Ok(library) => {
                    checked += library.scenarios.len();
                    found.0.extend(library.problems.0);
                }
                Err(problems) => found.0.extend(problems.0),
            }
        } else {
            checked += 1;
            found.0.extend(file(path).0);
        }
    }
    if checked == 0 && found.0.is_empty() {
        return Err(Failure::nothing("there is nothing to check"));
    }
    match args.format {
        Format::Human => {
            if !found.0.is_empty() {
                anstream::eprintln!("{}", found.render(terminal.color));
            }
            if !terminal.is_quiet() {
                anstream::eprintln!(
                    "{}, {}",
                    report::text::count(checked, "file"),
                    report::text::count(found.0.len(), "complaint")
                );
            }
        }
        Format::Json => {
            let items: Vec<_> = found
                .0
                .iter()
                .map(|d| {
                    json!({ "file": d.source.name, "line": d.span.line, "column": d.span.column,
                        "level": if d.fatal { "error" } else { "warning" }, "message": d.message, "help": d.help })
                })
                .collect();
            super::json(&json!({ "files": checked, "problems": items }))?;
        }
    }
    Ok(if found.is_fatal() {
        exit::USAGE
    } else {
        exit::CONFORMANT
    })
}

/// What is wrong with one file, by what its content says it is.
fn file(path: &Path) -> Problems {
    let source = match scenario::library::read(path) {
        Ok(source) => source,
        Err(problems) => return problems,
    };
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    match kind(&source.text) {
        Kind::Target => Target::parse(&source, &folder).err().unwrap_or_default(),
        Kind::World => match World::parse(&source.text) {
            Ok(_) => Problems::default(),
            Err(error) => super::world::problem(&source, &error),
        },
        Kind::Scenario => match Library::file(path) {
            Ok(library) => library.problems,
            Err(problems) => problems,
        },
    }
}

enum Kind {
    Scenario,
    Target,
    World,
}

/// By keys of the outermost level that only one kind of file has.
fn kind(text: &str) -> Kind {
    let has = |key: &str| {
        text.lines().any(|line| {
            line.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(':'))
        })
    };
    if has("steps") || has("title") {
        Kind::Scenario
    } else if has("implements") || has("transport") || has("driver") || has("waivers") {
        Kind::Target
    } else if has("domain") || has("server") || has("users") || has("rooms") {
        Kind::World
    } else {
        Kind::Scenario
    }
}
