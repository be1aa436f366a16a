//! What a step sends: primitives, documents, SIP, bytes.

use super::*;

impl Decoder<'_> {
    pub(super) fn build(&mut self, node: &Node) -> Build {
        let mut build = Build::default();
        if node.text().is_some() {
            build.text = Some(self.text(node));
            return build;
        }
        for (key, value) in node.entries() {
            if let Some(name) = key.text.strip_prefix('@') {
                let text = (value.value != Value::Null).then(|| self.text(value));
                build.attrs.push((name.to_owned(), text));
            } else if key.text == "text()" {
                build.text = Some(self.text(value));
            } else if value.value == Value::Null {
                build.children.push((key.text.clone(), Build::default()));
            } else {
                for item in value.one_or_many() {
                    let child = self.build(item);
                    build.children.push((key.text.clone(), child));
                }
            }
        }
        build
    }

    /// The primitives that a record names by its keys.
    pub(super) fn primitives(&mut self, record: &Node) -> Vec<PrimitiveContent> {
        let mut contents = Vec::new();
        for (key, value) in record.entries() {
            if let Some((class, id)) = primitive(&key.text) {
                let element = self.build(value);
                contents.push(PrimitiveContent::Element {
                    class,
                    id: id.unwrap_or_else(|| default_id(class).to_owned()),
                    element,
                });
            }
        }
        contents
    }

    /// Primitives of a list of records with `xml` and `as`.
    pub(super) fn primitive_list(&mut self, node: &Node) -> Vec<Primitive> {
        let mut list = Vec::new();
        for item in node.one_or_many() {
            let mut contents = self.primitives(item);
            if let Some(xml) = item.get("xml") {
                contents.push(PrimitiveContent::Xml(self.text(xml)));
            }
            if contents.len() != 1 {
                self.error(item.span, "a primitive is wanted here, exactly one");
            }
            let name = item.get("as").and_then(|n| self.give(n));
            if let Some(content) = contents.into_iter().next() {
                list.push(Primitive { content, name });
            }
        }
        list
    }

    pub(super) fn send(&mut self, node: &Node) -> Option<Send> {
        let either = node.get("at");
        let endpoint = match (node.get("from").or(either), node.get("to")) {
            (Some(a), None) | (None, Some(a)) => self.endpoint(a).unwrap_or_default(),
            (Some(_), Some(to)) => {
                self.error(
                    to.span,
                    "a message is sent `from` an endpoint, `to` one, or `at` one: only one of these",
                );
                return None;
            }
            (None, None) => {
                self.error(
                    node.span,
                    "a message needs `from` (client seat), `to` (server seat) or `at` (either)",
                );
                return None;
            }
        };
        let invalid = self.plain(node, "invalid");
        let mut contents = Vec::new();
        let direct = self.primitives(node);
        if direct.len() > 1 {
            self.error(
                node.span,
                "several primitives of one message go into `envelope: [ … ]`",
            );
        }
        if let Some(content) = direct.into_iter().next() {
            contents.push(Content::Primitives(vec![Primitive {
                content,
                name: None,
            }]));
        }
        if let Some(envelope) = node.get("envelope") {
            contents.push(Content::Primitives(self.primitive_list(envelope)));
        }
        if let Some(xml) = node.get("xml") {
            contents.push(Content::Xml(self.text(xml)));
        }
        if let Some(body) = node.get("body") {
            contents.push(Content::Body(self.text(body)));
        }
        if let Some(sip) = node.get("sip") {
            contents.push(if sip.text().is_some() {
                Content::RawSip(self.text(sip))
            } else {
                Content::Sip {
                    method: text_of(sip, "method"),
                    dialog: truth(sip, "dialog").unwrap_or(true),
                    uri: sip.get("uri").map(|n| self.text(n)),
                    body: sip.get("body").map(|n| self.text(n)),
                }
            });
        }
        if let Some(bytes) = node.get("bytes") {
            match unescape(bytes.text().unwrap_or_default()) {
                Ok(raw) => contents.push(Content::Bytes(raw)),
                Err(message) => self.error(bytes.span, message),
            }
            let keep_alive = bytes
                .text()
                .is_some_and(|t| t.replace("\\r", "").replace("\\n", "").trim().is_empty());
            if invalid.is_none() && !keep_alive {
                let d = Diagnostic::warning(
                    &self.source,
                    bytes.span,
                    "raw bytes without `invalid` count as sent in good faith",
                );
                self.out.push(d);
            }
        }
        if contents.len() != 1 {
            self.error(
                node.span,
                "a message holds exactly one of: a primitive, envelope, xml, body, sip, bytes",
            );
        }
        let mut headers = self.pairs(node.get("headers"));
        headers.extend(self.pairs(node.get("sip").and_then(|s| s.get("headers"))));
        Some(Send {
            endpoint,
            content: contents.into_iter().next()?,
            envid: node.get("envid").map(|n| self.text(n)),
            envelope_attributes: self.pairs(node.get("envelope_attributes")),
            headers,
            fragment: integer(node, "fragment"),
            times: integer(node, "times").unwrap_or(1) as u32,
            invalid,
            name: node.get("as").and_then(|n| self.give(n)),
        })
    }
}

/// The `id` a primitive is sent with when its key names none.
fn default_id(class: Class) -> &'static str {
    match class {
        Class::Grpchat => "grpchat",
        Class::Err => "error",
        Class::Sys => "sys:status",
        Class::Cmd | Class::Rpl | Class::Ntc => "",
    }
}

/// Bytes of a text with `\r \n \t \0 \\ \xNN`.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match rest.next() {
            Some('r') => bytes.push(b'\r'),
            Some('n') => bytes.push(b'\n'),
            Some('t') => bytes.push(b'\t'),
            Some('0') => bytes.push(0),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let hex: String = rest.by_ref().take(2).collect();
                match u8::from_str_radix(&hex, 16) {
                    Ok(byte) if hex.len() == 2 => bytes.push(byte),
                    _ => return Err(format!("`\\x{hex}` is no byte: two hexadecimal digits")),
                }
            }
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(format!(
                    "`\\{other}` is unknown: use \\r \\n \\t \\0 \\\\ \\xNN"
                ));
            }
        }
    }
    Ok(bytes)
}
