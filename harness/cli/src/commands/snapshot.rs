//! `parlance snapshot`, and what a run does with accepted exchanges.

use std::path::Path;
use std::sync::Arc;

use judge::{SnapshotState, exit};
use report::Run;
use scenario::engine::Compare;
use scenario::plan::Target;
use scenario::{Library, Scenario};
use trace::canon::{Redactions, exchange};
use trace::snapshot::{Compared, Policy, Store};
use trace::{Event, Kind, Seat};

use crate::args::{Select, Snapshot, SnapshotDo};
use crate::failure::{Done, Failure};
use crate::pick;
use crate::terminal::{self, Terminal};

/// Compares each exchange with the accepted one; none when the target has no accepted exchanges and none are wanted.
pub fn compare(dir: &Path, target: &str, seat: Seat, update: bool) -> Option<Compare> {
    let store = Store::new(dir, target);
    if !update && store.scenarios().map_or(true, |s| s.is_empty()) {
        return None;
    }
    let policy = match (terminal::set("CI"), update) {
        (true, _) => Policy::Frozen,
        (false, true) => Policy::Update,
        (false, false) => Policy::Pending,
    };
    if update && policy == Policy::Frozen {
        super::warn("--update-snapshots does nothing while CI is set");
    }
    Some(Arc::new(move |scenario, events| {
        let blocks = exchange(
            &before_farewell(events, seat == Seat::Server),
            &Redactions::default(),
        );
        let id = name(scenario, seat);
        match store.compare(&id, &blocks, policy) {
            Ok(Compared::Match) => (SnapshotState::Match, None),
            Ok(Compared::New) => (SnapshotState::New, None),
            Ok(Compared::Changed { .. }) if policy == Policy::Update => {
                (SnapshotState::Match, None)
            }
            Ok(Compared::Changed { diff }) => (SnapshotState::Changed, Some(diff)),
            Err(error) => {
                super::warn(&format!(
                    "the snapshot of {} is not usable: {error}",
                    scenario.id
                ));
                (SnapshotState::None, None)
            }
        }
    }))
}

/// What an exchange is filed under: the scenario, and the harness's seat when it can take both. The n-th of several
/// plays is held against the same exchange.
fn name(scenario: &Scenario, seat: Seat) -> String {
    let id = scenario.id.split('#').next().unwrap_or(&scenario.id);
    match (scenario.target, seat) {
        (Target::Both, Seat::Client) => format!("{id}.client"),
        (Target::Both, Seat::Server) => format!("{id}.server"),
        _ => id.to_owned(),
    }
}

/// The names of all exchanges that these scenarios can have.
fn names<'a>(scenarios: impl Iterator<Item = &'a Arc<Scenario>>) -> Vec<String> {
    let both = |s: &'a Arc<Scenario>| [name(s, Seat::Client), name(s, Seat::Server)];
    scenarios.flat_map(both).collect()
}

/// The exchange without its farewell: when a scenario is over, the harness hangs up everywhere at once, and what each
/// side tells of that is chance. What the server had sent before it heard of the end still counts. A client under test
/// hangs up when it likes.
fn before_farewell(events: &[Event], client_decides: bool) -> Vec<Event> {
    let request = |event: &Event| match &event.kind {
        Kind::Message { from, bytes, .. } if !bytes.starts_with(b"SIP/2.0 ") => {
            Some((*from, bytes.starts_with(b"BYE ")))
        }
        _ => None,
    };
    let last = events
        .iter()
        .rposition(|e| request(e) == Some((Seat::Client, false)))
        .unwrap_or(0);
    let bye = events
        .iter()
        .skip(last)
        .position(|e| request(e) == Some((Seat::Client, true)));
    let end = bye.map_or(events.len(), |n| last + n);
    let (before, after) = events.split_at(end);
    let late = after
        .iter()
        .filter(|e| request(e) == Some((Seat::Server, false)) && !tells_of_leaving(e));
    before
        .iter()
        .filter(|e| !client_decides || !is_bye(e))
        .chain(late)
        .cloned()
        .collect()
}

/// Whether a message is a BYE or an answer to one.
fn is_bye(event: &Event) -> bool {
    match &event.kind {
        Kind::Message { bytes, .. } => sip::Message::parse(bytes.as_slice())
            .ok()
            .and_then(|m| m.cseq().ok())
            .is_some_and(|cseq| cseq.method == "BYE"),
        _ => false,
    }
}

/// Whether a message is a notice that somebody went.
fn tells_of_leaving(event: &Event) -> bool {
    let Kind::Message { bytes, .. } = &event.kind else {
        return false;
    };
    [&b"ntc:quit"[..], b"ntc:part"]
        .iter()
        .any(|what| bytes.windows(what.len()).any(|w| w == *what))
}

/// Shows or accepts what the last run left pending.
pub fn snapshot(args: &Snapshot, terminal: &Terminal) -> Done {
    let (select, report, accept) = match &args.what {
        SnapshotDo::Diff { select, report } => (select, report, false),
        SnapshotDo::Accept { select, report } => (select, report, true),
        SnapshotDo::Orphans {
            target,
            scenarios,
            remove,
        } => {
            let select = Select {
                scenarios: scenarios.clone(),
                ..Select::default()
            };
            let store = Store::new(&args.snapshots, target);
            return orphans(
                &store,
                &pick::library(&select, terminal)?,
                *remove,
                terminal,
            );
        }
    };
    let store = Store::new(&args.snapshots, &target(report)?);
    let failed = |e: std::io::Error| Failure::environment(e);
    let pending = chosen(store.pending().map_err(failed)?, select, terminal)?;
    for id in &pending {
        if accept {
            store.accept(id).map_err(failed)?;
            anstream::eprintln!("accepted {id}");
        } else {
            let diff = store.pending_diff(id).map_err(failed)?.unwrap_or_default();
            super::print(&format!("{id}\n{diff}\n"))?;
        }
    }
    if !terminal.is_quiet() {
        anstream::eprintln!("{} pending", report::text::count(pending.len(), "exchange"));
    }
    Ok(match (accept, pending.is_empty()) {
        (false, false) => exit::VIOLATION,
        _ => exit::CONFORMANT,
    })
}

/// Accepted exchanges without a scenario: shown, or removed.
fn orphans(store: &Store, library: &Library, remove: bool, terminal: &Terminal) -> Done {
    let known = names(library.scenarios.iter());
    let known = known.iter().map(String::as_str);
    let orphans = store.orphans(known).map_err(Failure::environment)?;
    for path in &orphans {
        super::print(&format!("{}\n", path.display()))?;
        if remove {
            std::fs::remove_file(path)
                .map_err(|e| Failure::environment(format!("{}: {e}", path.display())))?;
        }
    }
    if !terminal.is_quiet() {
        let count = report::text::count(orphans.len(), "accepted exchange");
        let verb = if remove {
            "removed"
        } else {
            "without a scenario"
        };
        anstream::eprintln!("{count} {verb}");
    }
    Ok(match orphans.is_empty() || remove {
        true => exit::CONFORMANT,
        false => exit::VIOLATION,
    })
}

/// The name of the target of the last run.
fn target(report: &Path) -> Result<String, Failure> {
    let run = Run::fold(&super::report::stream(report)?);
    Ok(run
        .info
        .map_or_else(|| "self".to_owned(), |info| info.target))
}

/// Pending exchanges of chosen scenarios; one of a scenario that is no more is chosen by its id alone.
fn chosen(
    pending: Vec<String>,
    select: &Select,
    terminal: &Terminal,
) -> Result<Vec<String>, Failure> {
    if select.select.is_empty() && select.filter.is_empty() && select.tag.is_empty() {
        return Ok(pending);
    }
    let library = pick::library(select, terminal)?;
    let chosen = pick::choose(select, &library, None, None, terminal)?;
    let ids = names(chosen.iter());
    Ok(pending.into_iter().filter(|id| ids.contains(id)).collect())
}
