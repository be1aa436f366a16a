//! `make kill-matrix`: plays the suites against every defect; writes `reports/kill-matrix.{html,json}`.
//!
//! Arguments: an optional text that defect ids have to hold. Exit code 1 when a survivor has no written reason
//! or less than 97 % are found under the right requirement.

use std::path::Path;
use std::process::ExitCode;

use scenario::Library;
use scenario::kill::{Fate, Sample, matrix};

fn main() -> ExitCode {
    let containing = std::env::args().nth(1);
    let part = containing.is_some();
    let sample = Sample {
        containing,
        ..Sample::default()
    };
    let matrix = matrix(&Library::built_in(), &sample);
    for row in matrix
        .rows
        .iter()
        .filter(|r| part || r.fate != Fate::KilledRight)
    {
        println!(
            "{:12} {} ({}): {}",
            format!("{:?}", row.fate),
            row.defect,
            row.requirement,
            match (&row.reason, row.fate) {
                (Some(reason), _) => reason.clone(),
                (None, Fate::KilledOther) => format!("named {}", row.others.join(", ")),
                (None, Fate::KilledRight) => row.message.clone().unwrap_or_default(),
                (None, Fate::Survived) => row.title.clone(),
            }
        );
    }
    println!(
        "{} defects: {} right ({:.1} %), {} under another requirement, {} survived; {} ms",
        matrix.rows.len(),
        matrix.count(Fate::KilledRight),
        matrix.percent(),
        matrix.count(Fate::KilledOther),
        matrix.count(Fate::Survived),
        matrix.duration_ms
    );
    if !part {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports");
        if let Err(error) = matrix.write(&folder) {
            eprintln!("cannot write the matrix: {error}");
            return ExitCode::from(3);
        }
    }
    let explained = matrix
        .rows
        .iter()
        .all(|r| r.fate != Fate::Survived || r.reason.is_some());
    if explained && matrix.percent() >= 97.0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
