/*! What each notice has to contain so that its client rule can work (2.2.2.2.5, 3.1.15.5).

Takes an ntc of a server, concludes about its own content. Who has to get it
is the business of `rooms`.
*/

use super::Doc;
use super::desk::{Desk, Spot};
use super::forms;
use super::table::NOTICES;
use crate::payload::{Element, Primitive};

const RULE: &str = "notices";

/// Judges a notice by itself.
pub(crate) fn judge(doc: &Doc<'_>, primitive: &Primitive<'_>, desk: &mut Desk) {
    let Some((name, entry)) = NOTICES.iter().find(|(n, _)| *n == primitive.id()) else {
        return;
    };
    let Some(data) = primitive.data() else { return };
    let problem = match *name {
        "ntc:join" | "ntc:bjoin" => joined(data),
        "ntc:part" | "ntc:kick" => left(data),
        "ntc:quit" => match data
            .first("uib")
            .or_else(|| data.first("chanib")?.first("uib"))
        {
            None => Some("it names no user (uib)".to_owned()),
            Some(_) => None,
        },
        "ntc:invite" | "ntc:chatmodify" | "ntc:chanmodify" => rooms(data),
        _ => None,
    };
    match problem {
        None => desk.pass(RULE, entry, doc.seen),
        Some(problem) => {
            let at = primitive.data().unwrap_or(primitive.element);
            desk.fail(
                RULE,
                entry,
                doc.seen,
                Spot::element(&doc.tree.path_of(at), at),
                format!("{name}: {problem}"),
            );
        }
    }
}

fn joined(data: &Element) -> Option<String> {
    let mut any = false;
    for uib in data.all("uib") {
        any = true;
        let mut rooms = uib.all("aib").filter_map(|a| a.get("value"));
        if !rooms.any(|v| forms::guids(v).is_some_and(|g| !g.is_empty())) {
            return Some(format!(
                "no aib of {} says which room was joined",
                uib.get("uri").unwrap_or("a user")
            ));
        }
    }
    (!any).then(|| "it names no user (uib)".to_owned())
}

fn left(data: &Element) -> Option<String> {
    if let Some(problem) = rooms(data) {
        return Some(problem);
    }
    data.all("chanib")
        .find(|c| c.first("uib").is_none())
        .map(|c| {
            format!(
                "the chanib of {} names no user (uib)",
                c.get("uri").unwrap_or("")
            )
        })
}

fn rooms(data: &Element) -> Option<String> {
    let mut any = false;
    for chanib in data.all("chanib") {
        any = true;
        if chanib.get("uri").is_none_or(|u| u.trim().is_empty()) {
            return Some("a chanib has no uri".to_owned());
        }
    }
    (!any).then(|| "it names no room (chanib)".to_owned())
}
