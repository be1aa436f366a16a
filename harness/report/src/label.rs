//! A message in three words, for ladders and lists: `INFO cmd:join`, `200 OK (INFO)`.

use sip::Message;
use trace::{Event, Kind};

use crate::text;

/// Bodies larger than this are not looked into for a label.
const LOOK: usize = 1 << 20;

/// What a message is, shortly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// Method, or status and reason with the method they answer.
    pub head: String,
    /// What the payload carries: the ids or names of the primitives; empty without one.
    pub what: String,
    /// `request`, `provisional`, `success`, `refusal`, `noise`, `upper`, `note` or `link`: the event's class in reports.
    pub class: &'static str,
}

impl Label {
    /// Both parts in one line.
    pub fn line(&self) -> String {
        if self.what.is_empty() {
            self.head.clone()
        } else {
            format!("{} {}", self.head, self.what)
        }
    }
}

/// The label of any event.
pub fn label(event: &Event) -> Label {
    let of = |class, head: String, what: String| Label { head, what, class };
    match &event.kind {
        Kind::Message { bytes, .. } => message(bytes),
        Kind::Garbage { bytes, problem, .. } => of(
            "noise",
            text::count(bytes.len(), "byte"),
            text::visible(problem).into_owned(),
        ),
        Kind::Opened { transport, .. } => {
            of("link", "connected".into(), text::visible(transport).into())
        }
        Kind::Closed { how, .. } => of("link", "closed".into(), text::visible(how).into()),
        Kind::Upper { command, text, .. } => of(
            "upper",
            if *command { "do" } else { "answer" }.into(),
            text::cut(&text::visible(text), 80).into(),
        ),
        Kind::Note { text } => of("note", text::visible(text).into(), String::new()),
    }
}

fn message(bytes: &[u8]) -> Label {
    if bytes.iter().all(|b| matches!(b, b'\r' | b'\n')) {
        return Label {
            head: "keep-alive".into(),
            what: String::new(),
            class: "link",
        };
    }
    let Ok(message) = Message::parse(bytes) else {
        return Label {
            head: "no SIP message".into(),
            what: text::count(bytes.len(), "byte"),
            class: "noise",
        };
    };
    let (head, class) = match (message.method(), message.status()) {
        (Some(method), _) => (method.to_owned(), "request"),
        (None, status) => {
            let status = status.unwrap_or(0);
            let method = message
                .value("CSeq")
                .and_then(|v| v.split_whitespace().nth(1).map(str::to_owned));
            let start = message.start_line();
            let line = start.split_once(' ').map_or("", |(_, rest)| rest);
            let head = match method {
                Some(method) => format!("{line} ({method})"),
                None => line.to_owned(),
            };
            let class = match status {
                100..200 => "provisional",
                200..300 => "success",
                _ => "refusal",
            };
            (head, class)
        }
    };
    Label {
        head: text::cut(&text::visible(&head), 60).into_owned(),
        what: primitives(message.body()).unwrap_or_default(),
        class,
    }
}

/// The ids (or names) of the elements right below the root of an XML body.
fn primitives(body: &[u8]) -> Option<String> {
    if body.is_empty() || body.len() > LOOK {
        return None;
    }
    let body = std::str::from_utf8(body).ok()?;
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: 50_000,
        ..roxmltree::ParsingOptions::default()
    };
    if !body.trim_start().starts_with('<') {
        return None;
    }
    let Ok(document) = roxmltree::Document::parse_with_options(body, options) else {
        return Some("(not well-formed XML)".to_owned());
    };
    let root = document.root_element();
    let mut names: Vec<&str> = root
        .children()
        .filter(|n| n.is_element())
        .map(|n| n.attribute("id").unwrap_or(n.tag_name().name()))
        .collect();
    if names.is_empty() {
        names.push(root.tag_name().name());
    }
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    let mut what = names
        .iter()
        .map(|n| text::cut(&text::visible(n), 40).into_owned())
        .collect::<Vec<_>>()
        .join(", ");
    if more > 0 {
        what.push_str(&format!(" and {more} more"));
    }
    Some(what)
}
