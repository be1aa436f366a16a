//! What the lines between messages tell: addresses, direction, time.

use super::contains;

/// What the lines before a message tell of who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// From one address to another.
    Link(String, String),
    /// The logging side sent or received it.
    Local { sent: bool, peer: Option<String> },
}

/// What the lines before a message, in order, tell of its direction.
pub fn side_of(context: &[&[u8]]) -> Option<Side> {
    let mut sent = None;
    let mut peer = None;
    for line in context.iter().rev() {
        if let Some((from, to)) = arrow(line) {
            return Some(Side::Link(from, to));
        }
        let lower = String::from_utf8_lossy(line).to_ascii_lowercase();
        if contains(line, b"End of ") {
            continue;
        }
        let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
        if sent.is_none() {
            if has(&["received", "incoming", "<<<", "recv ", "rx "]) {
                sent = Some(false);
            } else if has(&["sent ", "sending", "outgoing", ">>>", "transmit", "tx "])
                || lower.ends_with("sent")
            {
                sent = Some(true);
            }
        }
        if peer.is_none() {
            peer = addresses(line).into_iter().next().map(|(a, _, _)| a);
        }
    }
    Some(Side::Local { sent: sent?, peer })
}

/// `10.0.0.1:5060 -> 10.0.0.2:5061` anywhere in a line.
pub fn arrow(line: &[u8]) -> Option<(String, String)> {
    if line.len() > 500 {
        return None;
    }
    let found = addresses(line);
    let [(from, _, end), (to, start, _), ..] = found.as_slice() else {
        return None;
    };
    let between = line[*end..*start].trim_ascii();
    let arrow = [
        &b"->"[..],
        b"-->",
        b"=>",
        b"==>",
        b">",
        "\u{2192}".as_bytes(),
        b"to",
    ]
    .contains(&between);
    arrow.then(|| (from.clone(), to.clone()))
}

/// Addresses with a port in a line, with where they stand.
fn addresses(line: &[u8]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'[' | b']' | b'-');
    let mut at = 0;
    while at < line.len() && found.len() < 4 {
        if !part(&line[at]) {
            at += 1;
            continue;
        }
        let mut end = at
            + line[at..]
                .iter()
                .position(|b| !part(b))
                .unwrap_or(line.len() - at);
        let next = end;
        // `a:1->b:2` without blanks: the hyphen belongs to the arrow.
        while end > at && matches!(line[end - 1], b'-' | b'.' | b':') {
            end -= 1;
        }
        let word = &line[at..end];
        if let Some(colon) = word.iter().rposition(|b| *b == b':')
            && let (host, port) = (&word[..colon], &word[colon + 1..])
            && (1..=5).contains(&port.len())
            && port.iter().all(u8::is_ascii_digit)
            && is_host(host)
        {
            found.push((String::from_utf8_lossy(word).into_owned(), at, end));
        }
        at = next.max(at + 1);
    }
    found
}

fn is_host(host: &[u8]) -> bool {
    let v4 = host.split(|b| *b == b'.').collect::<Vec<_>>();
    let numeric = v4.len() == 4
        && v4
            .iter()
            .all(|p| (1..=3).contains(&p.len()) && p.iter().all(u8::is_ascii_digit));
    let v6 = host.starts_with(b"[") && host.ends_with(b"]");
    numeric || v6 || host == b"localhost"
}

/// Microseconds of a day (and of the date, when there is one) that a line names.
pub fn time_of(line: &[u8]) -> Option<u64> {
    let digit = |i: usize| {
        line.get(i)
            .filter(|b| b.is_ascii_digit())
            .map(|b| u64::from(b - b'0'))
    };
    let two = |i: usize| Some(digit(i)? * 10 + digit(i + 1)?);
    let mut clock = None;
    for i in 0..line.len().saturating_sub(7) {
        if line.get(i + 2) == Some(&b':')
            && line.get(i + 5) == Some(&b':')
            && (i == 0 || !line[i - 1].is_ascii_digit() && line[i - 1] != b':')
            && let (Some(h), Some(m), Some(s)) = (two(i), two(i + 3), two(i + 6))
            && h < 24
            && m < 60
            && s < 61
        {
            let mut micros = ((h * 60 + m) * 60 + s) * 1_000_000;
            if matches!(line.get(i + 8), Some(b'.' | b',')) {
                let mut unit = 100_000;
                let mut at = i + 9;
                while let (Some(d), true) = (digit(at), unit > 0) {
                    micros += d * unit;
                    unit /= 10;
                    at += 1;
                }
            }
            clock = Some((i, micros));
            break;
        }
    }
    let (at, micros) = clock?;
    Some(day_before(&line[..at]).unwrap_or(0) * 86_400_000_000 + micros)
}

/// A day number from a date (`2026-11-20`, `2026/11/20`, `11/20/2026`) right before the time.
fn day_before(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let text = text.trim_end_matches([' ', 'T', '|', '-', '\t']);
    let start = text.len().checked_sub(10)?;
    let date = text.get(start..)?;
    let parts: Vec<u64> = date
        .split(['-', '/', '.'])
        .map(|p| p.parse().ok())
        .collect::<Option<_>>()?;
    let [a, b, c] = parts[..] else { return None };
    let (year, month, day) = if a > 31 { (a, b, c) } else { (c, a, b) };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    // Days since some beginning, by the civil calendar.
    let (y, m) = if month <= 2 {
        (year - 1, month + 12)
    } else {
        (year, month)
    };
    Some(365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + day)
}
