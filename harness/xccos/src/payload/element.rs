use std::ops::Range;

use super::CHAT_NS;

/// An attribute with its place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attr {
    /// Local name.
    pub name: String,
    /// Namespace, when it has one (`xsi:type`).
    pub ns: Option<String>,
    /// Normalised value.
    pub value: String,
    /// Bytes of name and value in the source; empty for a built tree.
    pub span: Range<usize>,
}

/// A child of an element. Comments and processing instructions are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Character data.
    Text(String),
}

/// An element with everything below it.
///
/// Equality compares content and source spans; use it only between trees of one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Namespace; none when it is in no namespace.
    pub ns: Option<String>,
    /// Attributes in document order, without namespace declarations.
    pub attrs: Vec<Attr>,
    /// Child nodes in document order.
    pub children: Vec<Node>,
    /// Bytes of the whole element in the source; empty for a built tree.
    pub span: Range<usize>,
}

impl Element {
    /// An empty element in the XCCOS namespace.
    pub fn new(name: impl Into<String>) -> Element {
        Element {
            name: name.into(),
            ns: Some(CHAT_NS.to_owned()),
            attrs: Vec::new(),
            children: Vec::new(),
            span: 0..0,
        }
    }

    /// With an attribute more (replacing one of the same name).
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Element {
        self.set(name, value);
        self
    }

    /// With an attribute more when there is a value.
    pub fn with_some(self, name: &str, value: Option<impl Into<String>>) -> Element {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a child element more.
    pub fn child(mut self, child: Element) -> Element {
        self.push(child);
        self
    }

    /// With some child elements more.
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.children
            .extend(children.into_iter().map(Node::Element));
        self
    }

    /// With character data more.
    pub fn text(mut self, text: impl Into<String>) -> Element {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Appends a child element.
    pub fn push(&mut self, child: Element) {
        self.children.push(Node::Element(child));
    }

    /// Sets an attribute without namespace.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self
            .attrs
            .iter_mut()
            .find(|a| a.ns.is_none() && a.name == name)
        {
            Some(attr) => attr.value = value,
            None => self.attrs.push(Attr {
                name: name.to_owned(),
                ns: None,
                value,
                span: 0..0,
            }),
        }
    }

    /// Takes an attribute away; gives its value.
    pub fn unset(&mut self, name: &str) -> Option<String> {
        let at = self
            .attrs
            .iter()
            .position(|a| a.ns.is_none() && a.name == name)?;
        Some(self.attrs.remove(at).value)
    }

    /// Value of an attribute without namespace.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attr(name).map(|a| a.value.as_str())
    }

    /// An attribute without namespace, with its place.
    pub fn attr(&self, name: &str) -> Option<&Attr> {
        self.attrs.iter().find(|a| a.ns.is_none() && a.name == name)
    }

    /// Child elements of the XCCOS namespace.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|n| match n {
            Node::Element(e) if e.is_chat() => Some(e),
            _ => None,
        })
    }

    /// Child elements of the XCCOS namespace, for changing.
    pub fn elements_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        self.children.iter_mut().filter_map(|n| match n {
            Node::Element(e) if e.is_chat() => Some(e),
            _ => None,
        })
    }

    /// Child elements of that local name in the XCCOS namespace.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> + 'a {
        self.elements().filter(move |e| e.name == name)
    }

    /// The first child element of that local name in the XCCOS namespace.
    pub fn first(&self, name: &str) -> Option<&Element> {
        self.elements().find(|e| e.name == name)
    }

    /// The first child element of that name, for changing.
    pub fn first_mut(&mut self, name: &str) -> Option<&mut Element> {
        self.elements_mut().find(|e| e.name == name)
    }

    /// All character data directly inside, joined.
    pub fn content(&self) -> String {
        self.children
            .iter()
            .filter_map(|n| match n {
                Node::Text(t) => Some(t.as_str()),
                Node::Element(_) => None,
            })
            .collect()
    }

    /// Whether the element is in the XCCOS namespace.
    pub fn is_chat(&self) -> bool {
        self.ns.as_deref() == Some(CHAT_NS)
    }
}
