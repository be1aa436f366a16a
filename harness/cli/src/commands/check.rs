//! `parlance check`: somebody's payload, log, trace or capture, judged offline.

use std::io::Read as _;
use std::path::Path;

use judge::{Finding, Monitor as _, Verdict, exit};
use report::console::diagnostic::{Context, diagnostic};
use report::console::style::Paint;
use report::run::Attempt;
use serde_json::{Value, json};
use sip::Builder;
use trace::read::{self, Format as Form};
use trace::{Event, Intent, Kind, Seat, Trace};
use xccos::payload::{Class, Envelope};
use xccos::rules::{Monitor, Setup};

use crate::args::{Check, Format};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;

/// What one file gave.
struct Judged {
    name: String,
    form: &'static str,
    seats: Vec<String>,
    remarks: Vec<String>,
    events: Vec<Event>,
    findings: Vec<Finding>,
}

/// Exit code 1 when a MUST is violated (with --strict a SHOULD), 2 when a file cannot be read, 4 when nothing was there.
pub fn check(args: &Check, terminal: &Terminal) -> Done {
    let (mut failed, mut unusable, mut seen) = (false, false, 0);
    let mut documents = Vec::new();
    for path in &args.files {
        match one(path, args.profile.name()) {
            Ok(judged) => {
                seen += messages(&judged.events);
                failed |= judged.findings.iter().any(|f| match f.verdict {
                    Verdict::Fail => true,
                    Verdict::Warn => args.strict,
                    _ => false,
                });
                match args.format {
                    Format::Human => tell(&judged, terminal),
                    Format::Json => documents.push(document(&judged)),
                }
            }
            Err(why) => {
                unusable = true;
                Failure::usage(&why).print();
                documents.push(json!({ "file": path.display().to_string(), "error": why }));
            }
        }
    }
    if args.format == Format::Json {
        super::json(&json!({ "files": documents }))?;
    }
    Ok(match (unusable, failed, seen) {
        (true, ..) => exit::USAGE,
        (_, true, _) => exit::VIOLATION,
        (_, _, 0) => exit::NOTHING_RAN,
        _ => exit::CONFORMANT,
    })
}

fn one(path: &Path, profile: &str) -> Result<Judged, String> {
    let (name, bytes) = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin()
            .lock()
            .take(read::LARGEST as u64 + 1)
            .read_to_end(&mut bytes);
        read.map_err(|e| format!("stdin: {e}"))?;
        ("stdin".to_owned(), bytes)
    } else {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| format!("{name}: {e}"))?;
        (name, bytes)
    };
    if read::detect(&bytes) == Some(Form::Payload) {
        return Ok(payload(name, bytes, profile));
    }
    let reading = read::read_bytes(&name, &bytes).map_err(|e| e.to_string())?;
    let events = reading.trace.events().to_vec();
    let findings = judge(&events, profile, reading.holes);
    Ok(Judged {
        name,
        form: reading.format.words(),
        seats: reading.seats,
        remarks: reading.remarks,
        events,
        findings,
    })
}

fn judge(events: &[Event], profile: &str, holes: bool) -> Vec<Finding> {
    let setup = Setup::offline().in_profile(profile).with_holes(holes);
    let mut monitor = Monitor::new(setup);
    let mut findings = Vec::new();
    for event in events {
        monitor.observe(event, &mut findings);
    }
    let end = events.last().map_or(0, |e| e.at);
    monitor.finish(end, &mut findings);
    findings
}

/// A payload alone: carried by an INFO of ours, about which nothing is said.
fn payload(name: String, bytes: Vec<u8>, profile: &str) -> Judged {
    let from = sender(&bytes);
    let info = Builder::request("INFO", "sip:payload.invalid")
        .header("Via", "SIP/2.0/TLS payload.invalid;branch=z9hG4bKpayload")
        .header("Max-Forwards", "70")
        .header("From", "<sip:sender@payload.invalid>;tag=1")
        .header("To", "<sip:receiver@payload.invalid>;tag=2")
        .header("Call-ID", "payload")
        .header("CSeq", "2 INFO")
        .content("text/plain", bytes)
        .build();
    let mut trace = Trace::default();
    trace.record(
        0,
        0,
        Kind::Opened {
            endpoint: None,
            transport: "log".to_owned(),
            client: "client".to_owned(),
            server: "server".to_owned(),
        },
    );
    trace.record(
        0,
        0,
        Kind::Message {
            from,
            bytes: info,
            intent: Intent::Plain,
        },
    );
    let mut findings = judge(trace.events(), profile, false);
    findings.retain(|f| {
        f.place.path.as_deref().is_some_and(|p| p.starts_with('/')) || f.requirement == "XML"
    });
    let seat = match from {
        Seat::Client => "a client",
        Seat::Server => "a server",
    };
    Judged {
        name,
        form: "an XML payload",
        seats: vec![format!("by its primitives it comes from {seat}")],
        remarks: vec!["a payload alone shows no exchange: only its own form was judged".to_owned()],
        events: trace.events().to_vec(),
        findings,
    }
}

/// Who sends such a payload (2.2.2.2.1): commands and chats without an origin come from clients.
fn sender(bytes: &[u8]) -> Seat {
    let Ok(envelope) = Envelope::parse(bytes) else {
        return Seat::Client;
    };
    let of_server = envelope.primitives().any(|p| match p.class {
        Class::Cmd => false,
        Class::Grpchat => p.originating().is_some(),
        Class::Rpl | Class::Ntc | Class::Err | Class::Sys => true,
    });
    if of_server {
        Seat::Server
    } else {
        Seat::Client
    }
}

fn messages(events: &[Event]) -> usize {
    let is_message = |e: &&Event| matches!(e.kind, Kind::Message { .. } | Kind::Garbage { .. });
    events.iter().filter(is_message).count()
}

fn count(findings: &[Finding], verdict: Verdict) -> usize {
    findings.iter().filter(|f| f.verdict == verdict).count()
}

/// Most findings of one file that are told in full.
const MOST: usize = 100;

fn tell(judged: &Judged, terminal: &Terminal) {
    let catalogue = xccos::catalogue();
    let context = Context {
        catalogue: &catalogue,
        paint: Paint(terminal.color),
        width: terminal.width,
        sources: None,
    };
    if !terminal.is_quiet() {
        anstream::eprintln!(
            "{}: {}, {}",
            judged.name,
            judged.form,
            report::text::count(messages(&judged.events), "message")
        );
        for line in judged.seats.iter().chain(&judged.remarks) {
            anstream::eprintln!("  {line}");
        }
        anstream::eprintln!();
    }
    let attempt = Attempt {
        events: judged.events.clone(),
        ..Attempt::default()
    };
    let shown = |f: &&Finding| match f.verdict {
        Verdict::Fail | Verdict::Warn => true,
        Verdict::Info => terminal.verbosity > report::console::Verbosity::Normal,
        Verdict::Pass => false,
    };
    for finding in judged.findings.iter().filter(shown).take(MOST) {
        anstream::eprintln!("{}", diagnostic(&context, &attempt, finding, &[]));
    }
    let more = judged.findings.iter().filter(shown).count();
    if more > MOST {
        anstream::eprintln!(
            "  and {} more findings; --format json has all of them\n",
            more - MOST
        );
    }
    anstream::eprintln!(
        "{}: {}, {}, {} held",
        judged.name,
        report::text::count(count(&judged.findings, Verdict::Fail), "violation"),
        report::text::count(count(&judged.findings, Verdict::Warn), "warning"),
        report::text::count(count(&judged.findings, Verdict::Pass), "requirement")
    );
}

fn document(judged: &Judged) -> Value {
    json!({
        "file": judged.name, "form": judged.form, "messages": messages(&judged.events),
        "seats": judged.seats, "remarks": judged.remarks, "findings": judged.findings,
    })
}
