//! `parlance validate`: any XSD against any XML.

use std::io::Read as _;

use judge::exit;
use xsd::doc::{self, Limits};
use xsd::tool::{self, FileReport, Job, Report, Status};

use crate::args::{Format, Profile, Validate};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;

/// Longest document taken from stdin.
const MOST: u64 = 64 << 20;

/// Exit code 0 when all are valid, 1 when one is not, 2 when the schema or a document cannot be used.
pub fn validate(args: &Validate, terminal: &Terminal) -> Done {
    let mut job = Job {
        schemas: args.schema.clone(),
        follow_hints: args.hints,
        ..Job::default()
    };
    for path in &args.files {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .take(MOST)
                .read_to_end(&mut bytes)
                .map_err(|e| Failure::usage(format!("stdin: {e}")))?;
            job.inputs.push(("stdin".to_owned(), bytes));
        } else {
            job.files.push(path.clone());
        }
    }
    if job.files.is_empty() && job.inputs.is_empty() && job.schemas.is_empty() {
        return Err(Failure::usage("no document is given"));
    }
    let report = if job.schemas.is_empty() && !job.follow_hints {
        payloads(&job, args.profile)?
    } else {
        tool::run(&job)
    };
    match args.format {
        Format::Json => super::print(&format!("{}\n", report.to_json()))?,
        Format::Human => {
            let text = report.to_text();
            if !terminal.is_quiet() || report.exit_code() != exit::CONFORMANT {
                anstream::eprint!("{text}");
            }
        }
    }
    // Only the schema was to be checked, and it can be used.
    if report.files.is_empty() && report.schema_errors.is_empty() && args.files.is_empty() {
        return Ok(exit::CONFORMANT);
    }
    Ok(report.exit_code())
}

/// Against the XCCOS schema of a profile, which is part of the program.
fn payloads(job: &Job, profile: Profile) -> Result<Report, Failure> {
    let profile = xccos::schema::Profile::named(profile.name())
        .ok_or_else(|| Failure::bug("a schema profile is missing"))?;
    let mut documents = job.inputs.clone();
    for path in &job.files {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| Failure::usage(format!("{name}: {e}")))?;
        documents.push((name, bytes));
    }
    let files = documents
        .into_iter()
        .map(|(file, bytes)| one(file, &bytes, profile))
        .collect();
    Ok(Report {
        files,
        ..Report::default()
    })
}

fn one(file: String, bytes: &[u8], profile: xccos::schema::Profile) -> FileReport {
    let line = |n: u32| {
        let text = String::from_utf8_lossy(bytes);
        text.lines()
            .nth(n.saturating_sub(1) as usize)
            .unwrap_or_default()
            .to_owned()
    };
    let mut report = FileReport {
        file,
        status: Status::Invalid,
        xml: None,
        problem: None,
        violations: Vec::new(),
        excerpts: Vec::new(),
    };
    let read = doc::parse(bytes, &Limits::default()).and_then(|text| text.document().map(|_| ()));
    if let Err(error) = read {
        report.excerpts = vec![line(error.line)];
        report.xml = Some(error);
        return report;
    }
    report.violations = xccos::schema::validate(profile, bytes);
    report.excerpts = report.violations.iter().map(|v| line(v.line)).collect();
    if report.violations.is_empty() {
        report.status = Status::Valid;
    }
    report
}
