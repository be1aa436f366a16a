/*! Requests for the room-management page, judged by [MS-OCGCWEB].

Takes the base address the chat server told, the target of a request and the
rooms there are; gives a remark per requirement the request decides. Which of
the two forms (create, or view and edit) was meant, only the client knows; a
request without `id` is taken to create.
*/

use std::fmt::Write as _;

use super::{after_origin, parameters};

/// What a request says about one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The requirement.
    pub requirement: &'static str,
    /// Whether it held.
    pub held: bool,
    /// Found and expected, in one line.
    pub message: String,
}

/// Judges a request target (path and query) against the base address; `rooms` are GUIDs and names.
pub fn check(base: &str, target: &str, rooms: &[(String, String)]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut say = |requirement, held, message: String| {
        remarks.push(Remark {
            requirement,
            held,
            message,
        });
    };
    let base_query = query_of(after_origin(base));
    let query = query_of(target);
    let asked = parameters(query);
    let kept = parameters(base_query);

    let appended = asked.starts_with(&kept);
    if !kept.is_empty() {
        let message =
            format!("the address begins with `{base_query}`, as the base does: {appended}");
        say("OCGCWEB-3.1.5-05", appended, message);
    }
    let own: Vec<&(String, String)> = match appended {
        true => asked.iter().skip(kept.len()).collect(),
        false => asked.iter().filter(|p| !kept.contains(p)).collect(),
    };
    let at = |name: &str| own.iter().position(|(n, _)| n == name);
    let (lang_at, id_at) = (at("clientlang"), at("id"));
    let create = id_at.is_none();
    let present = if create {
        "OCGCWEB-3.1.5-02"
    } else {
        "OCGCWEB-3.1.5-03"
    };
    say(
        present,
        lang_at.is_some(),
        format!(
            "clientlang is {}",
            if lang_at.is_some() {
                "there"
            } else {
                "missing"
            }
        ),
    );

    if let Some((_, lang)) = lang_at.and_then(|at| own.get(at)) {
        let (language, region) = lang.split_once('-').unwrap_or((lang.as_str(), ""));
        let form = letters(language, 2, 3) && letters(region, 2, 3);
        let pair = if create {
            "OCGCWEB-2.2.1-02"
        } else {
            "OCGCWEB-2.2.2-03"
        };
        say(
            pair,
            form,
            format!("clientlang is `{lang}`, a pair like en-US is expected"),
        );
        if form {
            let lower = language.bytes().all(|b| b.is_ascii_lowercase());
            say(
                "OCGCWEB-2.2.1-03",
                lower,
                format!("the language is written `{language}`"),
            );
            let upper = region.bytes().all(|b| b.is_ascii_uppercase());
            say(
                "OCGCWEB-2.2.1-04",
                upper,
                format!("the region is written `{region}`"),
            );
        }
    }
    if let Some((_, id)) = id_at.and_then(|at| own.get(at)) {
        let room = rooms.iter().find(|(guid, _)| guid.eq_ignore_ascii_case(id));
        let message = match room {
            Some((_, name)) => format!("id `{id}` is the room {name}"),
            None => format!("id `{id}` is the GUID of no room"),
        };
        say("OCGCWEB-2.2.2-04", room.is_some(), message);
        if let Some(lang_at) = lang_at {
            let ordered = Some(lang_at) < id_at;
            say(
                "OCGCWEB-4-03",
                ordered,
                format!("clientlang stands before id: {ordered}"),
            );
        }
    }
    let extra: Vec<&str> = own
        .iter()
        .map(|(n, _)| n.as_str())
        .filter(|n| !matches!(*n, "clientlang" | "id"))
        .collect();
    let count = if create {
        "OCGCWEB-2.2.1-01"
    } else {
        "OCGCWEB-2.2.2-02"
    };
    let twice =
        own.len() - extra.len() > usize::from(lang_at.is_some()) + usize::from(id_at.is_some());
    let message = match (extra.is_empty(), twice) {
        (true, false) => "no other parameters were added".to_owned(),
        (true, true) => "a parameter was added twice".to_owned(),
        (false, _) => format!("other parameters were added: {}", extra.join(", ")),
    };
    say(count, extra.is_empty() && !twice, message);
    if target.matches('?').count() > 1 {
        say(
            "OCGCWEB-4-02",
            false,
            "a second question mark stands where an ampersand belongs".to_owned(),
        );
    }
    remarks
}

fn query_of(target: &str) -> &str {
    let target = target.split('#').next().unwrap_or(target);
    target.split_once('?').map_or("", |(_, query)| query)
}

fn letters(text: &str, from: usize, to: usize) -> bool {
    (from..=to).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The page a browser shows: what was asked for, and what was made of it.
pub(super) fn page(target: &str, remarks: &[Remark], rooms: &[(String, String)]) -> String {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Room management</title>\
         <style>body{font:16px/1.5 system-ui;margin:2em auto;max-width:50em}.no{color:#b00020}code{background:#eee}</style>\
         <h1>Room management</h1>",
    );
    let _ = write!(out, "<p>Asked for <code>{}</code></p><ul>", escaped(target));
    for remark in remarks {
        let (class, word) = if remark.held {
            ("yes", "held")
        } else {
            ("no", "broken")
        };
        let _ = write!(
            out,
            "<li class=\"{class}\"><b>{}</b> {word}: {}</li>",
            remark.requirement,
            escaped(&remark.message)
        );
    }
    out.push_str("</ul><h2>Rooms</h2><ul>");
    for (guid, name) in rooms {
        let _ = write!(
            out,
            "<li>{} <code>{}</code></li>",
            escaped(name),
            escaped(guid)
        );
    }
    out.push_str("</ul></html>");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
