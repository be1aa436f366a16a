//! `make kill-matrix`: plays the suites against every defect; writes `reports/kill-matrix.{html,json}`.
//!
//! An argument is a text that defect ids have to hold: then each of these is told, and nothing is written.
//! `--level FILE` holds what has to be reached per seat, in percent. Exit code 1 when less is reached, when the
//! whole is below 97 %, or when a defect that is not found under its requirement has no written reason.

use std::path::Path;
use std::process::ExitCode;

use scenario::Library;
use scenario::kill::{Fate, Matrix, Sample, matrix};
use trace::Seat;

/// What the whole has to reach whatever was recorded.
const GOAL: f64 = 97.0;

fn main() -> ExitCode {
    let mut containing = None;
    let mut level = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--level" => level = args.next(),
            _ => containing = Some(arg),
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let library = match Library::folder(&root.join("scenarios")) {
        Ok(library) => library,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(2);
        }
    };
    let part = containing.is_some();
    let sample = Sample {
        containing,
        ..Sample::default()
    };
    let matrix = matrix(&library, &sample);
    tell(&matrix, part);
    if part {
        return ExitCode::SUCCESS;
    }
    if let Err(error) = matrix.write(&root.join("reports")) {
        eprintln!("cannot write the matrix: {error}");
        return ExitCode::from(3);
    }
    let mut good = true;
    for row in matrix.unexplained() {
        eprintln!(
            "{} is not found under {} and has no reason in survivors.yaml",
            row.defect, row.requirement
        );
        good = false;
    }
    let mut wanted = vec![(None, GOAL)];
    if let Some(level) = level {
        match std::fs::read_to_string(&level).map(|text| levels(&text)) {
            Ok(Some(levels)) => wanted.extend(levels),
            Ok(None) => {
                eprintln!(
                    "{level}: lines of `server`, `client` or `all`, a tab, and a percentage are wanted"
                );
                return ExitCode::from(2);
            }
            Err(error) => {
                eprintln!("{level}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    for (seat, least) in wanted {
        let reached = matrix.percent_of(seat);
        if reached < least {
            let which = match seat {
                Some(Seat::Server) => "server",
                Some(Seat::Client) => "client",
                None => "all",
            };
            eprintln!(
                "{which}: {reached:.2} % found under the right requirement, {least} % are wanted"
            );
            good = false;
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints what was not found rightly, or everything, and the sums.
fn tell(matrix: &Matrix, everything: bool) {
    for row in &matrix.rows {
        if !everything && row.fate == Fate::KilledRight {
            continue;
        }
        let what = match (&row.reason, row.fate) {
            (Some(reason), _) => reason.clone(),
            (None, Fate::KilledOther) => format!("named {}", row.others.join(", ")),
            (None, Fate::KilledRight) => format!(
                "{}: {}",
                row.scenario.as_deref().unwrap_or_default(),
                row.message.as_deref().unwrap_or_default()
            ),
            (None, Fate::Survived) => row.title.clone(),
        };
        let fate = format!("{:?}", row.fate);
        println!("{fate:12} {} ({}): {what}", row.defect, row.requirement);
    }
    for (name, seat) in [
        ("server", Some(Seat::Server)),
        ("client", Some(Seat::Client)),
        ("all", None),
    ] {
        let count = |fate| matrix.count_of(seat, fate);
        println!(
            "{name:6} {} defects: {} right ({:.2} %), {} under another requirement, {} survived",
            count(None),
            count(Some(Fate::KilledRight)),
            matrix.percent_of(seat),
            count(Some(Fate::KilledOther)),
            count(Some(Fate::Survived)),
        );
    }
    println!("{} ms", matrix.duration_ms);
}

/// The lines of a level file; none when one of them is no such line.
fn levels(text: &str) -> Option<Vec<(Option<Seat>, f64)>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.split_once('\t')?;
            let seat = match name {
                "server" => Some(Seat::Server),
                "client" => Some(Seat::Client),
                "all" => None,
                _ => return None,
            };
            Some((seat, value.trim().parse().ok()?))
        })
        .collect()
}
