//! Byte offsets to lines and columns and back.
//!
//! Takes a text; gives 1-based lines and 1-based columns counted in characters. A byte order mark at the start
//! has no column. Only `\n` ends a line, as in the XML Recommendation after line-end normalisation (`\r\n` counts once).

use serde::Serialize;

/// A position that people read: both numbers start at 1, the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Finds lines and columns of one text. Costs one pass over the text when made.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Indexes the line starts of `text`.
    pub fn new(text: &'t str) -> Self {
        let mut starts = vec![if text.starts_with('\u{feff}') { 3 } else { 0 }];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        Lines { text, starts }
    }

    /// The position of a byte offset; offsets beyond the end give the end, offsets inside a character its start.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1].min(offset);
        let column = self.text[start..offset].chars().count() + 1;
        Position {
            line: saturate(line),
            column: saturate(column),
        }
    }

    /// The line of a byte offset, which is cheap even in long lines.
    pub fn line(&self, offset: usize) -> u32 {
        saturate(self.starts.partition_point(|start| *start <= offset).max(1))
    }

    /// The byte offset of a position; positions beyond a line's or the text's end give that end.
    pub fn offset(&self, position: Position) -> usize {
        let line = (position.line.max(1) as usize).min(self.starts.len());
        let start = self.starts[line - 1];
        let end = self.starts.get(line).copied().unwrap_or(self.text.len());
        self.text[start..end]
            .char_indices()
            .nth(position.column.max(1) as usize - 1)
            .map_or(end, |(at, _)| start + at)
    }
}

fn saturate(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_ignore_the_byte_order_mark() {
        let lines = Lines::new("\u{feff}äb\nc");
        assert_eq!(lines.position(3), Position { line: 1, column: 1 });
        assert_eq!(lines.position(5), Position { line: 1, column: 2 });
        assert_eq!(lines.position(7), Position { line: 2, column: 1 });
        assert_eq!(lines.position(99), Position { line: 2, column: 2 });
        assert_eq!(lines.offset(Position { line: 1, column: 2 }), 5);
        assert_eq!(lines.offset(Position { line: 9, column: 9 }), 8);
    }
}
