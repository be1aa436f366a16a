use std::fmt;

use super::{Attr, Element, Node};

/// Namespace of XCCOS documents (2.2.1).
pub const CHAT_NS: &str = "urn:parlano:xml:ns:xccos";

/// Deepest nesting taken from a peer; the schema's own documents stay below 12.
const MAX_DEPTH: usize = 64;
/// Most nodes taken from a peer in one document.
const MAX_NODES: u32 = 500_000;

/// Why bytes are no XCCOS document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadError {
    /// Byte offset into the body.
    pub offset: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// It may be well-formed XML all the same: a document type or an encoding that is not read here.
    pub refused: bool,
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for PayloadError {}

/// The pair that names a command, a chat or what a reply answers (2.2.2.2.3, 3.1.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MsgId {
    /// Of the envelope.
    pub envid: u64,
    /// Of the primitive in it.
    pub seqid: u64,
}

impl MsgId {
    /// As an element `commandid` or `originatingMessageId`.
    pub fn element(self, name: &str) -> Element {
        Element::new(name)
            .with("seqid", self.seqid.to_string())
            .with("envid", self.envid.to_string())
    }

    /// Reads it from such an element; none when a number is missing or no 64-bit unsigned integer.
    pub fn read(element: &Element) -> Option<MsgId> {
        Some(MsgId {
            envid: number(element, "envid")?,
            seqid: number(element, "seqid")?,
        })
    }
}

fn number(element: &Element, attr: &str) -> Option<u64> {
    element
        .get(attr)?
        .trim_matches([' ', '\t', '\r', '\n'])
        .parse()
        .ok()
}

/// The kinds of primitive (2.2.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// XccosCommandPrimitive (2.2.2.2.2).
    Cmd,
    /// XccosReplyPrimitive (2.2.2.2.4).
    Rpl,
    /// XccosNoticePrimitive (2.2.2.2.5).
    Ntc,
    /// XccosErrorPrimitive (2.2.2.2.6).
    Err,
    /// XccosSystemPrimitive (2.2.2.2.8).
    Sys,
    /// GroupChatDataBlock (2.2.2.2.9).
    Grpchat,
}

impl Class {
    /// The class an element name stands for.
    pub fn of(name: &str) -> Option<Class> {
        Some(match name {
            "cmd" => Class::Cmd,
            "rpl" => Class::Rpl,
            "ntc" => Class::Ntc,
            "err" => Class::Err,
            "sys" => Class::Sys,
            "grpchat" => Class::Grpchat,
            _ => return None,
        })
    }

    /// The element name.
    pub fn name(self) -> &'static str {
        match self {
            Class::Cmd => "cmd",
            Class::Rpl => "rpl",
            Class::Ntc => "ntc",
            Class::Err => "err",
            Class::Sys => "sys",
            Class::Grpchat => "grpchat",
        }
    }
}

/// An XCCOS document: the `xccos` element with its primitives (2.2.2.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The root element; normally `xccos`, but whatever the sender wrote.
    pub root: Element,
}

impl Envelope {
    /// An envelope of version 1 with these primitives.
    pub fn new(envid: u64, primitives: impl IntoIterator<Item = Element>) -> Envelope {
        Envelope {
            root: Element::new("xccos")
                .with("ver", "1")
                .with("envid", envid.to_string())
                .children(primitives),
        }
    }

    /// Reads a body. Any well-formed document passes; what it is, the caller asks.
    pub fn parse(body: &[u8]) -> Result<Envelope, PayloadError> {
        let text = std::str::from_utf8(body).map_err(|e| {
            let mut error = error_at(body, e.valid_up_to(), "the payload is not UTF-8".to_owned());
            error.refused = other_encoding(body);
            error
        })?;
        let options = roxmltree::ParsingOptions {
            allow_dtd: false,
            nodes_limit: MAX_NODES,
            ..roxmltree::ParsingOptions::default()
        };
        let document = roxmltree::Document::parse_with_options(text, options).map_err(|e| {
            let pos = e.pos();
            let words = e.to_string();
            let tail = format!(" at {}:{}", pos.row, pos.col);
            PayloadError {
                offset: offset_at(text, pos.row, pos.col),
                line: pos.row,
                column: pos.col,
                refused: matches!(e, roxmltree::Error::DtdDetected),
                message: words.strip_suffix(&tail).unwrap_or(&words).to_owned(),
            }
        })?;
        let root = convert(document.root_element()).map_err(|offset| {
            error_at(
                body,
                offset,
                format!("elements nest deeper than {MAX_DEPTH}"),
            )
        })?;
        Ok(Envelope { root })
    }

    /// Whether the root is `xccos` in its namespace.
    pub fn is_xccos(&self) -> bool {
        self.root.is_chat() && self.root.name == "xccos"
    }

    /// The envelope's number, when it is a 64-bit unsigned integer (3.1.2.1.1).
    pub fn envid(&self) -> Option<u64> {
        number(&self.root, "envid")
    }

    /// The primitives, in order.
    pub fn primitives(&self) -> impl Iterator<Item = Primitive<'_>> {
        let envid = self.envid();
        self.root.elements().filter_map(move |element| {
            Some(Primitive {
                class: Class::of(&element.name)?,
                element,
                envid,
            })
        })
    }

    /// As bytes to send: no declaration, no white space added.
    pub fn to_bytes(&self) -> Vec<u8> {
        super::write::to_bytes(&self.root)
    }
}

/// A primitive seen in its envelope.
#[derive(Debug, Clone, Copy)]
pub struct Primitive<'a> {
    /// Its kind.
    pub class: Class,
    /// Its element.
    pub element: &'a Element,
    envid: Option<u64>,
}

impl<'a> Primitive<'a> {
    /// Its `id` (`cmd:join`), empty when missing.
    pub fn id(&self) -> &'a str {
        self.element.get("id").unwrap_or("")
    }

    /// Its `seqid`.
    pub fn seqid(&self) -> Option<u64> {
        number(self.element, "seqid")
    }

    /// What identifies it, when envelope and primitive are both numbered.
    pub fn msg_id(&self) -> Option<MsgId> {
        Some(MsgId {
            envid: self.envid?,
            seqid: self.seqid()?,
        })
    }

    /// What it answers (`commandid` of rpl and err).
    pub fn commandid(&self) -> Option<MsgId> {
        MsgId::read(self.element.first("commandid")?)
    }

    /// Which chat of the client it stems from (`originatingMessageId` of grpchat).
    pub fn originating(&self) -> Option<MsgId> {
        MsgId::read(self.element.first("originatingMessageId")?)
    }

    /// The response code (2.2.2.1.27).
    pub fn code(&self) -> Option<u32> {
        self.element.first("resp")?.get("code")?.trim().parse().ok()
    }

    /// The `data` element.
    pub fn data(&self) -> Option<&'a Element> {
        self.element.first("data")
    }
}

/// Byte offset of a line and a column in characters, both from 1.
fn offset_at(text: &str, line: u32, column: u32) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    let rest = text.get(before..).unwrap_or_default();
    let inside = rest
        .char_indices()
        .nth(column.saturating_sub(1) as usize)
        .map_or(rest.len(), |(at, _)| at);
    before + inside
}

fn error_at(body: &[u8], offset: usize, message: String) -> PayloadError {
    let before = &body[..offset.min(body.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count() as u32 + 1;
    let start = before
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |p| p + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() as u32 + 1;
    PayloadError {
        offset,
        line,
        column,
        message,
        refused: false,
    }
}

/// Whether a body says itself that it is in another encoding than UTF-8: by a mark, or in its declaration.
fn other_encoding(body: &[u8]) -> bool {
    let declared = || {
        let head = body.get(..body.len().min(100)).unwrap_or_default();
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let declaration = head.split("?>").next().unwrap_or("");
        declaration.starts_with("<?xml")
            && declaration.contains("encoding")
            && !declaration.contains("utf-8")
    };
    body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") || declared()
}

/// Copies a tree; fails with the offset of the element that nests too deep.
fn convert(root: roxmltree::Node<'_, '_>) -> Result<Element, usize> {
    fn shell(node: roxmltree::Node<'_, '_>) -> Element {
        let attrs = node
            .attributes()
            .map(|a| Attr {
                name: a.name().to_owned(),
                ns: a.namespace().map(str::to_owned),
                value: a.value().to_owned(),
                span: a.range(),
            })
            .collect();
        Element {
            name: node.tag_name().name().to_owned(),
            ns: node.tag_name().namespace().map(str::to_owned),
            attrs,
            children: Vec::new(),
            span: node.range(),
        }
    }
    fn fill(
        element: &mut Element,
        node: roxmltree::Node<'_, '_>,
        depth: usize,
    ) -> Result<(), usize> {
        if depth > MAX_DEPTH {
            return Err(node.range().start);
        }
        for child in node.children() {
            if child.is_element() {
                let mut inner = shell(child);
                fill(&mut inner, child, depth + 1)?;
                element.children.push(Node::Element(inner));
            } else if let (true, Some(text)) = (child.is_text(), child.text()) {
                element.children.push(Node::Text(text.to_owned()));
            }
        }
        Ok(())
    }
    let mut element = shell(root);
    fill(&mut element, root, 1)?;
    Ok(element)
}
