//! A SIP head in one form: names in full, lines sorted, what differs from run to run named.

use sip::{Message, name};

use super::names::{Names, Redactions};

/// Headers that say nothing of the protocol, or that follow from the rest.
const DROPPED: &[&str] = &["Content-Length", "Max-Forwards", "Date", "Timestamp"];

/// Headers whose value is a product's name.
const AGENTS: &[&str] = &["User-Agent", "Server"];

/// Parameters that name a moment, a place or a device, with the kind of their name.
const PARAMETERS: &[(&str, &str)] = &[
    ("tag", "tag"),
    ("branch", "branch"),
    ("epid", "epid"),
    ("received", "addr"),
    ("rport", "port"),
    ("ms-received-port", "port"),
    ("ms-received-cid", "cid"),
    ("+sip.instance", "instance"),
    ("expires", "expires"),
];

/// Start line and headers, one a line; `Content-Type` comes last because it introduces the body.
pub fn head(message: &Message, names: &mut Names, redactions: &Redactions) -> Vec<String> {
    let mut lines = Vec::new();
    // Names are given in the order of what matters most to a reader, then in the order of the lines.
    let mut headers: Vec<(String, String)> = Vec::new();
    for header in message.headers() {
        let long = match name::expand(header.name_bytes()) {
            Some(long) => long.to_owned(),
            None => capitals(&header.name()),
        };
        if DROPPED.iter().any(|d| long.eq_ignore_ascii_case(d)) {
            continue;
        }
        headers.push((long, header.value().into_owned()));
    }
    headers.sort_by(|a, b| rank(&a.0).cmp(&rank(&b.0)).then_with(|| a.0.cmp(&b.0)));
    let start = message.start_line();
    lines.push(names.value(&squeeze(&start), redactions));
    for (name, value) in headers {
        let value = canonical_value(&name, &value, names, redactions);
        lines.push(if value.is_empty() {
            format!("{name}:")
        } else {
            format!("{name}: {value}")
        });
    }
    lines
}

fn rank(name: &str) -> usize {
    const ORDER: &[&str] = &["Via", "From", "To", "Call-ID", "CSeq", "Contact"];
    match name {
        "Content-Type" => usize::MAX,
        name => ORDER.iter().position(|n| *n == name).unwrap_or(ORDER.len()),
    }
}

fn canonical_value(name: &str, value: &str, names: &mut Names, redactions: &Redactions) -> String {
    if AGENTS.contains(&name) {
        return "[agent]".to_owned();
    }
    match name {
        "Call-ID" => names.name("call-id", value.trim()),
        "CSeq" => match value.trim().split_once(char::is_whitespace) {
            // Which number a request gets depends on what the other side happened to send before.
            Some((_, method)) => format!("[cseq] {}", method.trim()),
            None => value.trim().to_owned(),
        },
        "Via" => via(value, names, redactions),
        _ => {
            let parts = split(value);
            let mut shown: Vec<String> = Vec::new();
            if let Some(first) = parts.first() {
                shown.push(names.value(&squeeze(first), redactions));
            }
            let mut parameters: Vec<String> = parts
                .iter()
                .skip(1)
                .map(|p| parameter(p, names, redactions))
                .collect();
            parameters.sort();
            shown.extend(parameters);
            shown.join(";")
        }
    }
}

/// `SIP/2.0/TLS host:port;branch=…`: who sent it from where is the machine's business.
fn via(value: &str, names: &mut Names, redactions: &Redactions) -> String {
    let parts = split(value);
    let protocol = parts
        .first()
        .and_then(|p| p.split_whitespace().next())
        .unwrap_or("")
        .to_owned();
    let mut parameters: Vec<String> = parts
        .iter()
        .skip(1)
        .map(|p| match p.split_once('=') {
            // A branch is fresh each time, so its number would say nothing.
            Some((key, _)) if key.trim().eq_ignore_ascii_case("branch") => {
                "branch=[branch]".to_owned()
            }
            _ => parameter(p, names, redactions),
        })
        .collect();
    parameters.sort();
    let mut out = format!("{protocol} [sent-by]");
    for p in parameters {
        out.push(';');
        out.push_str(&p);
    }
    out
}

fn parameter(text: &str, names: &mut Names, redactions: &Redactions) -> String {
    let text = text.trim();
    match text.split_once('=') {
        None => text.to_ascii_lowercase(),
        Some((key, value)) => {
            let key = key.trim().to_ascii_lowercase();
            let value = value.trim();
            match PARAMETERS.iter().find(|(name, _)| *name == key) {
                Some((_, kind)) => format!("{key}={}", names.name(kind, value)),
                None => format!("{key}={}", names.value(value, redactions)),
            }
        }
    }
}

/// Splits at semicolons outside quotes and angle brackets.
fn split(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut angle, mut escaped) = (false, false, false);
    for c in value.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if !angle => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            ';' if !quoted && !angle => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

/// Runs of blanks as one.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `call-id` as headers are usually written: `Call-ID`.
fn capitals(name: &str) -> String {
    const KNOWN: &[&str] = &[
        "Call-ID",
        "CSeq",
        "WWW-Authenticate",
        "MIME-Version",
        "RAck",
        "RSeq",
    ];
    if let Some(known) = KNOWN.iter().find(|k| k.eq_ignore_ascii_case(name)) {
        return (*known).to_owned();
    }
    let mut out = String::new();
    let mut start = true;
    for c in name.chars() {
        out.push(if start {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        });
        start = c == '-';
    }
    out
}
