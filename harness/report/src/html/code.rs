//! Bytes of messages as escaped, coloured, marked HTML.

use std::ops::Range;

use crate::text;
use crate::xml::{self, Ink, Line};

/// Most bytes of one payload that a page shows; the stored trace has all of them.
const SHOWN: usize = 48 * 1024;

/// The SIP part of a message: start line and headers, one a line, marks by byte range.
pub fn head(bytes: &[u8], marks: &[Range<usize>]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (i, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let start = at;
        at += line.len();
        let end = start + line.trim_ascii_end().len();
        if end == start {
            continue;
        }
        let colon = bytes[start..end]
            .iter()
            .position(|b| *b == b':')
            .filter(|_| i > 0 && !line.starts_with(b" ") && !line.starts_with(b"\t"));
        match colon {
            Some(colon) => {
                run(&mut out, bytes, start..start + colon, marks, "a");
                run(&mut out, bytes, start + colon..end, marks, "");
            }
            None => run(
                &mut out,
                bytes,
                start..end,
                marks,
                if i == 0 { "n" } else { "" },
            ),
        }
        out.push('\n');
    }
    out
}

/// A payload: indented when it is well-formed XML, else as it is. `offset` is where it starts in
/// the message, whose byte offsets the marks use.
pub fn body(bytes: &[u8], offset: usize, marks: &[Range<usize>]) -> String {
    let here: Vec<Range<usize>> = marks
        .iter()
        .filter(|m| m.start >= offset)
        .map(|m| m.start - offset..m.end - offset)
        .collect();
    let body = &bytes[offset..];
    let mut out = String::new();
    if body.len() <= SHOWN
        && let Ok(text) = std::str::from_utf8(body)
        && let Some(lines) = xml::pretty(text)
    {
        layout(&mut out, body, &lines, &here);
        return out;
    }
    // A window around the first mark.
    let first = here.first().map_or(0, |m| m.start);
    let from = first.saturating_sub(SHOWN / 2);
    let to = (from + SHOWN).min(body.len());
    if from > 0 {
        note(&mut out, from, "before this");
    }
    raw(&mut out, body, from..to, &here);
    if to < body.len() {
        note(&mut out, body.len() - to, "after this");
    }
    out
}

/// Any bytes as they are, line by line.
pub fn plain(bytes: &[u8], marks: &[Range<usize>]) -> String {
    let mut out = String::new();
    let to = bytes.len().min(SHOWN);
    raw(&mut out, bytes, 0..to, marks);
    if to < bytes.len() {
        note(&mut out, bytes.len() - to, "after this");
    }
    out
}

fn note(out: &mut String, bytes: usize, place: &str) {
    out.push_str(&format!(
        "\n<span class=\"c\">… {bytes} bytes {place} are left out; the stored trace has them</span>\n"
    ));
}

fn layout(out: &mut String, body: &[u8], lines: &[Line], marks: &[Range<usize>]) {
    for line in lines {
        out.extend(std::iter::repeat_n(' ', line.indent));
        for piece in &line.pieces {
            let class = match piece.ink {
                Ink::Markup => "m",
                Ink::Name => "n",
                Ink::Attribute => "a",
                Ink::Value => "v",
                Ink::Text => "",
                Ink::Aside => "c",
            };
            let mut range = piece.range.clone();
            // Line breaks between attributes are the layout's business.
            if piece.ink == Ink::Markup
                && body[range.clone()].iter().all(u8::is_ascii_whitespace)
                && !marks.iter().any(|m| overlaps(m, &range))
            {
                out.push(' ');
                continue;
            }
            range.end = range.end.min(body.len());
            run(out, body, range, marks, class);
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
}

fn overlaps(mark: &Range<usize>, range: &Range<usize>) -> bool {
    mark.start < range.end && range.start < mark.end.max(mark.start + 1)
}

/// Lines of raw bytes.
fn raw(out: &mut String, bytes: &[u8], range: Range<usize>, marks: &[Range<usize>]) {
    let mut at = range.start;
    for line in bytes[range].split_inclusive(|b| *b == b'\n') {
        let start = at;
        at += line.len();
        let cut = line.strip_suffix(b"\n").unwrap_or(line);
        let cut = cut.strip_suffix(b"\r").unwrap_or(cut);
        run(out, bytes, start..start + cut.len(), marks, "");
        out.push('\n');
    }
}

/// One run of bytes in one colour, split where marks begin and end.
fn run(out: &mut String, bytes: &[u8], range: Range<usize>, marks: &[Range<usize>], class: &str) {
    let mut cuts = vec![range.start, range.end];
    for mark in marks {
        let end = mark.end.max(mark.start + 1);
        cuts.extend(
            [mark.start, end]
                .into_iter()
                .filter(|c| range.start < *c && *c < range.end),
        );
    }
    cuts.sort_unstable();
    cuts.dedup();
    for pair in cuts.windows(2) {
        let part = pair[0]..pair[1];
        let marked = marks.iter().any(|m| overlaps(m, &part));
        let shown = escape(&text::lossless(&bytes[part]));
        match (class, marked) {
            ("", false) => out.push_str(&shown),
            (class, false) => out.push_str(&format!("<span class=\"{class}\">{shown}</span>")),
            ("", true) => out.push_str(&format!("<mark>{shown}</mark>")),
            (class, true) => {
                out.push_str(&format!("<mark class=\"{class}\">{shown}</mark>"));
            }
        }
    }
}

/// Text of a peer as HTML text: markup escaped, controls made visible, line feeds kept.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text::visible_lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "one mark")]
    fn marks_land_on_what_they_mean() {
        let bytes =
            b"INFO sip:a@b SIP/2.0\r\nCSeq: 1 INFO\r\n\r\n<a b=\"1\" c=\"2\"><d>x &amp; y</d></a>";
        let offset = 38;
        assert_eq!(&bytes[offset..offset + 2], b"<a");
        let shown = head(&bytes[..offset], &[22..26]);
        assert!(
            shown.contains("<mark class=\"a\">CSeq</mark>: 1 INFO"),
            "{shown}"
        );
        let shown = body(bytes, offset, &[offset + 9..offset + 14]);
        assert!(
            shown.contains("<mark class=\"a\">c</mark><mark class=\"m\">=</mark><mark class=\"v\">&quot;2&quot;</mark>"),
            "{shown}"
        );
        assert!(shown.contains("x &amp;amp; y"), "{shown}");
        let broken = body(b"<a", 0, &[1..1]);
        assert_eq!(broken, "&lt;<mark>a</mark>\n");
    }
}
