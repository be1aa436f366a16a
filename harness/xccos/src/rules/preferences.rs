/*! Legacy user preferences inside pref/@content (2.2.2.1.26, 2.2.2.1.26.1).

Takes the reply to getpref; decodes base64, then gzip or the first file of a
zip archive, within bounds; reads the parlanoxml document and compares it with
the list of 2.2.2.1.26.1. Names may be `_key_` or `key`, notification members
may stand under item or under chatNotification: prose and example differ.
*/

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::desk::Desk;
use super::replies::Reply;
use crate::payload::Element;

const RULE: &str = "preferences";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.1.26-10",
    "XCCOSIP-2.2.2.1.26.1-01",
    "XCCOSIP-2.2.2.1.26.1-02",
    "XCCOSIP-2.2.2.1.26.1-03",
    "XCCOSIP-2.2.2.1.26.1-04",
    "XCCOSIP-2.2.2.1.26.1-05",
    "XCCOSIP-2.2.2.1.26.1-06",
    "XCCOSIP-2.2.2.1.26.1-07",
    "XCCOSIP-2.2.2.1.26.1-08",
    "XCCOSIP-2.2.2.1.26.1-09",
    "XCCOSIP-2.2.2.1.26.1-10",
    "XCCOSIP-2.2.2.1.26.1-11",
    "XCCOSIP-2.2.2.1.26.1-12",
    "XCCOSIP-2.2.2.1.26.1-13",
    "XCCOSIP-3.1.18.5-03",
];

/// Most bytes taken out of an archive.
const MOST: u64 = 4 * 1024 * 1024;

const SETTINGS: &[&str] = &[
    "floatOnActivate",
    "alertFloatOnActivate",
    "displayToast",
    "alertDisplayToast",
    "playSound",
    "alertPlaySound",
];

/// Judges the content of rpl:getpref.
pub(crate) fn judge(reply: &Reply<'_>, desk: &mut Desk) {
    let Some(pref) = reply.data.and_then(|d| d.first("pref")) else {
        return;
    };
    // 3.1.18.3 leaves the client one label to ask for.
    let asked = reply.asked.and_then(|d| d.first("pref"));
    let wanted = asked
        .and_then(|p| p.get("label"))
        .unwrap_or("kedzie.GroupChannels");
    reply.expect(
        pref.get("label").is_none_or(|l| l == wanted),
        "XCCOSIP-3.1.18.5-03",
        Some(pref),
        || {
            format!(
                "the label is {:?}, asked was {wanted:?}",
                pref.get("label").unwrap_or("")
            )
        },
        desk,
    );
    let Some(content) = pref.get("content").filter(|c| !c.trim().is_empty()) else {
        return;
    };
    let label = pref.get("label").unwrap_or("");
    let document = match unpack(content) {
        Ok(document) => document,
        Err(why) => {
            reply.fails(
                "XCCOSIP-2.2.2.1.26-10",
                Some(pref),
                format!("content: {why}"),
                desk,
            );
            return;
        }
    };
    desk.pass(RULE, "XCCOSIP-2.2.2.1.26-10", reply.doc.seen);
    if label == "kedzie.GroupChannels" {
        settings(reply, pref, &document, desk);
    }
}

/// The XML document in a content.
fn unpack(content: &str) -> Result<Element, String> {
    let compact: String = content.split_ascii_whitespace().collect();
    let bytes = STANDARD
        .decode(compact)
        .map_err(|e| format!("no base64: {e}"))?;
    let mut out = Vec::new();
    let read = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::GzDecoder::new(bytes.as_slice())
            .take(MOST)
            .read_to_end(&mut out)
    } else if bytes.starts_with(b"PK\x03\x04") {
        let number = |at: usize| -> usize {
            match bytes.get(at..at + 2) {
                Some([low, high]) => usize::from(*low) | usize::from(*high) << 8,
                _ => 0,
            }
        };
        let start = 30 + number(26) + number(28);
        let body = bytes.get(start..).unwrap_or(&[]);
        match number(8) {
            0 => {
                let size = number(18) | number(20) << 16;
                out = body.get(..size).unwrap_or(body).to_vec();
                Ok(out.len())
            }
            8 => flate2::read::DeflateDecoder::new(body)
                .take(MOST)
                .read_to_end(&mut out),
            method => {
                return Err(format!(
                    "compression method {method} of the zip archive is unknown"
                ));
            }
        }
    } else {
        return Err("neither a zip archive nor a gzip stream".to_owned());
    };
    read.map_err(|e| format!("the archive cannot be unpacked: {e}"))?;
    // The example's document says UTF-16 or has a mark in front.
    let text = match out.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    };
    crate::payload::Envelope::parse(text.as_bytes())
        .map(|e| e.root)
        .map_err(|e| format!("the archive holds no XML document: {e}"))
}

fn wide(bytes: &[u8], read: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| match pair {
            [a, b] => read([*a, *b]),
            _ => 0,
        })
        .collect();
    String::from_utf16_lossy(&units)
}

fn elements(parent: &Element) -> impl Iterator<Item = &Element> {
    parent.children.iter().filter_map(|n| match n {
        crate::payload::Node::Element(e) => Some(e),
        crate::payload::Node::Text(_) => None,
    })
}

fn member<'a>(parent: &'a Element, names: &[&str]) -> Option<&'a Element> {
    elements(parent)
        .find(|e| e.name == "member" && e.get("name").is_some_and(|n| names.contains(&n)))
}

fn value(member: Option<&Element>) -> Option<String> {
    let member = member?;
    Some(
        member
            .get("value")
            .map(str::to_owned)
            .unwrap_or_else(|| member.content())
            .trim()
            .to_owned(),
    )
}

fn settings(reply: &Reply<'_>, pref: &Element, root: &Element, desk: &mut Desk) {
    let mut check = |holds: bool, id: &str, message: &str| {
        reply.expect(
            holds,
            id,
            Some(pref),
            || format!("content: {message}"),
            desk,
        );
        holds
    };
    const KEY: &[&str] = &["_key_", "key"];
    if !check(
        root.name == "parlanoxml",
        "XCCOSIP-2.2.2.1.26.1-01",
        "the root is not parlanoxml",
    ) {
        return;
    }
    let objects: Vec<_> = elements(root).collect();
    let (count, first) = (objects.len(), objects.first());
    check(
        count == 1 && first.is_some_and(|o| o.name == "object"),
        "XCCOSIP-2.2.2.1.26.1-02",
        "parlanoxml has not exactly one child, object",
    );
    let Some(object) = objects.iter().find(|o| o.name == "object") else {
        return;
    };
    check(
        object.get("type") == Some("P.Domain.Channel.GroupChannelPreferencesListManager"),
        "XCCOSIP-2.2.2.1.26.1-03",
        "object has another type than P.Domain.Channel.GroupChannelPreferencesListManager",
    );
    check(
        value(member(object, KEY)).as_deref() == Some("GroupChannels"),
        "XCCOSIP-2.2.2.1.26.1-04",
        "object has no member _key_ with the value GroupChannels",
    );
    let items = member(object, &["items"]);
    check(
        items.is_some(),
        "XCCOSIP-2.2.2.1.26.1-05",
        "object has no member items",
    );
    let Some(items) = items else { return };
    let list: Vec<_> = elements(items).filter(|e| e.name == "item").collect();
    let named = list
        .iter()
        .enumerate()
        .all(|(i, item)| item.get("name").map(str::trim) == Some(i.to_string().as_str()));
    check(
        items
            .get("count")
            .and_then(|c| c.trim().parse::<usize>().ok())
            == Some(list.len()),
        "XCCOSIP-2.2.2.1.26.1-06",
        "count of items is not the number of its item children",
    );
    if !list.is_empty() {
        check(
            named,
            "XCCOSIP-2.2.2.1.26.1-07",
            "an item is not named by its index",
        );
    }
    for item in list {
        check(
            value(member(item, KEY)).is_some_and(|v| super::forms::channel(&v).is_some()),
            "XCCOSIP-2.2.2.1.26.1-08",
            "an item has no member _key_ with a channel URI",
        );
        check(
            member(item, &["name"]).is_some(),
            "XCCOSIP-2.2.2.1.26.1-09",
            "an item has no member name",
        );
        let notification = member(item, &["chatNotification"]);
        check(
            notification.is_some_and(|n| n.get("type") == Some("PV.ChatNotificationPVO")),
            "XCCOSIP-2.2.2.1.26.1-10",
            "an item has no member chatNotification of type PV.ChatNotificationPVO",
        );
        let Some(notification) = notification else {
            continue;
        };
        check(
            value(member(notification, KEY)).as_deref() == Some("defaultGroupNotification"),
            "XCCOSIP-2.2.2.1.26.1-11",
            "chatNotification has no member _key_ with the value defaultGroupNotification",
        );
        let flags: Vec<_> = elements(notification)
            .chain(elements(item))
            .filter(|e| e.name == "member")
            .filter(|e| {
                !matches!(
                    e.get("name"),
                    Some("_key_" | "key" | "name" | "chatNotification") | None
                )
            })
            .collect();
        if !flags.is_empty() {
            check(true, "XCCOSIP-2.2.2.1.26.1-12", "");
            let fine = flags.iter().all(|e| {
                e.get("name").is_some_and(|n| SETTINGS.contains(&n))
                    && value(Some(e)).is_some_and(|v| super::forms::loose_boolean(&v).is_some())
            });
            check(
                fine,
                "XCCOSIP-2.2.2.1.26.1-13",
                "a notification setting is none of the six, or is no Boolean",
            );
        }
    }
}
