use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use super::{Element, Node};

/// Writes a tree without declaration or added white space; each element whose
/// namespace differs from its parent's declares it as the default one.
pub(super) fn to_bytes(root: &Element) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    // Writing to a Vec cannot fail.
    let _ = element(&mut writer, root, None);
    writer.into_inner()
}

fn element(writer: &mut Writer<Vec<u8>>, e: &Element, outer: Option<&str>) -> std::io::Result<()> {
    let ns = e.ns.as_deref();
    let mut start = BytesStart::new(e.name.as_str());
    if ns != outer {
        start.push_attribute(("xmlns", ns.unwrap_or("")));
    }
    for (i, attr) in e.attrs.iter().enumerate() {
        match &attr.ns {
            None => start.push_attribute((attr.name.as_str(), attr.value.as_str())),
            Some(ns) => {
                start.push_attribute((format!("xmlns:a{i}").as_str(), ns.as_str()));
                start.push_attribute((format!("a{i}:{}", attr.name).as_str(), attr.value.as_str()));
            }
        }
    }
    if e.children.is_empty() {
        return writer.write_event(Event::Empty(start));
    }
    writer.write_event(Event::Start(start))?;
    for node in &e.children {
        match node {
            Node::Element(child) => element(writer, child, ns)?,
            Node::Text(text) => writer.write_event(Event::Text(BytesText::new(text)))?,
        }
    }
    writer.write_event(Event::End(BytesEnd::new(e.name.as_str())))
}

#[cfg(test)]
mod tests {
    use crate::payload::{Class, Element, Envelope, MsgId};

    #[test]
    fn what_is_written_reads_back_equal() {
        let chat = Element::new("chat").text("a<b>&\"c\"\r\n \u{2028}");
        let sent = Envelope::new(
            7,
            [Element::new("grpchat")
                .with("id", "grpchat")
                .with("seqid", "1")
                .with("author", "a\t\n\r\"<&'>")
                .child(chat)],
        );
        let read = Envelope::parse(&sent.to_bytes()).unwrap();
        let primitive = read.primitives().next().unwrap();
        assert_eq!(primitive.class, Class::Grpchat);
        assert_eq!(primitive.msg_id(), Some(MsgId { envid: 7, seqid: 1 }));
        assert_eq!(primitive.element.get("author"), Some("a\t\n\r\"<&'>"));
        assert_eq!(
            primitive.element.first("chat").unwrap().content(),
            "a<b>&\"c\"\r\n \u{2028}"
        );
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(5_000), "</a>".repeat(5_000));
        assert!(Envelope::parse(deep.as_bytes()).is_err());
        assert!(Envelope::parse(b"<!DOCTYPE x [<!ENTITY e \"v\">]><x>&e;</x>").is_err());
        let error = Envelope::parse(b"<a>\n \xff</a>").unwrap_err();
        assert_eq!((error.line, error.column, error.offset), (2, 2, 5));
    }
}
