/*! From the selection flags to scenarios. */

use std::path::Path;
use std::sync::Arc;

use scenario::{Filter, Library, Problems, Scenario, Selection};

use crate::args::{Select, Shard};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The library the flags mean; files named in the selection are added to it.
pub fn library(select: &Select, terminal: &Terminal) -> Result<Library, Failure> {
    let mut library = match &select.scenarios {
        Some(dir) => Library::folder(dir).map_err(|p| problems(&p, terminal))?,
        None => Library::built_in(),
    };
    for word in &select.select {
        let file = word
            .rsplit_once(':')
            .filter(|(_, line)| line.parse::<u32>().is_ok())
            .map_or(word.as_str(), |(file, _)| file);
        let path = Path::new(file);
        let known = library
            .scenarios
            .iter()
            .any(|s| s.source.name == file || s.source.name.ends_with(&format!("/{file}")));
        if (file.ends_with(".yaml") || file.ends_with(".yml")) && !known && path.is_file() {
            let added = Library::file(path).map_err(|p| problems(&p, terminal))?;
            for scenario in added.scenarios {
                if library.get(&scenario.id).is_none() {
                    library.scenarios.push(scenario);
                }
            }
            library.problems.0.extend(added.problems.0);
        }
    }
    if library.problems.is_fatal() {
        return Err(problems(&library.problems, terminal));
    }
    Ok(library)
}

/// What of a library the flags choose. `seat` is the harness's.
pub fn choose(
    select: &Select,
    library: &Library,
    seat: Option<trace::Seat>,
    only: Option<Vec<String>>,
    terminal: &Terminal,
) -> Result<Vec<Arc<Scenario>>, Failure> {
    selection(select, seat, only, terminal)?
        .choose(&library.scenarios)
        .map_err(|p| problems(&p, terminal))
}

/// Why a selection is empty, as far as it can be told.
pub fn why_empty(
    select: &Select,
    library: &Library,
    seat: trace::Seat,
    terminal: &Terminal,
) -> Result<Vec<String>, Failure> {
    let mut selection = selection(select, None, None, terminal)?;
    let told = selection.dead_ends(&library.scenarios);
    if !told.is_empty() {
        return Ok(told);
    }
    selection.seat = Some(seat.other());
    let others = selection
        .choose(&library.scenarios)
        .map_err(|p| problems(&p, terminal))?;
    let word = |seat| match seat {
        trace::Seat::Client => "client",
        trace::Seat::Server => "server",
    };
    Ok(match others.len() {
        0 => Vec::new(),
        n => vec![format!(
            "{} would be, with the harness in the {} seat: --seat {}, or a target that is a {}",
            report::text::count(n, "scenario"),
            word(seat.other()),
            word(seat.other()),
            word(seat),
        )],
    })
}

fn selection(
    select: &Select,
    seat: Option<trace::Seat>,
    only: Option<Vec<String>>,
    terminal: &Terminal,
) -> Result<Selection, Failure> {
    let mut filter: Option<Filter> = None;
    for text in &select.filter {
        let next = Filter::parse("--filter", text).map_err(|p| problems(&p, terminal))?;
        filter = Some(match filter {
            Some(before) => Filter::And(Box::new(before), Box::new(next)),
            None => next,
        });
    }
    Ok(Selection {
        words: select.select.clone(),
        filter,
        tags: select.tag.clone(),
        skip_tags: select.skip_tag.clone(),
        requirements: select.req.clone(),
        seat,
        only,
    })
}

/// The K-th of N parts: stable, whatever else is selected.
pub fn shard(scenarios: &mut Vec<Arc<Scenario>>, shard: Shard) {
    scenarios.retain(|s| hash(&s.id) % u64::from(shard.count) == u64::from(shard.index - 1));
}

/// FNV-1a: the same on every machine and in every version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Complaints about files or expressions, as they are printed.
pub fn problems(problems: &Problems, terminal: &Terminal) -> Failure {
    Failure::rendered(judge::exit::USAGE, problems.render(terminal.color))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_everything_once() {
        let library = Library::built_in();
        let mut seen = Vec::new();
        for index in 1..=3 {
            let mut part = library.scenarios.clone();
            shard(&mut part, Shard { index, count: 3 });
            seen.extend(part.into_iter().map(|s| s.id.clone()));
        }
        let mut all: Vec<String> = library.scenarios.iter().map(|s| s.id.clone()).collect();
        seen.sort();
        all.sort();
        assert_eq!(seen, all);
    }
}
