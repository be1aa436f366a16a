/*! Legacy preferences: `getpref`, `setpref` (3.1.18, 2.2.2.1.26). */

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::defect::Slip;
use crate::payload::Element;
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server};
use crate::world::Room;

/// The setting whose content the document describes (2.2.2.1.26.1).
const CHANNELS: &str = "kedzie.GroupChannels";
/// Longest content taken, unpacked.
const MOST_BYTES: u64 = 1 << 20;
/// The type the object of a preference document must have.
const OBJECT_TYPE: &str = "P.Domain.Channel.GroupChannelPreferencesListManager";

/// A stored preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub seqid: u64,
    pub content: String,
}

/// `cmd:getpref`.
pub fn get(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let pref = pref(ask)?;
    let label = pref.get("label").unwrap_or("").to_owned();
    let stored = server
        .prefs
        .get(&(ask.user.clone(), label.clone()))
        .cloned()
        .or_else(|| {
            // A user who never followed a room has an empty list.
            (label == CHANNELS).then(|| Stored {
                seqid: 1,
                content: pack(&document(&[])),
            })
        })
        .ok_or_else(|| Refusal::new(Cause::NotFound, "Nothing is stored under this label"))?;
    Ok(Done::with([element(&label, &stored)]))
}

/// `cmd:setpref`: refused when another client changed the setting since (2.2.2.1.26).
pub fn set(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let pref = pref(ask)?;
    let label = pref.get("label").unwrap_or("").to_owned();
    let seqid: u64 = pref
        .get("seqid")
        .and_then(|v| v.trim().parse().ok())
        .ok_or_else(|| Refusal::new(Cause::Malformed, "`pref/@seqid` is no sequence number"))?;
    let content = pref
        .get("content")
        .ok_or_else(|| Refusal::new(Cause::Missing, "cmd:setpref needs `pref/@content`"))?;
    let text = unpack(content)
        .map_err(|e| Refusal::new(Cause::Malformed, format!("`pref/@content`: {e}")))?;
    if label == CHANNELS {
        check_document(&text)
            .map_err(|e| Refusal::new(Cause::Malformed, format!("`pref/@content`: {e}")))?;
    }
    let key = (ask.user.clone(), label.clone());
    let current = server.prefs.get(&key).map(|s| s.seqid);
    // A client sends the number it read or the one after it; anything else was read before somebody's change.
    let fresh = match current {
        None => true,
        Some(now) => seqid == now || Some(seqid) == now.checked_add(1),
    };
    if !fresh && !server.options.defects.has(Slip::PrefConflictIgnored) {
        let text = format!(
            "Changed in the meantime: the sequence number is {}",
            current.unwrap_or(0)
        );
        return Err(Refusal::new(Cause::Conflict, text));
    }
    let stored = Stored {
        seqid: current.unwrap_or(0).max(seqid).saturating_add(1),
        content: content.to_owned(),
    };
    if let Some(journal) = &mut server.journal {
        journal
            .preference(&key.0, &key.1, stored.seqid, &stored.content)
            .map_err(|e| Refusal::new(Cause::Storage, e.to_string()))?;
    }
    let reply = element(&label, &stored);
    server.prefs.insert(key, stored);
    Ok(Done::with([reply]))
}

fn pref<'a>(ask: &Ask<'a>) -> Result<&'a Element, Refusal> {
    ask.data
        .first("pref")
        .ok_or_else(|| Refusal::new(Cause::Missing, "the command needs a `pref`"))
}

fn element(label: &str, stored: &Stored) -> Element {
    Element::new("pref")
        .with("label", label)
        .with("seqid", stored.seqid.to_string())
        .with("createdefault", "false")
        .with("content", &stored.content)
}

impl Server {
    /// Stores the preferences the world begins with.
    pub(in crate::server) fn settle_preferences(&mut self) {
        for preference in &self.world.preferences {
            let rooms: Vec<&Room> = preference
                .rooms
                .iter()
                .filter_map(|key| self.world.rooms.get(key))
                .collect();
            let content = preference
                .content
                .clone()
                .unwrap_or_else(|| pack(&document(&rooms)));
            self.prefs.insert(
                (preference.user.clone(), preference.label.clone()),
                Stored {
                    seqid: preference.seqid,
                    content,
                },
            );
        }
    }
}

/// A preference document that lists these rooms (2.2.2.1.26.1).
fn document(rooms: &[&Room]) -> String {
    let member = |name: &str, value: &str| {
        Element::new("member")
            .with("name", name)
            .with("type", "S.String")
            .with("value", value)
    };
    let items = rooms.iter().enumerate().map(|(index, room)| {
        let notification = Element::new("member")
            .with("name", "chatNotification")
            .with("asm", "CL")
            .with("type", "PV.ChatNotificationPVO")
            .child(member("_key_", "defaultGroupNotification"));
        Element::new("item")
            .with("name", index.to_string())
            .with("asm", "CL")
            .with("type", "PV.GroupChannelPreferencesVO")
            .child(member("_key_", &room.uri))
            .child(member("name", &room.name))
            .child(notification)
    });
    let list = Element::new("member")
        .with("name", "items")
        .with("asm", "CL")
        .with("type", "PV.GroupChannelPreferencesVO")
        .with("count", rooms.len().to_string())
        .children(items);
    let object = Element::new("object")
        .with("asm", "CL")
        .with("type", OBJECT_TYPE)
        .child(member("_key_", "GroupChannels"))
        .child(list);
    let mut root = Element::new("parlanoxml").with("ver", "1").child(object);
    no_namespace(&mut root);
    String::from_utf8(crate::payload::Envelope { root }.to_bytes()).unwrap_or_default()
}

fn no_namespace(element: &mut Element) {
    element.ns = None;
    for node in &mut element.children {
        if let crate::payload::Node::Element(child) = node {
            no_namespace(child);
        }
    }
}

/// Gzip, then base64: what the document's example starts like (P30 of the errata).
fn pack(text: &str) -> String {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing to memory does not fail; an empty archive would be found by the reader.
    let packed = encoder
        .write_all(text.as_bytes())
        .and_then(|()| encoder.finish());
    STANDARD.encode(packed.unwrap_or_default())
}

/// The document in a base64 gzip or zip archive.
fn unpack(content: &str) -> Result<String, String> {
    let compact: String = content
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let bytes = STANDARD
        .decode(compact)
        .map_err(|e| format!("not base64: {e}"))?;
    let mut text = Vec::new();
    let read = match bytes.as_slice() {
        [0x1f, 0x8b, ..] => flate2::read::GzDecoder::new(bytes.as_slice())
            .take(MOST_BYTES + 1)
            .read_to_end(&mut text),
        [b'P', b'K', 3, 4, ..] => {
            let (method, body) = zip_entry(&bytes)?;
            match method {
                0 => body.take(MOST_BYTES + 1).read_to_end(&mut text),
                _ => flate2::read::DeflateDecoder::new(body)
                    .take(MOST_BYTES + 1)
                    .read_to_end(&mut text),
            }
        }
        _ => return Err("neither a gzip nor a zip archive".to_owned()),
    };
    read.map_err(|e| format!("the archive is damaged: {e}"))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(format!("unpacks to more than {MOST_BYTES} bytes"));
    }
    String::from_utf8(text).map_err(|_| "the document is not UTF-8".to_owned())
}

/// Method and data of the first entry of a zip archive.
fn zip_entry(bytes: &[u8]) -> Result<(u16, &[u8]), String> {
    let word = |at: usize| -> Result<usize, String> {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(low), Some(high)) => Ok(usize::from(*low) | usize::from(*high) << 8),
            _ => Err("the zip archive is cut off".to_owned()),
        }
    };
    let method = word(8)?;
    let start = 30 + word(26)? + word(28)?;
    let size = word(18)? | word(20)? << 16;
    let end = match (method, size) {
        // The size may stand behind the data; deflate knows its own end.
        (_, 0) => bytes.len(),
        (_, size) => (start + size).min(bytes.len()),
    };
    match (method, bytes.get(start..end)) {
        (0 | 8, Some(body)) => Ok((method as u16, body)),
        (0 | 8, None) => Err("the zip archive is cut off".to_owned()),
        _ => Err(format!("zip method {method} is not known")),
    }
}

/// What 2.2.2.1.26.1 demands of a document; the key's name is printed in two ways (P31).
fn check_document(text: &str) -> Result<(), String> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: 100_000,
        ..roxmltree::ParsingOptions::default()
    };
    let document =
        roxmltree::Document::parse_with_options(text, options).map_err(|e| e.to_string())?;
    let root = document.root_element();
    let objects: Vec<_> = root
        .children()
        .filter(roxmltree::Node::is_element)
        .collect();
    let [object] = objects.as_slice() else {
        return Err("parlanoxml has one child, object".to_owned());
    };
    if root.tag_name().name() != "parlanoxml" || object.tag_name().name() != "object" {
        return Err("the document is parlanoxml with an object".to_owned());
    }
    if object.attribute("type") != Some(OBJECT_TYPE) {
        return Err(format!("the type of object is {OBJECT_TYPE}"));
    }
    let member = |names: &[&str]| {
        object.children().find(|n| {
            n.has_tag_name("member") && n.attribute("name").is_some_and(|v| names.contains(&v))
        })
    };
    if member(&["_key_", "key"]).and_then(|m| m.attribute("value")) != Some("GroupChannels") {
        return Err("object needs a member _key_ with the value GroupChannels".to_owned());
    }
    let items = member(&["items"]).ok_or("object needs a member items")?;
    let count = items.children().filter(|n| n.has_tag_name("item")).count();
    if items.attribute("count").and_then(|v| v.parse().ok()) != Some(count) {
        return Err(format!("items/@count is not the number of items, {count}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_survive_packing_and_are_checked() {
        let world = crate::world::World::sample();
        let rooms: Vec<&Room> = world.rooms.values().collect();
        let text = document(&rooms);
        assert_eq!(unpack(&pack(&text)).unwrap(), text);
        assert_eq!(check_document(&text), Ok(()));
        assert!(check_document(&text.replace("count=\"3\"", "count=\"2\"")).is_err());
        assert!(check_document("<parlanoxml/>").is_err());
        assert!(unpack("!!").is_err());
        assert!(unpack(&STANDARD.encode("plain")).is_err());
    }

    #[test]
    fn bombs_and_stumps_are_refused() {
        let bomb = pack(&"x".repeat(MOST_BYTES as usize + 10));
        assert!(unpack(&bomb).unwrap_err().contains("more than"));
        let mut stump = STANDARD.decode(pack("hello")).unwrap();
        stump.truncate(12);
        assert!(unpack(&STANDARD.encode(stump)).is_err());
        assert!(unpack(&STANDARD.encode(b"PK\x03\x04")).is_err());
    }

    #[test]
    fn zip_archives_are_read() {
        let body = b"<a/>";
        let mut zip = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        zip.extend((body.len() as u32).to_le_bytes());
        zip.extend((body.len() as u32).to_le_bytes());
        zip.extend([1, 0, 0, 0, b'a']);
        zip.extend(body);
        assert_eq!(unpack(&STANDARD.encode(zip)).unwrap(), "<a/>");
    }
}
