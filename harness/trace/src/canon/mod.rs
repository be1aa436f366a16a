/*! The canonical form of an exchange: what a snapshot stores.

Takes the events of one scenario; gives text in which two runs that did the same
are equal. Messages are grouped by endpoint: each of its requests followed by
the responses and by what the server sent about it, then what nobody asked for,
kind by kind, because when that comes is nobody's promise. Header names and
their order, XML habits and white space do not show; values that differ from
run to run get names (`[envid:1]`, `[call-id:1]`, `[tag:2]`, `[ts]`) under
which equal values stay equal. Keep-alives, retransmissions, provisional `100`s
and the bare `200`s to INFO are left out. Nothing here judges.
*/

pub mod names;
mod order;
mod sip;
pub mod xml;

use std::collections::HashMap;

use ::sip::Message;

use crate::{Conn, Event, Kind, Seat};
use names::Names;
pub use names::Redactions;

/// One message in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Who sent what: `alice → server INFO cmd:join`.
    pub title: String,
    /// The canonical head and body, one line each.
    pub lines: Vec<String>,
}

/// The canonical form of an exchange, in the order a reader follows: endpoint by endpoint.
pub fn exchange(events: &[Event], redactions: &Redactions) -> Vec<Block> {
    let mut endpoints: Vec<Endpoint<'_>> = Vec::new();
    let mut of_conn: HashMap<Conn, usize> = HashMap::new();
    for event in events {
        match &event.kind {
            Kind::Opened { endpoint, .. } => {
                let name = endpoint
                    .clone()
                    .unwrap_or_else(|| format!("client {}", endpoints.len() + 1));
                let at = match endpoints.iter().position(|e| e.name == name) {
                    Some(at) => at,
                    None => {
                        endpoints.push(Endpoint::new(name));
                        endpoints.len() - 1
                    }
                };
                of_conn.insert(event.conn, at);
            }
            Kind::Message { from, bytes, .. } => {
                let at = *of_conn.entry(event.conn).or_insert_with(|| {
                    endpoints.push(Endpoint::new(format!("client {}", event.conn + 1)));
                    endpoints.len() - 1
                });
                if let Some(endpoint) = endpoints.get_mut(at) {
                    endpoint.take(*from, bytes);
                }
            }
            _ => {}
        }
    }
    endpoints.sort_by(|a, b| a.name.cmp(&b.name));
    let mut names = Names::default();
    let mut blocks = Vec::new();
    for endpoint in &endpoints {
        for exchange in order::read(&endpoint.exchanges) {
            for (from, message) in exchange {
                blocks.push(block(
                    &endpoint.name,
                    *from,
                    message,
                    &mut names,
                    redactions,
                ));
            }
        }
    }
    blocks
}

/// The blocks as the text of a snapshot: a title line each, contents indented.
pub fn to_text(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        out.push_str("== ");
        out.push_str(&block.title);
        out.push('\n');
        for line in &block.lines {
            if !line.is_empty() {
                out.push_str("  ");
                out.push_str(line);
            }
            out.push('\n');
        }
        out.push('\n');
    }
    out
}

/// Reads the text of a snapshot back; lines before the first title are left out.
pub fn from_text(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            blocks.push(Block {
                title: title.to_owned(),
                lines: Vec::new(),
            });
        } else if let Some(block) = blocks.last_mut() {
            block
                .lines
                .push(line.strip_prefix("  ").unwrap_or(line).to_owned());
        }
    }
    for block in &mut blocks {
        while block.lines.last().is_some_and(String::is_empty) {
            block.lines.pop();
        }
    }
    blocks
}

struct Endpoint<'a> {
    name: String,
    /// A request and its responses each.
    exchanges: Vec<Vec<(Seat, Message)>>,
    /// Messages seen, for retransmissions: exact bytes by direction.
    seen: HashMap<(bool, &'a [u8]), ()>,
}

impl<'a> Endpoint<'a> {
    fn new(name: String) -> Endpoint<'a> {
        Endpoint {
            name,
            exchanges: Vec::new(),
            seen: HashMap::new(),
        }
    }

    fn take(&mut self, from: Seat, bytes: &'a [u8]) {
        let Ok(message) = Message::parse(bytes) else {
            return;
        };
        if self
            .seen
            .insert((from == Seat::Client, bytes), ())
            .is_some()
            || message.status() == Some(100)
            || is_bare(&message)
        {
            return;
        }
        if message.status().is_some() {
            let key = transaction(&message);
            let asked = self
                .exchanges
                .iter_mut()
                .rev()
                .find(|e| matches!(e.first(), Some((asker, request)) if *asker != from && request.is_request() && transaction(request) == key));
            if let Some(exchange) = asked {
                exchange.push((from, message));
                return;
            }
        }
        self.exchanges.push(vec![(from, message)]);
    }
}

/// Whether this is how every INFO is answered. Its coming late or early says nothing; any other answer stays.
fn is_bare(message: &Message) -> bool {
    message.status() == Some(200)
        && message.body().is_empty()
        && message
            .value("CSeq")
            .is_some_and(|v| v.split_whitespace().nth(1) == Some("INFO"))
}

/// Call-ID and CSeq: what a response has in common with its request.
fn transaction(message: &Message) -> (String, String) {
    let value = |name| {
        message.value(name).map_or(String::new(), |v| {
            v.split_whitespace().collect::<Vec<_>>().join(" ")
        })
    };
    (value("Call-ID"), value("CSeq"))
}

fn block(
    endpoint: &str,
    from: Seat,
    message: &Message,
    names: &mut Names,
    redactions: &Redactions,
) -> Block {
    let (sender, receiver) = match from {
        Seat::Client => (endpoint, "server"),
        Seat::Server => ("server", endpoint),
    };
    let what = match (message.method(), message.status()) {
        (Some(method), _) => method.to_owned(),
        (None, status) => format!(
            "{} ({})",
            status.unwrap_or(0),
            message
                .value("CSeq")
                .and_then(|v| v.split_whitespace().nth(1).map(str::to_owned))
                .unwrap_or_default()
        ),
    };
    let mut title = format!("{sender} → {receiver} {what}");
    let mut lines = sip::head(message, names, redactions);
    let body = body(message, names, redactions);
    if !body.is_empty() {
        if let Some(primitives) = primitives(message) {
            title.push(' ');
            title.push_str(&primitives);
        }
        lines.push(String::new());
        lines.extend(body);
    }
    while lines.last().is_some_and(|l| l.trim().is_empty()) {
        lines.pop();
    }
    Block {
        title: one_line(&title),
        lines: lines.iter().map(|l| one_line(l)).collect(),
    }
}

/// Controls as escapes, so that a line stays a line.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            out.push_str(&format!("\\u{{{:x}}}", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

fn body(message: &Message, names: &mut Names, redactions: &Redactions) -> Vec<String> {
    let bytes = message.body();
    if bytes.is_empty() {
        return Vec::new();
    }
    let Ok(text) = message.body_text() else {
        return vec![format!("({} bytes that are no text)", bytes.len())];
    };
    if text.trim_start().starts_with('<') {
        let mut redact = |_: &str, attribute: Option<&str>, value: &str| {
            let kind = attribute.and_then(|a| {
                redactions
                    .attributes
                    .iter()
                    .find(|(name, _)| *name == a)
                    .map(|(_, kind)| *kind)
            });
            match kind {
                // Zero is a value of its own: "none yet".
                Some(kind) if value.trim() != "0" && !value.trim().is_empty() => {
                    names.name(kind, value.trim())
                }
                _ => names.value(value, redactions),
            }
        };
        if let Ok(canonical) = xml::canonical(text, &mut redact) {
            return canonical.lines().map(str::to_owned).collect();
        }
        return text.lines().map(str::to_owned).collect();
    }
    let sdp = message
        .value("Content-Type")
        .is_some_and(|t| t.trim().to_ascii_lowercase().starts_with("application/sdp"));
    text.lines()
        .map(|line| match line.split_once('=') {
            Some(("o", value)) if sdp => {
                let user = value.split_whitespace().next().unwrap_or("-");
                format!("o={user} [session]")
            }
            // The port is the socket's; 0 (refused) says something.
            Some(("m", value)) if sdp => {
                let words: Vec<&str> = value
                    .split_whitespace()
                    .enumerate()
                    .map(|(i, word)| {
                        if i == 1 && word != "0" {
                            "[port]"
                        } else {
                            word
                        }
                    })
                    .collect();
                format!("m={}", words.join(" "))
            }
            _ => names.value(line, redactions),
        })
        .collect()
}

/// The ids (or names) of the elements right below the root of an XML body.
fn primitives(message: &Message) -> Option<String> {
    let text = message.body_text().ok()?;
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: 50_000,
        ..roxmltree::ParsingOptions::default()
    };
    let document = roxmltree::Document::parse_with_options(text, options).ok()?;
    let names: Vec<String> = document
        .root_element()
        .children()
        .filter(roxmltree::Node::is_element)
        .take(4)
        .map(|n| {
            let id = n.attribute("id").unwrap_or(n.tag_name().name());
            id.chars().take(60).collect()
        })
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests;
