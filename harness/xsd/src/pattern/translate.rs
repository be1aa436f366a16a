//! From the grammar of Part 2, appendix F, to the syntax of the `regex` crate.
//!
//! A recursive descent over the characters that writes the translation as it goes. Every literal leaves as a
//! hexadecimal escape, so nothing of the target's own syntax can leak in.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use super::blocks::block;
use crate::value::names::{NAME_MORE, NAME_START};

/// Deepest nesting of groups and of class subtractions.
const DEPTH: usize = 100;

pub(super) fn translate(source: &str) -> Result<String, String> {
    let mut translation = Translation {
        rest: source.chars().peekable(),
        out: String::with_capacity(source.len() * 4),
        depth: 0,
    };
    translation.expression()?;
    match translation.rest.next() {
        None => Ok(translation.out),
        Some(c) => Err(format!("unexpected '{c}'")),
    }
}

struct Translation<'s> {
    rest: Peekable<Chars<'s>>,
    out: String,
    depth: usize,
}

impl Translation<'_> {
    fn expression(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("groups are nested deeper than {DEPTH} levels"));
        }
        loop {
            while let Some(c) = self.rest.peek().copied() {
                if matches!(c, '|' | ')') {
                    break;
                }
                self.atom()?;
                self.quantifier()?;
            }
            if self.rest.next_if_eq(&'|').is_none() {
                break;
            }
            self.out.push('|');
        }
        self.depth -= 1;
        Ok(())
    }

    fn atom(&mut self) -> Result<(), String> {
        match self.rest.next() {
            Some('(') => {
                if self.rest.peek() == Some(&'?') {
                    return Err("'?' has nothing to repeat".to_owned());
                }
                self.out.push_str("(?:");
                self.expression()?;
                self.rest.next_if_eq(&')').ok_or("a '(' is not closed")?;
                self.out.push(')');
            }
            Some('[') => self.class()?,
            Some('.') => self.out.push_str(r"[^\x0A\x0D]"),
            Some('\\') => match self.escape()? {
                Escape::Char(c) => literal(&mut self.out, c),
                Escape::Class(class) => self.out.push_str(&class),
            },
            Some(c @ ('?' | '*' | '+' | '{')) => {
                return Err(format!("'{c}' has nothing to repeat"));
            }
            Some(c @ (']' | ')')) => return Err(format!("'{c}' has no counterpart")),
            Some(c) => literal(&mut self.out, c),
            None => return Err("the expression ends early".to_owned()),
        }
        Ok(())
    }

    fn quantifier(&mut self) -> Result<(), String> {
        match self.rest.peek() {
            Some(c @ ('?' | '*' | '+')) => {
                self.out.push(*c);
                self.rest.next();
            }
            Some('{') => {
                self.rest.next();
                let low = self.number()?;
                let high = match self.rest.next() {
                    Some('}') => Some(low),
                    Some(',') if self.rest.next_if_eq(&'}').is_some() => None,
                    Some(',') => {
                        let high = self.number()?;
                        if self.rest.next() != Some('}') {
                            return Err("a quantity is not closed by '}'".to_owned());
                        }
                        Some(high)
                    }
                    _ => return Err("a quantity is not closed by '}'".to_owned()),
                };
                if high.is_some_and(|high| high < low) {
                    return Err("a quantity's maximum is below its minimum".to_owned());
                }
                let _ = match high {
                    Some(high) => write!(self.out, "{{{low},{high}}}"),
                    None => write!(self.out, "{{{low},}}"),
                };
            }
            _ => {}
        }
        Ok(())
    }

    fn number(&mut self) -> Result<u32, String> {
        let mut text = String::new();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            text.push(digit);
        }
        if text.is_empty() {
            return Err("a quantity needs a number".to_owned());
        }
        let digits = text.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(0);
        }
        digits
            .parse()
            .map_err(|_| format!("the quantity {text} is too large"))
    }

    /// A character class expression, after its `[`.
    fn class(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("classes are nested deeper than {DEPTH} levels"));
        }
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut items = String::new();
        let mut first = true;
        let subtracted = loop {
            match self.rest.next() {
                None => return Err("a '[' is not closed".to_owned()),
                Some(']') if first => return Err("a character class is empty".to_owned()),
                Some(']') => break None,
                Some('[') => return Err("'[' in a class must be escaped".to_owned()),
                Some('-') if !first && self.rest.peek() == Some(&'[') => {
                    self.rest.next();
                    let at = self.out.len();
                    self.class()?;
                    let inner = self.out.split_off(at);
                    if self.rest.next() != Some(']') {
                        return Err("a subtraction must end its class".to_owned());
                    }
                    break Some(inner);
                }
                Some('-') => {
                    if !first && !matches!(self.rest.peek(), Some(']' | '-')) {
                        return Err("'-' must be escaped, first or last in a class".to_owned());
                    }
                    literal(&mut items, '-');
                }
                Some(c) => self.item(c, &mut items)?,
            }
            first = false;
        };
        let caret = if negated { "^" } else { "" };
        let _ = match subtracted {
            None => write!(self.out, "[{caret}{items}]"),
            Some(inner) => write!(self.out, "[[{caret}{items}]--{inner}]"),
        };
        self.depth -= 1;
        Ok(())
    }

    /// One member of a class: a character, a range, or an escape.
    fn item(&mut self, c: char, items: &mut String) -> Result<(), String> {
        let from = match c {
            '\\' => match self.escape()? {
                Escape::Char(c) => c,
                Escape::Class(class) => {
                    items.push_str(&class);
                    return Ok(());
                }
            },
            c => c,
        };
        literal(items, from);
        if self.rest.peek() != Some(&'-') {
            return Ok(());
        }
        let mut ahead = self.rest.clone();
        ahead.next();
        let to = match ahead.next() {
            None | Some('[' | ']') => return Ok(()),
            Some('-') => return Err("'-' cannot end a range".to_owned()),
            Some('\\') => {
                self.rest = ahead;
                match self.escape()? {
                    Escape::Char(c) => c,
                    Escape::Class(_) => return Err("a range cannot end in a class".to_owned()),
                }
            }
            Some(c) => {
                self.rest = ahead;
                c
            }
        };
        if to < from {
            return Err(format!("the range {from}-{to} is empty"));
        }
        items.push('-');
        literal(items, to);
        Ok(())
    }

    /// An escape, after its backslash.
    fn escape(&mut self) -> Result<Escape, String> {
        let letter = self.rest.next().ok_or("the expression ends in '\\'")?;
        Ok(match letter {
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            't' => Escape::Char('\t'),
            '\\' | '|' | '.' | '-' | '^' | '?' | '*' | '+' | '{' | '}' | '(' | ')' | '[' | ']' => {
                Escape::Char(letter)
            }
            's' => Escape::Class(r"[\x20\x09\x0A\x0D]".to_owned()),
            'S' => Escape::Class(r"[^\x20\x09\x0A\x0D]".to_owned()),
            'd' => Escape::Class(r"\p{Nd}".to_owned()),
            'D' => Escape::Class(r"\P{Nd}".to_owned()),
            'w' => Escape::Class(r"[^\p{P}\p{Z}\p{C}]".to_owned()),
            'W' => Escape::Class(r"[\p{P}\p{Z}\p{C}]".to_owned()),
            'i' => Escape::Class(names("", &[NAME_START])),
            'I' => Escape::Class(names("^", &[NAME_START])),
            'c' => Escape::Class(names("", &[NAME_START, NAME_MORE])),
            'C' => Escape::Class(names("^", &[NAME_START, NAME_MORE])),
            'p' | 'P' => Escape::Class(self.property(letter == 'P')?),
            other => return Err(format!("there is no escape '\\{other}'")),
        })
    }

    fn property(&mut self, negated: bool) -> Result<String, String> {
        if self.rest.next() != Some('{') {
            return Err("'\\p' needs a name in braces".to_owned());
        }
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some('}') => break,
                Some(c) if name.len() < 64 => name.push(c),
                _ => return Err("a property name is not closed by '}'".to_owned()),
            }
        }
        let caret = if negated { "^" } else { "" };
        if let Some(wanted) = name.strip_prefix("Is") {
            let Some(ranges) = block(wanted) else {
                return Err(format!("there is no character block \"{wanted}\""));
            };
            let mut out = format!("[{caret}");
            for (from, to) in ranges {
                let _ = write!(out, r"\x{{{from:X}}}-\x{{{to:X}}}");
            }
            out.push(']');
            return Ok(out);
        }
        const CATEGORIES: &[&str] = &[
            "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P",
            "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp", "S", "Sm", "Sc", "Sk",
            "So", "C", "Cc", "Cf", "Co", "Cn",
        ];
        if !CATEGORIES.contains(&name.as_str()) {
            return Err(format!("there is no character category \"{name}\""));
        }
        Ok(format!(r"[{caret}\p{{{name}}}]"))
    }
}

enum Escape {
    Char(char),
    Class(String),
}

fn literal(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        let _ = write!(out, r"\x{{{:X}}}", u32::from(c));
    }
}

fn names(caret: &str, tables: &[&[(u16, u16)]]) -> String {
    let mut out = format!("[{caret}:");
    for (from, to) in tables.iter().copied().flatten() {
        let _ = write!(out, r"\x{{{from:X}}}-\x{{{to:X}}}");
    }
    out.push(']');
    out
}
