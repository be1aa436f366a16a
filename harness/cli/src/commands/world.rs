//! World files.

use std::path::Path;

use scenario::{Diagnostic, Problems, Source, Span};
use xccos::world::{World, WorldError};

use crate::failure::Failure;
use crate::pick;
use crate::terminal::Terminal;

/// Reads a world file.
pub fn read(path: &Path, terminal: &Terminal) -> Result<World, Failure> {
    let source = scenario::library::read(path).map_err(|p| pick::problems(&p, terminal))?;
    World::parse(&source.text).map_err(|e| pick::problems(&problem(&source, &e), terminal))
}

/// A complaint about a world file, in the form all files have.
pub fn problem(source: &std::sync::Arc<Source>, error: &WorldError) -> Problems {
    let text = &source.text;
    let line_start = text
        .split_inclusive('\n')
        .take(error.line.saturating_sub(1) as usize)
        .map(str::len)
        .sum::<usize>();
    let rest = text.get(line_start..).unwrap_or_default();
    let offset = |column: u32| {
        rest.char_indices()
            .nth(column.saturating_sub(1) as usize)
            .map_or(rest.len(), |(i, _)| i)
    };
    let start = line_start + offset(error.column);
    let end = line_start + offset(error.column + error.width);
    let diagnostic = Diagnostic::error(source, Span::of(text, start, end), error.message.clone());
    Problems::from(match &error.hint {
        Some(hint) => diagnostic.help(hint.clone()),
        None => diagnostic,
    })
}
