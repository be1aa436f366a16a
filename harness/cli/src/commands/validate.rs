//! `parlance validate`: any XSD against any XML.

use std::fmt::Write as _;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anstyle::AnsiColor;
use judge::exit;
use serde_json::{Value, json};
use xsd::doc::{self, Limits};
use xsd::{Files, Schema, Source, Violation};

use crate::args::{Format, Validate};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;

/// Longest document taken.
const MOST: u64 = 64 << 20;

/// What a schema makes of a document.
type Check = Arc<dyn Fn(&roxmltree::Document<'_>) -> Vec<Violation>>;

/// Exit code 0 when all are valid, 1 when one is not, 2 when the schema or a document cannot be used.
pub fn validate(args: &Validate, terminal: &Terminal) -> Done {
    let check = check(args, terminal)?;
    if args.files.is_empty() {
        // A schema alone is worth checking too.
        if args.schema.is_empty() {
            return Err(Failure::usage("no document is given"));
        }
        if !terminal.is_quiet() {
            anstream::eprintln!("the schema can be used; no document is given");
        }
        return Ok(exit::CONFORMANT);
    }
    let (mut invalid, mut unusable) = (0, 0);
    let mut reports = Vec::new();
    for path in &args.files {
        let name = path.display().to_string();
        let judged = read(path).and_then(|bytes| {
            let text = doc::parse(&bytes, &Limits::default()).map_err(|e| {
                let at = e.offset..e.offset;
                let block = caret(&bytes, &at, terminal);
                format!("{}:{}: {}\n{block}", e.line, e.column, e.message)
            })?;
            let document = text.document().map_err(|e| e.to_string())?;
            Ok((check(&document), text.as_str().to_owned()))
        });
        match judged {
            Ok((violations, text)) => {
                if args.format == Format::Json {
                    reports.push(json!({ "file": name, "valid": violations.is_empty(), "violations": violations }));
                } else {
                    tell(&name, &violations, &text, terminal);
                }
                invalid += usize::from(!violations.is_empty());
            }
            Err(why) => {
                unusable += 1;
                let why = why.trim_end();
                if args.format == Format::Json {
                    reports.push(json!({ "file": name, "valid": Value::Null, "error": why }));
                } else {
                    anstream::eprintln!("{name}: cannot be used: {why}");
                }
            }
        }
    }
    if args.format == Format::Json {
        super::json(&json!({ "documents": reports }))?;
    }
    Ok(match (unusable, invalid) {
        (0, 0) => exit::CONFORMANT,
        (0, _) => exit::VIOLATION,
        _ => exit::USAGE,
    })
}

fn check(args: &Validate, terminal: &Terminal) -> Result<Check, Failure> {
    if args.schema.is_empty() {
        let profile = match args.profile {
            crate::args::Profile::Interop => xccos::schema::Profile::Interop,
            crate::args::Profile::Published => xccos::schema::Profile::Published,
        };
        return Ok(Arc::new(move |d| {
            xccos::schema::schema(profile).validate(d)
        }));
    }
    let mut sources = Vec::new();
    for path in &args.schema {
        let name = path.display().to_string();
        let bytes = read(path).map_err(|e| Failure::usage(format!("{name}: {e}")))?;
        let text = doc::decode(&bytes, &Limits::default())
            .map_err(|e| Failure::usage(format!("{name}:{e}")))?;
        sources.push(Source::new(name, text));
    }
    let texts = sources.clone();
    let schema = Schema::compile_with(sources, &Files::default()).map_err(|errors| {
        let mut out = String::new();
        let style = AnsiColor::Red.on_default().bold();
        for error in &errors {
            let _ = writeln!(
                out,
                "{style}error[{}]{style:#}: {}:{}:{}: {}",
                error.code, error.uri, error.line, error.column, error.message
            );
            if let Some(source) = texts.iter().find(|s| s.uri == error.uri) {
                out.push_str(&caret(source.text.as_bytes(), &error.span, terminal));
            }
        }
        let _ = write!(
            out,
            "the schema cannot be used: {}",
            report::text::count(errors.len(), "error")
        );
        Failure::rendered(exit::USAGE, out)
    })?;
    for warning in schema.warnings() {
        super::warn(&format!(
            "{}:{}: {}",
            warning.uri, warning.line, warning.message
        ));
    }
    Ok(Arc::new(move |d| schema.validate(d)))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(MOST + 1)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|f| f.take(MOST + 1).read_to_end(&mut bytes))
    }
    .map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MOST {
        return Err(format!("it is longer than {} MiB", MOST >> 20));
    }
    Ok(bytes)
}

fn tell(name: &str, violations: &[Violation], text: &str, terminal: &Terminal) {
    if violations.is_empty() {
        if !terminal.is_quiet() {
            anstream::eprintln!("{name}: valid");
        }
        return;
    }
    let style = AnsiColor::Red.on_default().bold();
    for v in violations {
        anstream::eprintln!(
            "{name}:{}:{}: {style}{}{style:#}: {}",
            v.line,
            v.column,
            v.code,
            v.message
        );
        anstream::eprint!("{}", caret(text.as_bytes(), &v.span, terminal));
        anstream::eprintln!("   = at {}", v.path);
        if !v.expected.is_empty() {
            let expected: Vec<&str> = v.expected.iter().take(12).map(String::as_str).collect();
            let more = v.expected.len().saturating_sub(expected.len());
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            anstream::eprintln!("   = expected {}{more}", expected.join(", "));
        }
        if let Some(place) = &v.schema {
            anstream::eprintln!("   = by {place}");
        }
        if let Some(hint) = &v.hint {
            anstream::eprintln!("   = {hint}");
        }
    }
    anstream::eprintln!(
        "{name}: invalid, {}",
        report::text::count(violations.len(), "violation")
    );
}

/// The line of a place with a caret below.
pub fn caret(bytes: &[u8], range: &Range<usize>, terminal: &Terminal) -> String {
    let found = report::evidence::excerpt(bytes, range);
    let number = found.line.to_string();
    let blank = " ".repeat(number.len());
    let (source, caret) = found.caret(terminal.width.saturating_sub(number.len() + 5));
    let blue = AnsiColor::Blue.on_default().bold();
    let red = AnsiColor::Red.on_default().bold();
    format!("{blue}{number} |{blue:#} {source}\n{blank} {blue}|{blue:#} {red}{caret}{red:#}\n")
}
