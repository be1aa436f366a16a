/*! Legacy preferences: 2.2.2.1.26 and 3.1.18.5.

Takes the `content` attribute; gives the rooms it lists. The content is base64
of a gzip stream, as the document's example has it, or of a zip archive, as its
text says (XC-38). What unpacks to more than [`LIMIT`] or is no parlanoxml
document of channel preferences is refused with words.
*/

use std::io::Read;

use base64::Engine;
use flate2::read::{DeflateDecoder, GzDecoder};
use roxmltree::Node;

use super::action::ChannelPreference;

/// Most bytes a content may unpack to.
pub const LIMIT: u64 = 4 * 1024 * 1024;

const OBJECT: &str = "P.Domain.Channel.GroupChannelPreferencesListManager";

/// Decodes, unpacks and reads a `content` attribute.
pub fn read(content: &str) -> Result<Vec<ChannelPreference>, String> {
    parse(&unpack(content)?)
}

fn unpack(content: &str) -> Result<String, String> {
    let packed: String = content.split_ascii_whitespace().collect();
    let packed = base64::engine::general_purpose::STANDARD
        .decode(packed)
        .map_err(|e| format!("content is no base64: {e}"))?;
    match packed.get(..4) {
        Some([0x1f, 0x8b, _, _]) => inflate(GzDecoder::new(packed.as_slice())),
        Some(b"PK\x03\x04") => unzip(&packed),
        _ => Err("content is neither gzip nor zip".to_owned()),
    }
}

fn inflate(from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("content does not unpack: {e}"))?;
    if bytes.len() as u64 > LIMIT {
        return Err(format!("content unpacks to more than {LIMIT} bytes"));
    }
    String::from_utf8(bytes).map_err(|e| format!("content is not UTF-8: {e}"))
}

/// The first member of a zip archive.
fn unzip(archive: &[u8]) -> Result<String, String> {
    let short = || "content is a zip archive cut short".to_owned();
    let at = |i: usize| -> Result<usize, String> {
        match (archive.get(i), archive.get(i + 1)) {
            (Some(&low), Some(&high)) => Ok(usize::from(low) | usize::from(high) << 8),
            _ => Err(short()),
        }
    };
    let (flags, method) = (at(6)?, at(8)?);
    let size = at(18)? | at(20)? << 16;
    let start = 30 + at(26)? + at(28)?;
    let member = archive.get(start..).ok_or_else(short)?;
    match method {
        8 if flags & 1 == 0 => inflate(DeflateDecoder::new(member)),
        0 if flags & 9 == 0 => inflate(member.get(..size).ok_or_else(short)?),
        _ => Err(format!(
            "content is a zip archive of method {method}, flags {flags:#x}"
        )),
    }
}

/// The document of 2.2.2.1.26.1. The name of key members is `_key_` in the text and `key` in the example (XC-39).
fn parse(text: &str) -> Result<Vec<ChannelPreference>, String> {
    let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}'))
        .map_err(|e| format!("preferences: {e}"))?;
    let root = document.root_element();
    if root.tag_name().name() != "parlanoxml" {
        return Err(format!("preferences: root is {}", root.tag_name().name()));
    }
    let object = root
        .children()
        .find(|n| n.has_tag_name("object"))
        .ok_or("preferences: no object")?;
    if object.attribute("type") != Some(OBJECT) {
        return Err(format!("preferences: object is not of type {OBJECT}"));
    }
    if key(object) != Some("GroupChannels") {
        return Err("preferences: object is no GroupChannels".to_owned());
    }
    let items = member(object, "items").ok_or("preferences: no items")?;
    items
        .children()
        .filter(|n| n.has_tag_name("item"))
        .map(|item| {
            let uri = key(item).ok_or("preferences: item without URI")?;
            let name = member(item, "name").and_then(|m| m.attribute("value"));
            let notifications = member(item, "chatNotification")
                .into_iter()
                .flat_map(|n| n.children())
                .filter(|n| n.has_tag_name("member"))
                .filter_map(|n| {
                    let value = match n.attribute("value")? {
                        "True" | "true" => true,
                        "False" | "false" => false,
                        _ => return None,
                    };
                    Some((n.attribute("name")?.to_owned(), value))
                })
                .collect();
            Ok(ChannelPreference {
                uri: uri.to_owned(),
                name: name.unwrap_or("").to_owned(),
                notifications,
            })
        })
        .collect()
}

fn member<'a>(of: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    of.children()
        .find(|n| n.has_tag_name("member") && n.attribute("name") == Some(name))
}

fn key<'a>(of: Node<'a, 'a>) -> Option<&'a str> {
    member(of, "_key_")
        .or_else(|| member(of, "key"))?
        .attribute("value")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const DOCUMENT: &str = r#"<parlanoxml ver="1"><object asm="CL" type="P.Domain.Channel.GroupChannelPreferencesListManager">
<member name="key" type="S.String" value="GroupChannels"/><member name="items" count="1"><item name="0">
<member name="_key_" type="S.String" value="ma-chan://example.com/g1"/><member name="name" value="Lobby"/>
<member name="chatNotification" type="PV.ChatNotificationPVO"><member name="_key_" value="defaultGroupNotification"/>
<member name="displayToast" type="S.Boolean" value="True"/><member name="playSound" value="False"/></member></item></member></object></parlanoxml>"#;

    fn base64(bytes: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    fn gzip(text: &[u8]) -> String {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        base64(&encoder.finish().unwrap())
    }

    fn zip(text: &[u8], method: u8) -> String {
        let mut body = text.to_vec();
        if method == 8 {
            let mut encoder =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(text).unwrap();
            body = encoder.finish().unwrap();
        }
        let mut archive = b"PK\x03\x04\x14\0\0\0".to_vec();
        archive.extend([method, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        archive.extend((body.len() as u32).to_le_bytes());
        archive.extend((text.len() as u32).to_le_bytes());
        archive.extend([1, 0, 2, 0, b'p', b'x', b'y']);
        archive.extend(body);
        base64(&archive)
    }

    #[test]
    fn gzip_and_zip_give_the_same_rooms() {
        let text = DOCUMENT.as_bytes();
        for content in [gzip(text), zip(text, 8), zip(text, 0)] {
            let channels = read(&content).unwrap();
            assert_eq!(channels.len(), 1);
            assert_eq!(channels[0].uri, "ma-chan://example.com/g1");
            assert_eq!(channels[0].name, "Lobby");
            assert!(channels[0].notifications["displayToast"]);
            assert!(!channels[0].notifications["playSound"]);
            assert_eq!(channels[0].notifications.len(), 2);
        }
    }

    #[test]
    fn what_cannot_be_preferences_is_refused_with_words() {
        let bomb = vec![b' '; LIMIT as usize + 1];
        for (content, words) in [
            ("!".to_owned(), "base64"),
            (base64(b"plain text"), "neither"),
            (base64(b"PK\x03\x04\x14"), "cut short"),
            (gzip(&bomb), "more than"),
            (gzip(b"<a>"), "preferences"),
            (gzip(b"<parlanoxml/>"), "no object"),
            (gzip(b"<parlanoxml><object type='x'/></parlanoxml>"), "type"),
            (gzip(b"\xff"), "UTF-8"),
        ] {
            let error = read(&content).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
