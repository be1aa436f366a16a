//! Many files against one schema, for a command line: read, validate in parallel, report.
//!
//! Takes paths and a few switches ([`Job`]); gives a [`Report`] with an exit class, a JSON form and lines for people.
//! It reads files and starts threads; it prints nothing.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::doc::{self, Limits, XmlError, XmlErrorKind};
use crate::encoding::readable;
use crate::schema::{Schema, location_hints};
use crate::source::{Fetch, Files, Source, resolve};
use crate::validate::Options;
use crate::violation::{SchemaError, Violation};

/// What to validate, and how.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Schema files. May be empty when hints are followed.
    pub schemas: Vec<PathBuf>,
    /// Documents; directories stand for the `.xml` files in and below them.
    pub files: Vec<PathBuf>,
    /// Documents that are already in memory, such as standard input: a name and the bytes.
    pub inputs: Vec<(String, Vec<u8>)>,
    /// Also load what `xsi:schemaLocation` and `xsi:noNamespaceSchemaLocation` in each document point to.
    pub follow_hints: bool,
    /// Threads; 0 means one for each processor.
    pub threads: usize,
    /// Most violations for each document; 0 means 100.
    pub most: usize,
}

/// How one document came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It fits the schema.
    Valid,
    /// It does not, or is not well-formed XML.
    Invalid,
    /// It could not be looked at: the file or its schema cannot be read.
    Unusable,
}

/// What was found in one document.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// The path, or the name given for an input.
    pub file: String,
    /// The outcome.
    pub status: Status,
    /// Why the document cannot be parsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xml: Option<XmlError>,
    /// Why it is unusable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What does not fit.
    pub violations: Vec<Violation>,
    /// For each violation (or for the XML error), the line of the document it stands in.
    #[serde(skip)]
    pub excerpts: Vec<String>,
}

/// The outcome of a [`Job`].
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Why the schema cannot be used; nothing was validated then.
    pub schema_errors: Vec<SchemaError>,
    /// What was noticed about the schema.
    pub schema_warnings: Vec<SchemaError>,
    /// The documents, in the order they were named.
    pub files: Vec<FileReport>,
}

impl Report {
    /// 0 when every document is valid, 1 when one is invalid, 2 when a schema or a file is not usable or there was
    /// no document.
    pub fn exit_code(&self) -> u8 {
        let any = |status| self.files.iter().any(|file| file.status == status);
        if !self.schema_errors.is_empty() || self.files.is_empty() || any(Status::Unusable) {
            2
        } else {
            u8::from(any(Status::Invalid))
        }
    }

    /// The report as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// The report for people: nothing about valid documents, a caret under everything else, and a last line.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for error in &self.schema_errors {
            let _ = writeln!(out, "error: {error}");
        }
        for warning in &self.schema_warnings {
            let _ = writeln!(out, "warning: {warning}");
        }
        for file in &self.files {
            file.write_text(&mut out);
        }
        if self.schema_errors.is_empty() {
            let count = |status| {
                self.files
                    .iter()
                    .filter(|file| file.status == status)
                    .count()
            };
            let _ = write!(
                out,
                "{} valid, {} invalid",
                count(Status::Valid),
                count(Status::Invalid)
            );
            match count(Status::Unusable) {
                0 => out.push('\n'),
                unusable => {
                    let _ = writeln!(out, ", {unusable} not usable");
                }
            }
        }
        out
    }
}

impl FileReport {
    fn write_text(&self, out: &mut String) {
        let file = &self.file;
        if let Some(problem) = &self.problem {
            let _ = writeln!(out, "error: {file}: {problem}");
        }
        let mut excerpts = self.excerpts.iter();
        let mut caret = |out: &mut String, line: u32, column: u32| {
            if let Some(excerpt) = excerpts.next() {
                let _ = write!(out, "{}", excerpt_text(excerpt, line, column));
            }
        };
        if let Some(error) = &self.xml {
            let _ = writeln!(out, "{file}:{error} [xml]");
            caret(out, error.line, error.column);
        }
        for each in &self.violations {
            let _ = writeln!(
                out,
                "{file}:{}:{}: {} [{}]",
                each.line, each.column, each.message, each.code
            );
            caret(out, each.line, each.column);
            let _ = writeln!(out, "  at {}", each.path);
            if let Some(place) = &each.schema {
                let _ = writeln!(out, "  by {place}");
            }
            if let Some(hint) = &each.hint {
                let _ = writeln!(out, "  hint: {hint}");
            }
        }
    }
}

/// A line of a document with a caret under a column; long lines are cut around it.
fn excerpt_text(line_text: &str, line: u32, column: u32) -> String {
    const BEFORE: usize = 60;
    const WIDTH: usize = 110;
    let column = column.max(1) as usize - 1;
    let start = column.saturating_sub(BEFORE);
    let shown: String = line_text
        .chars()
        .skip(start)
        .take(WIDTH)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let margin = line.to_string();
    format!(
        "  {margin} | {shown}\n  {} | {}^\n",
        " ".repeat(margin.len()),
        " ".repeat(column - start)
    )
}

/// Does a whole job.
pub fn run(job: &Job) -> Report {
    let mut report = Report::default();
    let engine = match Engine::new(&job.schemas, job.follow_hints, job.most) {
        Ok(engine) => engine,
        Err(errors) => {
            report.schema_errors = errors;
            return report;
        }
    };
    report.schema_warnings = engine.warnings();
    let files = expand(&job.files);
    let total = job.inputs.len() + files.len();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if job.threads == 0 {
        processors
    } else {
        job.threads
    };
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, FileReport)>> = Mutex::new(Vec::with_capacity(total));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, total.max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let result = match job.inputs.get(index) {
                        Some((name, bytes)) => engine.check(name, bytes),
                        None => match files.get(index - job.inputs.len()) {
                            Some(path) => engine.check_file(path),
                            None => break,
                        },
                    };
                    if let Ok(mut done) = done.lock() {
                        done.push((index, result));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    report.files = done.into_iter().map(|(_, file)| file).collect();
    report
}

/// Directories to the `.xml` files below them; everything else stays.
fn expand(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for path in paths {
        if !path.is_dir() {
            out.push(path.clone());
            continue;
        }
        let mut todo = vec![path.clone()];
        let mut found = Vec::new();
        while let Some(directory) = todo.pop() {
            let Ok(entries) = std::fs::read_dir(&directory) else {
                continue;
            };
            for entry in entries.flatten() {
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                let path = entry.path();
                if kind.is_dir() {
                    todo.push(path);
                } else if path.extension().is_some_and(|extension| extension == "xml") {
                    found.push(path);
                }
            }
        }
        found.sort();
        out.extend(found);
    }
    out
}

/// A schema from files, ready to check documents from several threads.
pub struct Engine {
    sources: Vec<Source>,
    schema: Option<Schema>,
    follow_hints: bool,
    options: Options,
    /// Schemas made for documents with hints, by the documents the hints added.
    hinted: Mutex<HashMap<Vec<String>, Hinted>>,
}

type Hinted = Result<Arc<Schema>, String>;

impl Engine {
    /// Reads and compiles schema files.
    ///
    /// # Errors
    /// Why they are not a schema.
    pub fn new(
        schemas: &[PathBuf],
        follow_hints: bool,
        most: usize,
    ) -> Result<Engine, Vec<SchemaError>> {
        let mut sources = Vec::new();
        for path in schemas {
            sources.push(read(path).map_err(|error| vec![error])?);
        }
        let schema = if sources.is_empty() {
            None
        } else {
            Some(Schema::compile_with(sources.clone(), &Files::default())?)
        };
        Ok(Engine {
            sources,
            schema,
            follow_hints,
            options: Options::capped(if most == 0 {
                Options::default().most
            } else {
                most
            }),
            hinted: Mutex::new(HashMap::new()),
        })
    }

    /// What was noticed about the schema.
    pub fn warnings(&self) -> Vec<SchemaError> {
        self.schema
            .as_ref()
            .map_or_else(Vec::new, |schema| schema.warnings().to_vec())
    }

    /// Checks one file.
    pub fn check_file(&self, path: &Path) -> FileReport {
        let name = path.to_string_lossy();
        match std::fs::read(path) {
            Ok(bytes) => self.check(&name, &bytes),
            Err(error) => FileReport::unusable(&name, error.to_string()),
        }
    }

    /// Checks one document; `name` is where relative hints start from.
    pub fn check(&self, name: &str, bytes: &[u8]) -> FileReport {
        let limits = Limits::default();
        let bytes = &*readable(bytes);
        let parsed = doc::decode(bytes, &limits)
            .and_then(|text| doc::tree(text, &limits).map(|tree| (text, tree)));
        let (text, document) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                let text = String::from_utf8_lossy(bytes);
                return FileReport {
                    file: name.to_owned(),
                    status: match error.kind {
                        XmlErrorKind::NotWellFormed => Status::Invalid,
                        // Nothing was found out about the document.
                        _ => Status::Unusable,
                    },
                    excerpts: vec![line_of(&text, error.line)],
                    xml: Some(error),
                    problem: None,
                    violations: Vec::new(),
                };
            }
        };
        let hinted = match self.hinted_schema(name, &document) {
            Ok(hinted) => hinted,
            Err(problem) => return FileReport::unusable(name, problem),
        };
        let Some(schema) = hinted.as_deref().or(self.schema.as_ref()) else {
            return FileReport::unusable(
                name,
                "there is no schema, and the document points to none".to_owned(),
            );
        };
        let violations = schema.validate_with(&document, &self.options);
        FileReport {
            file: name.to_owned(),
            status: if violations.is_empty() {
                Status::Valid
            } else {
                Status::Invalid
            },
            xml: None,
            problem: None,
            excerpts: violations
                .iter()
                .map(|each| line_of(text, each.line))
                .collect(),
            violations,
        }
    }

    /// The schema with the documents that hints add, `None` when they add nothing.
    fn hinted_schema(
        &self,
        name: &str,
        document: &roxmltree::Document<'_>,
    ) -> Result<Option<Arc<Schema>>, String> {
        if !self.follow_hints {
            return Ok(None);
        }
        let mut added: Vec<String> = Vec::new();
        for (namespace, location) in location_hints(document) {
            let uri = resolve(name, location);
            // Documents for a namespace that is there already would define things twice.
            let known = self
                .schema
                .as_ref()
                .is_some_and(|schema| schema.covers(namespace));
            if !known && !added.contains(&uri) {
                added.push(uri);
            }
        }
        let mut extra = Vec::new();
        for uri in &added {
            if let Some(bytes) = Files::default().fetch(uri)? {
                let bytes = readable(&bytes);
                let text = doc::decode(&bytes, &Limits::default())
                    .map_err(|error| format!("{uri}:{error}"))?;
                extra.push(Source::new(uri.clone(), text));
            }
        }
        if extra.is_empty() {
            return Ok(None);
        }
        let mut hinted = self
            .hinted
            .lock()
            .map_err(|_| "a thread failed".to_owned())?;
        let key = extra.iter().map(|source| source.uri.clone()).collect();
        let entry = hinted.entry(key).or_insert_with(|| {
            let sources = self.sources.iter().cloned().chain(extra).collect();
            Schema::compile_with(sources, &Files::default())
                .map(Arc::new)
                .map_err(|errors| errors.first().map_or_else(String::new, ToString::to_string))
        });
        entry.clone().map(Some)
    }
}

impl FileReport {
    fn unusable(name: &str, problem: String) -> FileReport {
        FileReport {
            file: name.to_owned(),
            status: Status::Unusable,
            xml: None,
            problem: Some(problem),
            violations: Vec::new(),
            excerpts: Vec::new(),
        }
    }
}

/// Reads one schema file.
fn read(path: &Path) -> Result<Source, SchemaError> {
    let uri = path.to_string_lossy().into_owned();
    let fail = |line, column, message| SchemaError {
        code: "xml",
        uri: uri.clone(),
        span: 0..0,
        line,
        column,
        message,
    };
    let bytes = std::fs::read(path).map_err(|error| fail(1, 1, error.to_string()))?;
    let bytes = readable(&bytes);
    let text = doc::decode(&bytes, &Limits::default())
        .map_err(|error| fail(error.line, error.column, error.message))?;
    Ok(Source::new(uri.clone(), text))
}

fn line_of(text: &str, line: u32) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n')
        .nth(line.max(1) as usize - 1)
        .unwrap_or("")
        .to_owned()
}
