//! Text of unknown origin made safe to show: on a terminal, in XML, in a shell line.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters that steer a terminal or hide text: controls, line separators, bidirectional marks.
fn is_sly(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

/// One line of text with everything sly written as an escape like `\x1b` or `\u{202e}`; a tab
/// becomes one space, so that columns stay columns.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_sly) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_visible(&mut out, c);
    }
    Cow::Owned(out)
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\t' => out.push(' '),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        c if is_sly(c) && (c as u32) < 0x100 => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        c if is_sly(c) => {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
        c => out.push(c),
    }
}

/// Several lines of text, each made [`visible`]; line ends stay.
pub fn visible_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        out.push_str(&visible(line.strip_suffix('\r').unwrap_or(line)));
    }
    out
}

/// Bytes as text: UTF-8 where it is, `\xff` where it is not.
pub fn lossless(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

/// The first `most` characters, with an ellipsis when something was cut.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = text
                .char_indices()
                .nth(most.saturating_sub(1))
                .map_or(0, |(i, _)| i);
            Cow::Owned(format!("{}…", &text[..end]))
        }
    }
}

/// One word of a POSIX shell line, quoted when it has to be.
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@,+%".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// Text for XML character data: like [`xml`], with its line ends as they are.
pub fn xml_lines(text: &str) -> String {
    xml(text).replace("&#10;", "\n")
}

/// Text for XML character data or an attribute value: markup escaped, what XML 1.0 cannot hold
/// shown by [`visible`]'s escapes.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => {}
            '\u{fffe}' | '\u{ffff}' => push_visible(&mut out, c),
            c if c.is_control() => push_visible(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// Milliseconds as seconds with three decimals: `0.012`.
pub fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// `1 scenario`, `2 scenarios`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_sly_survives() {
        assert_eq!(
            visible("a\x1b[31mb\u{202e}c\td\u{85}"),
            "a\\x1b[31mb\\u{202e}c d\\x85"
        );
        assert_eq!(visible("plain <text> ä"), "plain <text> ä");
        assert_eq!(visible_lines("a\r\nb\x07"), "a\nb\\x07");
        assert_eq!(lossless(b"a\xff\xfeb"), "a\\xff\\xfeb");
    }

    #[test]
    fn xml_text_is_always_legal() {
        for c in (0..0x300).chain(0xfff0..0x10010).filter_map(char::from_u32) {
            let text = format!("<a b=\"{0}\">{0}</a>", xml(&format!("x{c}]]>")));
            roxmltree::Document::parse(&text).unwrap_or_else(|e| panic!("{c:?}: {e}"));
        }
    }

    #[test]
    fn words_and_cuts() {
        assert_eq!(shell_word("server/join"), "server/join");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüx", 3), "äö…");
    }
}
