//! The order in which a reader follows one endpoint: what it asked, what came of it, what came by itself.

use sip::Message;

use super::primitives;
use crate::Seat;

/// A request and its responses.
type Exchange = Vec<(Seat, Message)>;

/// Exchanges of one endpoint, those of the server behind the request they speak of. What speaks of none stands at the
/// end, kind by kind.
pub fn read(exchanges: &[Exchange]) -> Vec<&Exchange> {
    let seen: Vec<Seen<'_>> = exchanges.iter().map(Seen::of).collect();
    let (asked, told): (Vec<&Seen<'_>>, Vec<&Seen<'_>>) = seen.iter().partition(|s| s.by_client);
    let mut out = Vec::with_capacity(exchanges.len());
    let mut rest: Vec<&Seen<'_>> = told;
    for one in asked {
        out.push(one.exchange);
        let own = one.envid.as_ref();
        let (about, others): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|s| own.is_some_and(|own| s.about.contains(own)));
        out.extend(about.iter().map(|s| s.exchange));
        rest = others;
    }
    rest.sort_by(|a, b| a.kind.cmp(&b.kind));
    out.extend(rest.iter().map(|s| s.exchange));
    out
}

/// What the order rests on.
struct Seen<'a> {
    exchange: &'a Exchange,
    by_client: bool,
    /// Number of the document a request carries.
    envid: Option<String>,
    /// Numbers of the documents it refers to.
    about: Vec<String>,
    kind: String,
}

fn number(node: &roxmltree::Node<'_, '_>) -> Option<String> {
    node.attribute("envid").map(|e| e.trim().to_owned())
}

impl Seen<'_> {
    fn of(exchange: &Exchange) -> Seen<'_> {
        let mut seen = Seen {
            exchange,
            by_client: false,
            envid: None,
            about: Vec::new(),
            kind: String::new(),
        };
        let Some((from, message)) = exchange.first() else {
            return seen;
        };
        seen.by_client = *from == Seat::Client;
        seen.kind = format!(
            "{} {}",
            message.method().unwrap_or_default(),
            primitives(message).unwrap_or_default()
        );
        let options = roxmltree::ParsingOptions {
            allow_dtd: false,
            nodes_limit: 50_000,
            ..roxmltree::ParsingOptions::default()
        };
        if let Ok(text) = message.body_text()
            && let Ok(document) = roxmltree::Document::parse_with_options(text, options)
        {
            seen.envid = number(&document.root_element());
            seen.about = document
                .descendants()
                .filter(|n| matches!(n.tag_name().name(), "commandid" | "originatingMessageId"))
                .filter_map(|n| number(&n))
                .collect();
        }
        seen
    }
}
