//! Where schema documents come from.
//!
//! A schema starts from [`Source`]s the caller gives. What those include, import or redefine is looked up through
//! [`Fetch`]: among the given sources only ([`GivenOnly`]), or in the file system ([`Files`]). Nothing is ever
//! fetched from a network.

use std::path::{Component, Path, PathBuf};

/// One schema document and the name it goes by in messages and relative references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A path or URI; relative `schemaLocation`s resolve against it.
    pub uri: String,
    /// The document.
    pub text: String,
}

impl Source {
    /// A source from its name and text.
    pub fn new(uri: impl Into<String>, text: impl Into<String>) -> Source {
        Source {
            uri: uri.into(),
            text: text.into(),
        }
    }
}

/// Finds the documents that schema documents refer to.
pub trait Fetch {
    /// The bytes of the document at `uri`, `None` when there is none to be had.
    ///
    /// # Errors
    /// A sentence, when the document exists and cannot be read.
    fn fetch(&self, uri: &str) -> Result<Option<Vec<u8>>, String>;
}

/// Finds nothing beyond the sources given.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivenOnly;

impl Fetch for GivenOnly {
    fn fetch(&self, _: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

/// Reads local files; URIs with a scheme other than `file` are not looked up.
#[derive(Debug, Clone)]
pub struct Files {
    /// Longest file that is read, in bytes.
    pub limit: u64,
}

impl Default for Files {
    fn default() -> Self {
        Files { limit: 16 << 20 }
    }
}

impl Fetch for Files {
    fn fetch(&self, uri: &str) -> Result<Option<Vec<u8>>, String> {
        let path = match uri.split_once("://") {
            Some(("file", path)) => path,
            Some(_) => return Ok(None),
            None => uri,
        };
        let Ok(meta) = std::fs::metadata(path) else {
            return Ok(None);
        };
        if !meta.is_file() {
            return Ok(None);
        }
        if meta.len() > self.limit {
            return Err(format!(
                "{path} has {} bytes, more than {}",
                meta.len(),
                self.limit
            ));
        }
        std::fs::read(path)
            .map(Some)
            .map_err(|error| format!("{path}: {error}"))
    }
}

/// Resolves a `schemaLocation` against the name of the document it stands in.
pub(crate) fn resolve(base: &str, location: &str) -> String {
    if location.contains("://") || Path::new(location).is_absolute() {
        return location.to_owned();
    }
    if let Some((scheme, rest)) = base.split_once("://") {
        let directory = rest
            .rsplit_once('/')
            .map_or(rest, |(directory, _)| directory);
        return format!("{scheme}://{}", tidy(&format!("{directory}/{location}")));
    }
    let directory = Path::new(base).parent().unwrap_or(Path::new(""));
    tidy(&directory.join(location).to_string_lossy())
}

/// Whether two names of documents mean the same one: `./a.xsd`, `a.xsd` and `b/../a.xsd` do.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let plain = |uri: &str| match uri.strip_prefix("file://") {
        Some(path) => tidy(path),
        None if uri.contains("://") => uri.to_owned(),
        None => tidy(uri),
    };
    one == other || plain(one) == plain(other)
}

/// Removes `.` and resolves `..` where a directory precedes it.
fn tidy(path: &str) -> String {
    let mut out = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_resolve_against_their_document() {
        assert_eq!(resolve("a/b.xsd", "c.xsd"), "a/c.xsd");
        assert_eq!(resolve("a/b.xsd", "../c.xsd"), "c.xsd");
        assert_eq!(resolve("b.xsd", "./c.xsd"), "c.xsd");
        assert_eq!(resolve("http://h/a/b.xsd", "../c.xsd"), "http://h/c.xsd");
        assert_eq!(resolve("a.xsd", "http://h/c.xsd"), "http://h/c.xsd");
        assert_eq!(resolve("a/b.xsd", "/c.xsd"), "/c.xsd");
        assert!(same("./a.xsd", "a.xsd") && same("b/../a.xsd", "a.xsd"));
        assert!(same("file:///a/b.xsd", "/a/./b.xsd") && !same("http://h/a.xsd", "a.xsd"));
    }
}
