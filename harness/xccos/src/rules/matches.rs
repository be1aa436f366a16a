/*! Whether what a search found fits what was searched for (2.2.2.1.11.1, 2.2.2.1.16, 2.2.2.1.18).

Takes the reply to a search with its command and looks at each hit; hits that
are missing cannot be seen from outside. Letter case does not matter unless
the search says so. A room whose name is not in the reply is left alone.
*/

use super::desk::Desk;
use super::forms;
use super::replies::Reply;
use crate::payload::Element;

const RULE: &str = "matches";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.1.11.1-11",
    "XCCOSIP-2.2.2.1.11.1-12",
    "XCCOSIP-2.2.2.1.11.1-13",
    "XCCOSIP-2.2.2.1.11.1-14",
    "XCCOSIP-2.2.2.1.11.1-17",
    "XCCOSIP-2.2.2.1.11.1-19",
    "XCCOSIP-2.2.2.1.11.1-21",
    "XCCOSIP-2.2.2.1.16-06",
    "XCCOSIP-2.2.2.1.16-07",
    "XCCOSIP-2.2.2.1.16-08",
    "XCCOSIP-2.2.2.1.18-04",
    "XCCOSIP-2.2.2.1.18.2-05",
    "XCCOSIP-2.2.2.1.18.2-06",
    "XCCOSIP-2.2.2.1.18.4-03",
];

/// Entries of one kind of room query.
struct Query {
    block: &'static str,
    wide: &'static str,
    extended: &'static str,
    phrase: &'static str,
    all: &'static str,
    any: &'static str,
}

const QUERIES: &[Query] = &[
    Query {
        block: "qib",
        wide: "extended",
        extended: "XCCOSIP-2.2.2.1.16-06",
        phrase: "XCCOSIP-2.2.2.1.16-08",
        all: "XCCOSIP-2.2.2.1.16-07",
        any: "XCCOSIP-2.2.2.1.16-07",
    },
    Query {
        block: "filtib",
        wide: "includeTopic",
        extended: "XCCOSIP-2.2.2.1.11.1-11",
        phrase: "XCCOSIP-2.2.2.1.11.1-14",
        all: "XCCOSIP-2.2.2.1.11.1-12",
        any: "XCCOSIP-2.2.2.1.11.1-13",
    },
];

/// Judges the hits of a room search.
pub(crate) fn rooms(reply: &Reply<'_>, desk: &mut Desk) {
    let (Some(asked), Some(data)) = (reply.asked, reply.data) else {
        return;
    };
    for kind in QUERIES {
        let Some(query) = asked.first(kind.block) else {
            continue;
        };
        if kind.block == "filtib" {
            for chanib in data.all("chanib") {
                filters(reply, query, chanib, desk);
            }
        }
        let flag = |name: &str| query.get(name).and_then(forms::boolean);
        let criteria = query.get("criteria").unwrap_or("").trim().to_lowercase();
        if criteria.is_empty() {
            continue;
        }
        let wide = flag(kind.wide) == Some(true);
        let phrase = flag("matchExactPhrase") != Some(false);
        let all = flag("matchAll") != Some(false);
        for chanib in data.all("chanib") {
            let Some(name) = chanib.get("name") else {
                continue;
            };
            let description = chanib.get("description");
            if wide && description.is_none() {
                continue;
            }
            let fields = [Some(name), description.filter(|_| wide)];
            let texts: Vec<String> = fields
                .into_iter()
                .flatten()
                .map(str::to_lowercase)
                .collect();
            let has = |term: &str| texts.iter().any(|t| t.contains(term));
            let terms: Vec<&str> = criteria.split_whitespace().collect();
            let (fits, entry) = if phrase {
                (has(&criteria), kind.phrase)
            } else if all {
                (terms.iter().all(|t| has(t)), kind.all)
            } else {
                (terms.iter().any(|t| has(t)), kind.any)
            };
            // A hit in the description alone says that the search was wider than asked for.
            let elsewhere = !wide
                && !fits
                && description.is_some_and(|d| {
                    let d = d.to_lowercase();
                    terms.iter().any(|t| d.contains(t))
                });
            let entry = if elsewhere { kind.extended } else { entry };
            reply.expect(
                fits,
                entry,
                Some(chanib),
                || format!("{name:?} does not match {criteria:?}"),
                desk,
            );
            if fits && wide && !name.to_lowercase().contains(&criteria) {
                desk.pass(RULE, kind.extended, reply.doc.seen);
            }
        }
    }
}

fn filters(reply: &Reply<'_>, query: &Element, chanib: &Element, desk: &mut Desk) {
    if query.get("disabled").and_then(forms::boolean) == Some(true)
        && let Some(disabled) = chanib.get("disabled").and_then(forms::boolean)
    {
        reply.expect(
            disabled,
            "XCCOSIP-2.2.2.1.11.1-17",
            Some(chanib),
            || "an enabled room, asked was for disabled ones".to_owned(),
            desk,
        );
    }
    let visibility = chanib
        .all("info")
        .find(|i| {
            i.get("id")
                .is_some_and(|id| id.trim().ends_with("info:visibility"))
        })
        .map(|i| i.content().trim().to_owned());
    let wanted = match query.get("vis").map(str::trim) {
        Some("2") => Some("PRIVATE"),
        Some("3") => Some("SCOPED"),
        Some("6") => Some("OPEN"),
        _ => None,
    };
    if let (Some(wanted), Some(given)) = (wanted, visibility) {
        reply.expect(
            given == wanted,
            "XCCOSIP-2.2.2.1.11.1-19",
            Some(chanib),
            || format!("a room of visibility {given}, asked was {wanted}"),
            desk,
        );
    }
    let wanted = match query.get("type").map(str::trim) {
        Some("4") => Some("NORMAL"),
        Some("5") => Some("AUDITORIUM"),
        _ => None,
    };
    if let (Some(wanted), Some(given)) = (wanted, chanib.get("behavior"))
        && given != "UNSET"
    {
        reply.expect(
            given == wanted,
            "XCCOSIP-2.2.2.1.11.1-21",
            Some(chanib),
            || format!("a room of behavior {given}, asked was {wanted}"),
            desk,
        );
    }
}

/// Judges the hits of a content search.
pub(crate) fn chats(reply: &Reply<'_>, desk: &mut Desk) {
    let (Some(bcs), Some(data)) = (reply.asked.and_then(|d| d.first("bcs")), reply.data) else {
        return;
    };
    let texts: Vec<String> = bcs
        .all("text")
        .map(|t| t.content().trim().to_owned())
        .filter(|t| !t.is_empty())
        .collect();
    if texts.is_empty() {
        return;
    }
    let all = bcs.get("cmp").map(str::trim) == Some("AND");
    let exact = bcs
        .first("matchcase")
        .and_then(|m| forms::boolean(&m.content()))
        == Some(true);
    for msg in data.all("chanib").flat_map(|c| c.all("msg")) {
        let Some(chat) = msg.first("chat") else {
            continue;
        };
        let chat = format!(
            "{}\n{}",
            chat.content(),
            msg.first("rtf").map(Element::content).unwrap_or_default()
        );
        let lower = chat.to_lowercase();
        let loose = |t: &str| lower.contains(&t.to_lowercase());
        let has = |t: &str| if exact { chat.contains(t) } else { loose(t) };
        let found = texts.iter().filter(|t| has(t)).count();
        let fits = if all { found == texts.len() } else { found > 0 };
        let entry = if fits || all && found > 0 {
            "XCCOSIP-2.2.2.1.18-04"
        } else if exact && texts.iter().any(|t| loose(t)) {
            "XCCOSIP-2.2.2.1.18.4-03"
        } else if texts
            .iter()
            .any(|t| t.contains(' ') && t.split_whitespace().any(loose))
        {
            "XCCOSIP-2.2.2.1.18.2-05"
        } else {
            "XCCOSIP-2.2.2.1.18-04"
        };
        reply.expect(
            fits,
            entry,
            Some(msg),
            || {
                format!(
                    "the message does not hold {}",
                    texts.join(if all { " and " } else { " or " })
                )
            },
            desk,
        );
        if !fits {
            continue;
        }
        let word = |t: &str| {
            lower
                .split(|c: char| !c.is_alphanumeric())
                .any(|w| w == t.to_lowercase())
        };
        if texts.iter().any(|t| t.contains(' ') && has(t)) {
            desk.pass(RULE, "XCCOSIP-2.2.2.1.18.2-05", reply.doc.seen);
        }
        if texts.iter().any(|t| has(t) && !t.contains(' ') && !word(t)) {
            desk.pass(RULE, "XCCOSIP-2.2.2.1.18.2-06", reply.doc.seen);
        }
        if exact {
            desk.pass(RULE, "XCCOSIP-2.2.2.1.18.4-03", reply.doc.seen);
        }
    }
}
