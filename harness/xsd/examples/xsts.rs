//! Runs a part of the W3C XML Schema Test Suite given as a `tests.tsv`.
//!
//! `xsts DIR [--level FILE] [--record] [--all]`: prints agreement by set, schema tests and instance tests apart, and
//! each disagreement with its reason. With `--level` it fails when a figure falls below the recorded one; `--record`
//! writes the figures down. A row without an instance is a schema test. An instance test whose schema or document
//! this engine refuses as unsupported (or too large) counts as refused, not as a disagreement. Schema location hints
//! in instances are followed, as the suite expects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use xsd::SchemaError;
use xsd::doc::XmlErrorKind;
use xsd::tool::Engine;

/// One row of `tests.tsv`.
struct Row {
    set: String,
    group: String,
    schemas: String,
    schema_valid: bool,
    instance: Option<(String, bool)>,
}

/// What this engine says, and why.
enum Answer {
    Valid,
    Invalid(String),
    Refused(String),
}

/// Figures of one set or of all.
#[derive(Default, Clone, Copy)]
struct Tally {
    valid_schemas: usize,
    valid_agreed: usize,
    invalid_schemas: usize,
    invalid_agreed: usize,
    instances: usize,
    refused: usize,
    agreed: usize,
}

fn main() -> ExitCode {
    let mut directory = None;
    let mut level = None;
    let (mut record, mut quiet) = (false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--level" => level = arguments.next().map(PathBuf::from),
            "--record" => record = true,
            "--quiet" => quiet = true,
            _ => directory = Some(PathBuf::from(argument)),
        }
    }
    let Some(directory) = directory else {
        eprintln!("usage: xsts DIR [--level FILE [--record]] [--quiet]");
        return ExitCode::from(2);
    };
    let Ok(table) = std::fs::read_to_string(directory.join("tests.tsv")) else {
        println!("skipped: {} has no tests.tsv", directory.display());
        return ExitCode::SUCCESS;
    };
    let rows = table_rows(&table);
    let (tallies, complaints) = run(&directory, &rows);
    if !quiet {
        for complaint in &complaints {
            println!("{complaint}");
        }
    }
    let total = print(&tallies);
    match level {
        Some(path) if record => write_level(&path, &total),
        Some(path) => check_level(&path, &total),
        None => ExitCode::SUCCESS,
    }
}

/// Reads the table. Columns are found by the names in its first line, in the usual order when there are none; a row
/// whose expected verdict is neither `valid` nor `invalid` tests nothing and is left out.
fn table_rows(text: &str) -> Vec<Row> {
    const USUAL: [&str; 6] = [
        "set",
        "group",
        "schemas",
        "schema_expected",
        "instance",
        "instance_expected",
    ];
    let cells = |line: &str| -> Vec<String> {
        line.split('\t')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().map(cells).unwrap_or_default();
    let named = first.iter().any(|cell| cell == "schemas");
    let columns = USUAL.map(|name| {
        let usual = USUAL.iter().position(|other| *other == name);
        if named {
            first.iter().position(|cell| cell == name)
        } else {
            usual
        }
    });
    text.lines()
        .skip(usize::from(named))
        .filter(|line| !line.trim().is_empty())
        .filter_map(|line| row(&cells(line), &columns))
        .collect()
}

fn row(cells: &[String], columns: &[Option<usize>; 6]) -> Option<Row> {
    let cell = |which: usize| {
        let found = columns[which].and_then(|column| cells.get(column));
        found.cloned().unwrap_or_default()
    };
    let verdict = |text: String| match text.to_ascii_lowercase().as_str() {
        "valid" => Some(true),
        "invalid" => Some(false),
        _ => None,
    };
    let file = cell(4);
    let (schema_valid, instance) = if file.is_empty() {
        (verdict(cell(3))?, None)
    } else {
        (
            verdict(cell(3)).unwrap_or(true),
            Some((file, verdict(cell(5))?)),
        )
    };
    Some(Row {
        set: cell(0),
        group: cell(1),
        schemas: cell(2),
        schema_valid,
        instance,
    })
}

/// Rows with the same schemas are worked on together, so that each schema is compiled once.
fn run(directory: &Path, rows: &[Row]) -> (BTreeMap<String, Tally>, Vec<String>) {
    let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(&row.schemas).or_default().push(row);
    }
    let groups: Vec<_> = groups.into_iter().collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new((BTreeMap::new(), Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((schemas, rows)) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let compiled = compile(directory, schemas);
                    for row in rows {
                        judge(directory, row, &compiled, &results);
                    }
                }
            });
        }
    });
    let (tallies, mut complaints) = results.into_inner().unwrap_or_default();
    complaints.sort();
    (tallies, complaints)
}

type Compiled = Result<Engine, Vec<SchemaError>>;
type Results = Mutex<(BTreeMap<String, Tally>, Vec<String>)>;

fn judge(directory: &Path, row: &Row, compiled: &Compiled, results: &Results) {
    let answer = match &row.instance {
        None => match compiled {
            Ok(_) => Answer::Valid,
            Err(errors) => schema_answer(errors),
        },
        Some((file, _)) => match compiled {
            Ok(schema) => validate(schema, &directory.join(file)),
            Err(errors) => match schema_answer(errors) {
                Answer::Invalid(why) => Answer::Refused(format!("schema: {why}")),
                other => other,
            },
        },
    };
    let Ok(mut results) = results.lock() else {
        return;
    };
    let (tallies, complaints) = &mut *results;
    let tally = tallies.entry(row.set.clone()).or_default();
    let expected = row
        .instance
        .as_ref()
        .map_or(row.schema_valid, |instance| instance.1);
    let agrees = match (&answer, expected) {
        (Answer::Valid, expected) => expected,
        (Answer::Invalid(_), expected) => !expected,
        (Answer::Refused(_), _) => false,
    };
    match (&row.instance, expected) {
        (None, true) => {
            tally.valid_schemas += 1;
            tally.valid_agreed += usize::from(agrees);
        }
        (None, false) => {
            tally.invalid_schemas += 1;
            // A schema that is refused with an error is not accepted by mistake.
            tally.invalid_agreed += usize::from(agrees || matches!(answer, Answer::Refused(_)));
        }
        (Some(_), _) => {
            tally.instances += 1;
            tally.agreed += usize::from(agrees);
            tally.refused += usize::from(matches!(answer, Answer::Refused(_)));
        }
    }
    if agrees || (row.instance.is_none() && !expected && matches!(answer, Answer::Refused(_))) {
        return;
    }
    let (kind, file) = match &row.instance {
        None => ("schema", row.schemas.as_str()),
        Some((file, _)) => ("instance", file.as_str()),
    };
    let expected = if expected { "valid" } else { "invalid" };
    let why = match answer {
        Answer::Valid => "said valid".to_owned(),
        Answer::Invalid(why) => format!("said invalid: {why}"),
        Answer::Refused(why) => format!("refused: {why}"),
    };
    complaints.push(format!(
        "{kind}\t{}\t{}\t{file}\texpected {expected}\t{why}",
        row.set, row.group
    ));
}

fn schema_answer(errors: &[SchemaError]) -> Answer {
    let why = errors.first().map(ToString::to_string).unwrap_or_default();
    if errors
        .iter()
        .any(|error| matches!(error.code, "unsupported" | "limit"))
    {
        Answer::Refused(why)
    } else {
        Answer::Invalid(why)
    }
}

fn compile(directory: &Path, schemas: &str) -> Compiled {
    let paths: Vec<PathBuf> = schemas
        .split_ascii_whitespace()
        .map(|name| directory.join(name))
        .collect();
    Engine::new(&paths, true, 1)
}

fn validate(engine: &Engine, path: &Path) -> Answer {
    let report = engine.check_file(path);
    match (report.problem, report.xml, report.violations.first()) {
        (Some(problem), _, _) => Answer::Refused(problem),
        (None, Some(error), _) if error.kind == XmlErrorKind::NotWellFormed => {
            Answer::Invalid(error.to_string())
        }
        (None, Some(error), _) => Answer::Refused(error.to_string()),
        (None, None, Some(violation)) => Answer::Invalid(violation.to_string()),
        (None, None, None) => Answer::Valid,
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        100.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.valid_schemas += other.valid_schemas;
        self.valid_agreed += other.valid_agreed;
        self.invalid_schemas += other.invalid_schemas;
        self.invalid_agreed += other.invalid_agreed;
        self.instances += other.instances;
        self.refused += other.refused;
        self.agreed += other.agreed;
    }

    fn figures(&self) -> [(&'static str, f64); 4] {
        [
            (
                "valid schemas accepted",
                percent(self.valid_agreed, self.valid_schemas),
            ),
            (
                "invalid schemas caught",
                percent(self.invalid_agreed, self.invalid_schemas),
            ),
            (
                "instances not refused",
                percent(self.instances - self.refused, self.instances),
            ),
            (
                "instances agreed",
                percent(self.agreed, self.instances - self.refused),
            ),
        ]
    }
}

fn print(tallies: &BTreeMap<String, Tally>) -> Tally {
    println!(
        "{:40} {:>16} {:>16} {:>9} {:>18}",
        "set", "valid schemas", "invalid schemas", "refused", "instances agreed"
    );
    let mut total = Tally::default();
    let line = |name: &str, tally: &Tally| {
        println!(
            "{name:40} {:>8}/{:<7} {:>8}/{:<7} {:>9} {:>9}/{:<8} {:.2} %",
            tally.valid_agreed,
            tally.valid_schemas,
            tally.invalid_agreed,
            tally.invalid_schemas,
            tally.refused,
            tally.agreed,
            tally.instances - tally.refused,
            percent(tally.agreed, tally.instances - tally.refused),
        );
    };
    for (name, tally) in tallies {
        line(name, tally);
        total.add(tally);
    }
    line("all", &total);
    for (name, figure) in total.figures() {
        println!("{name}: {figure:.2} %");
    }
    total
}

fn write_level(path: &Path, total: &Tally) -> ExitCode {
    let mut text =
        String::from("# Lowest agreement with ../shared/xsts that .ci/run accepts, in percent.\n");
    for (name, figure) in total.figures() {
        // Rounded down, so that a repetition of the same run passes.
        text.push_str(&format!(
            "{name}\t{:.2}\n",
            (figure * 100.0).floor() / 100.0
        ));
    }
    match std::fs::write(path, text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::from(2)
        }
    }
}

fn check_level(path: &Path, total: &Tally) -> ExitCode {
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("{} cannot be read", path.display());
        return ExitCode::from(2);
    };
    let mut code = ExitCode::SUCCESS;
    for (name, figure) in total.figures() {
        let wanted = text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .find(|(known, _)| *known == name)
            .and_then(|(_, figure)| figure.parse::<f64>().ok());
        match wanted {
            Some(wanted) if figure + 0.005 < wanted => {
                eprintln!("{name}: {figure:.2} % is below the recorded {wanted:.2} %");
                code = ExitCode::FAILURE;
            }
            Some(_) => {}
            None => {
                eprintln!("{}: no figure for \"{name}\"", path.display());
                code = ExitCode::from(2);
            }
        }
    }
    code
}
