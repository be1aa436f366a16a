/*! SIP messages out of text logs.

Takes text in which SIP messages stand one after the other, with anything
between them: nothing (a followed stream), SIPp's `-trace_msg` rulers, ngrep's
`a -> b` lines, the records of Lync and OCS servers and clients, or the lines
of some other logger. Text has often lost what was on the wire (line ends
became LF, bodies were re-indented), so line ends are restored, lengths that no
longer fit are adjusted, and every such repair is told, because a judge must
not blame a peer for what a log did.
*/

mod hints;

use crate::Micros;

use super::seats::{Raw, What, seat};
use super::{Format, Reading, holes};
use hints::{Side, arrow, side_of, time_of};

/// Lines before a message that are searched for direction and time.
const CONTEXT: usize = 6;

/// One line: where it starts, where its text ends, where the next starts.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    next: usize,
}

/// Whether there is a SIP start line anywhere.
pub fn has_message(bytes: &[u8]) -> bool {
    lines(bytes).iter().any(|l| start(text(bytes, l)).is_some())
}

/// Reads a log.
pub fn read(bytes: &[u8]) -> Result<Reading, String> {
    let mut lines = lines(bytes);
    let mut raws = Vec::new();
    let mut repairs = Repairs::default();
    let mut i = 0;
    let mut context_from = 0;
    let mut times: Vec<Option<u64>> = Vec::new();
    let mut sides: Vec<Option<Side>> = Vec::new();
    while i < lines.len() {
        let Some(begin) = start(text(bytes, &lines[i])) else {
            i += 1;
            continue;
        };
        let context: Vec<&[u8]> = lines[context_from.max(i.saturating_sub(CONTEXT))..i]
            .iter()
            .map(|l| text(bytes, l))
            .chain([&text(bytes, &lines[i])[..begin.offset]])
            .collect();
        let begin_at = begin.offset;
        times.push(context.iter().rev().find_map(|l| time_of(l)));
        sides.push(side_of(&context));
        let (message, next, rest) = if begin.lync {
            lync(bytes, &lines, i, begin.offset, &mut repairs)
        } else {
            plain(bytes, &lines, i, begin, &mut repairs)
        };
        // The next message may begin on the line where this one's body ends.
        if let (Some(rest), Some(line)) = (rest, lines.get_mut(next)) {
            line.start = rest.clamp(line.start, line.end);
        }
        let headless = i == 0 && begin_at == 0 && headless(&message);
        repairs.cut_inside |= headless;
        if message.is_empty() || headless {
            times.pop();
            sides.pop();
        } else {
            raws.push(Raw {
                at: 0,
                link: None,
                stream: None,
                what: What::Message(message),
            });
        }
        i = next.max(i + 1);
        context_from = i;
    }
    if raws.is_empty() {
        return Err("no whole SIP message was found in this text".to_owned());
    }
    let mut remarks = place(&mut raws, &times, &sides);
    remarks.extend(repairs.words());
    let seated = seat(raws, |_| crate::event::LOG);
    remarks.extend(seated.remarks);
    let missing = match repairs.cut_inside {
        true => Some("some are cut".to_owned()),
        false => holes::find(&seated.trace),
    };
    let holes = missing.is_some();
    remarks.extend(missing.map(|why| holes::remark(&why)));
    Ok(Reading {
        format: Format::Log,
        trace: seated.trace,
        seats: seated.seats,
        remarks,
        holes,
    })
}

/// Whether a text that begins with this message begins inside its first word.
fn headless(message: &[u8]) -> bool {
    let Ok(message) = sip::Message::parse(message) else {
        return false;
    };
    let cseq = message.value("CSeq").map(|v| v.into_owned());
    let meant = cseq.as_deref().and_then(|v| v.split_whitespace().nth(1));
    matches!((message.method(), meant), (Some(method), Some(meant)) if meant != method && meant.ends_with(method))
}

/// Fills in times and addresses; says what is missing.
fn place(raws: &mut [Raw], times: &[Option<u64>], sides: &[Option<Side>]) -> Vec<String> {
    let mut remarks = vec![
        "a text log shows messages, not connections: framing, keep-alives and closing were not seen"
            .to_owned(),
    ];
    let known = times.iter().flatten().count();
    if known == 0 {
        remarks.push("no message has a time, so nothing can be said about time limits".to_owned());
    } else if known < times.len() {
        remarks.push(format!(
            "{} of {} messages have no time of their own and were given the one before",
            times.len() - known,
            times.len()
        ));
    }
    let base = times.iter().flatten().next().copied().unwrap_or(0);
    let mut last: Micros = 0;
    for (raw, time) in raws.iter_mut().zip(times) {
        if let Some(time) = time {
            // Past midnight the clock of a log without dates starts again.
            let mut at = time.saturating_sub(base);
            if *time < base {
                at = time + 86_400_000_000 - base.min(86_400_000_000);
            }
            last = last.max(at);
        }
        raw.at = last;
    }
    let directed = sides.iter().flatten().count();
    for (raw, side) in raws.iter_mut().zip(sides) {
        raw.link = match side {
            Some(Side::Link(from, to)) => Some((from.clone(), to.clone())),
            Some(Side::Local { sent, peer }) => {
                let local = "this side of the log".to_owned();
                let remote = peer.clone().unwrap_or_else(|| "the other side".to_owned());
                Some(if *sent {
                    (local, remote)
                } else {
                    (remote, local)
                })
            }
            None => None,
        };
    }
    if directed == 0 {
        remarks.push(
            "the log does not tell who sent what; it was concluded from the dialogs".to_owned(),
        );
    } else if directed < sides.len() {
        // Half a direction would tear dialogs apart; then the dialogs alone decide.
        for raw in raws.iter_mut() {
            raw.link = None;
        }
        remarks.push(format!(
            "only {directed} of {} messages tell who sent them, so the dialogs decided",
            sides.len()
        ));
    }
    remarks
}

/// What had to be done to messages because a text log had changed them.
#[derive(Default)]
struct Repairs {
    line_ends: usize,
    dots: usize,
    lengths: Vec<(usize, usize, usize)>,
    cut: usize,
    /// Whether one of them was cut before the end of the text.
    cut_inside: bool,
}

impl Repairs {
    /// A message stops early, and the text goes on at line `next`.
    fn cut(&mut self, next: usize, lines: &[Span]) {
        self.cut += 1;
        self.cut_inside |= next < lines.len();
    }

    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let messages = |n: usize| format!("{n} message{}", if n == 1 { "" } else { "s" });
        if self.line_ends > 0 {
            words.push(format!(
                "the log had changed the line ends of {} to LF; CRLF was restored",
                messages(self.line_ends)
            ));
        }
        if self.dots > 0 {
            words.push(format!(
                "dots that stand for line ends (ngrep -W byline) were taken out of {}",
                messages(self.dots)
            ));
        }
        if let Some((line, said, had)) = self.lengths.first() {
            words.push(format!(
                "Content-Length did not fit the logged body of {} and was adjusted (the first in line {line}: {said} said, {had} logged), so it could not be judged",
                messages(self.lengths.len())
            ));
        }
        if self.cut > 0 {
            words.push(format!(
                "the text stops inside {}, which {} left out",
                messages(self.cut),
                if self.cut == 1 { "was" } else { "were" }
            ));
        }
        words
    }
}

#[derive(Debug, Clone, Copy)]
struct Begin {
    /// Where in its line the start line begins.
    offset: usize,
    /// Whether it stands behind `Start-Line:` of a Lync record.
    lync: bool,
}

/// Whether a line holds a SIP start line, and where.
fn start(line: &[u8]) -> Option<Begin> {
    if let Some(rest) = line.strip_prefix(b"Start-Line: ") {
        return is_start(rest).then_some(Begin {
            offset: line.len() - rest.len(),
            lync: true,
        });
    }
    if is_start(line) {
        return Some(Begin {
            offset: 0,
            lync: false,
        });
    }
    // `11/20/2026|10:00:00.123 1A2C:1B3C INFO  :: INVITE sip:…` of client logs.
    let at = line.windows(4).rposition(|w| w == b" :: ")? + 4;
    is_start(&line[at..]).then_some(Begin {
        offset: at,
        lync: false,
    })
}

fn is_start(line: &[u8]) -> bool {
    if let Some(rest) = line.strip_prefix(b"SIP/2.0 ") {
        return rest.len() >= 3
            && rest[..3].iter().all(u8::is_ascii_digit)
            && rest.get(3).is_none_or(|b| *b == b' ' || *b == b'.');
    }
    let line = line.strip_suffix(b".").unwrap_or(line);
    let Some(rest) = line.strip_suffix(b" SIP/2.0") else {
        return false;
    };
    let Some(space) = rest.iter().position(|b| *b == b' ') else {
        return false;
    };
    let (method, uri) = (&rest[..space], &rest[space + 1..]);
    (2..=24).contains(&method.len())
        && method
            .iter()
            .all(|b| b.is_ascii_uppercase() || *b == b'-' || *b == b'_')
        && !uri.is_empty()
        && uri.contains(&b':')
        && !uri.contains(&b' ')
}

fn lines(bytes: &[u8]) -> Vec<Span> {
    let mut lines = Vec::new();
    let mut start = usize::from(bytes.starts_with(b"\xef\xbb\xbf")) * 3;
    for part in bytes[start..].split_inclusive(|b| *b == b'\n') {
        let next = start + part.len();
        let mut end = next;
        if bytes[..end].ends_with(b"\n") && end > start {
            end -= 1;
        }
        if bytes[start..end].ends_with(b"\r") {
            end -= 1;
        }
        lines.push(Span { start, end, next });
        start = next;
    }
    lines
}

fn text<'a>(bytes: &'a [u8], line: &Span) -> &'a [u8] {
    &bytes[line.start..line.end]
}

/// Lines that loggers put between messages.
fn is_separator(line: &[u8]) -> bool {
    let trimmed = line.trim_ascii();
    let ruler = trimmed
        .iter()
        .take_while(|b| matches!(b, b'-' | b'=' | b'*' | b'#'))
        .count();
    ruler >= 10
        || contains(trimmed, b"$$begin_record")
        || contains(trimmed, b"$$end_record")
        || contains(trimmed, b"End of Sending Packet")
        || contains(trimmed, b"End of Data Received")
        || contains(trimmed, b"Sending Packet - ")
        || contains(trimmed, b"Data Received - ")
        || arrow(trimmed).is_some()
}

fn contains(line: &[u8], what: &[u8]) -> bool {
    line.windows(what.len()).any(|w| w == what)
}

/// A message with the line after it, and where in that line the text goes on.
type Taken = (Vec<u8>, usize, Option<usize>);

/// A message that stands in the text as it was: head, empty line, body.
fn plain(bytes: &[u8], lines: &[Span], at: usize, begin: Begin, repairs: &mut Repairs) -> Taken {
    let from = lines[at].start + begin.offset;
    // The head ends at an empty line; a dot alone is ngrep's.
    let mut end = at + 1;
    let mut ended = false;
    while end < lines.len() {
        let line = text(bytes, &lines[end]);
        if line.is_empty() || line == b"." {
            ended = true;
            break;
        }
        if start(line).is_some() || is_separator(line) {
            break;
        }
        end += 1;
    }
    let head = &lines[at..end];
    let dotted = ended
        && text(bytes, &lines[end]) == b"."
        && head.iter().all(|l| text(bytes, l).ends_with(b"."));
    let crlf = head.iter().all(|l| bytes[..l.next].ends_with(b"\r\n"));
    let mut out = Vec::new();
    for (i, line) in head.iter().enumerate() {
        let mut line = if i == 0 {
            &bytes[from..line.end]
        } else {
            text(bytes, line)
        };
        if dotted {
            line = line.strip_suffix(b".").unwrap_or(line);
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    if dotted {
        repairs.dots += 1;
    } else if !crlf && ended {
        repairs.line_ends += 1;
    }
    if !ended {
        // Some logs leave out the empty line of a message without a body; every other head that stops was cut.
        if content_length(&out) != Some(0) {
            repairs.cut(end, lines);
            return (Vec::new(), end, None);
        }
        return (out, end, None);
    }
    // The body lies between the empty line and whatever comes next.
    let first = end + 1;
    let mut stop = first;
    while stop < lines.len() {
        let line = text(bytes, &lines[stop]);
        if start(line).is_some() || is_separator(line) {
            break;
        }
        stop += 1;
    }
    let announced = content_length(&out);
    let (body, next, rest) = body(bytes, lines, first, stop, announced, crlf, dotted);
    if let Some(said) = announced
        && said != body.len()
    {
        if is_part(&body, said) {
            repairs.cut(next, lines);
            return (Vec::new(), next, rest);
        }
        repairs.lengths.push((at + 1, said, body.len()));
        set_content_length(&mut out, body.len());
    }
    out.extend_from_slice(&body);
    (out, next, rest)
}

/// Whether a logged body is only the beginning of one that was `said` bytes long: shorter than changed line ends
/// explain, and no document as it stands.
fn is_part(body: &[u8], said: usize) -> bool {
    let ends = body.iter().filter(|b| **b == b'\n').count() + 2;
    let document = |body| {
        std::str::from_utf8(body)
            .ok()
            .and_then(|text| roxmltree::Document::parse(text).ok())
    };
    !body.is_empty() && said > body.len() + ends && document(body).is_none()
}

/// The body's bytes, the line after it, and where in that line the text goes on.
fn body(
    bytes: &[u8],
    lines: &[Span],
    first: usize,
    stop: usize,
    announced: Option<usize>,
    crlf: bool,
    dotted: bool,
) -> Taken {
    let Some(from) = lines.get(first).map(|l| l.start) else {
        return (Vec::new(), first, None);
    };
    let limit = lines.get(stop).map_or(bytes.len(), |l| l.start);
    let n = match announced {
        None | Some(0) => return (Vec::new(), first, None),
        Some(n) => n,
    };
    // A log that keeps CRLF in heads keeps the bytes of bodies; one that does not has most likely
    // changed their line ends as well.
    let exact = || as_it_is(bytes, lines, first, n, crlf || dotted, limit);
    let restored = || restored(bytes, &lines[first..stop], first, n, dotted);
    let found = if dotted {
        restored()
    } else if crlf {
        exact().or_else(restored)
    } else {
        restored().or_else(exact)
    };
    if let Some(found) = found {
        return found;
    }
    // The log has changed it otherwise: all there is, without the empty lines behind it.
    let mut end = limit;
    while end > from && bytes[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    let mut out = bytes[from..end].to_vec();
    if dotted {
        let mut bare = Vec::new();
        for line in out.split(|b| *b == b'\n') {
            bare.extend_from_slice(line.strip_suffix(b".").unwrap_or(line));
            bare.extend_from_slice(b"\r\n");
        }
        bare.truncate(bare.len().saturating_sub(2));
        out = bare;
    }
    (out, stop, None)
}

/// `n` bytes as they stand in the text, when something else begins behind them.
fn as_it_is(
    bytes: &[u8],
    lines: &[Span],
    first: usize,
    n: usize,
    crlf: bool,
    limit: usize,
) -> Option<Taken> {
    let from = lines.get(first)?.start;
    let end = from.checked_add(n)?;
    if end > bytes.len() || !(crlf || end <= limit) || !ends_well(bytes, lines, end) {
        return None;
    }
    let next = lines[first..]
        .iter()
        .position(|l| l.next > end)
        .map_or(lines.len(), |i| first + i);
    let rest = lines.get(next).filter(|l| l.start < end).map(|_| end);
    Some((bytes[from..end].to_vec(), next, rest))
}

/// `n` bytes with the line ends they had before the log changed them to LF, or to dots.
fn restored(bytes: &[u8], lines: &[Span], first: usize, n: usize, dotted: bool) -> Option<Taken> {
    for strip in [dotted, false] {
        let mut out = Vec::new();
        for (i, span) in lines.iter().enumerate() {
            let mut line = text(bytes, span);
            let room = n - out.len();
            if line.len() > room && is_start(&line[room..]) {
                out.extend_from_slice(&line[..room]);
                return Some((out, first + i, Some(span.start + room)));
            }
            if let (Some(bare), true) = (line.strip_suffix(b"."), strip) {
                line = bare;
            }
            out.extend_from_slice(line);
            if out.len() == n {
                return Some((out, first + i + 1, None));
            }
            out.extend_from_slice(b"\r\n");
            if out.len() == n {
                return Some((out, first + i + 1, None));
            }
            if out.len() > n {
                break;
            }
        }
    }
    None
}

/// Whether a body may end here: at the end of a line or of the text, or where a message begins.
fn ends_well(bytes: &[u8], lines: &[Span], at: usize) -> bool {
    if matches!(bytes.get(at), None | Some(b'\r' | b'\n')) || bytes[..at].ends_with(b"\n") {
        return true;
    }
    lines
        .get(lines.partition_point(|l| l.next <= at))
        .is_some_and(|l| l.start <= at && at <= l.end && is_start(&bytes[at..l.end]))
}

/// A record of a Lync or OCS server: headers behind `Start-Line:`, the body behind `Message-Body:`.
fn lync(bytes: &[u8], lines: &[Span], at: usize, offset: usize, repairs: &mut Repairs) -> Taken {
    let mut out = bytes[lines[at].start + offset..lines[at].end].to_vec();
    out.extend_from_slice(b"\r\n");
    let mut i = at + 1;
    let mut body: Option<Vec<u8>> = None;
    while i < lines.len() {
        let line = text(bytes, &lines[i]);
        if contains(line, b"$$end_record") || contains(line, b"$$begin_record") {
            break;
        }
        match &mut body {
            Some(body) => {
                body.extend_from_slice(b"\r\n");
                body.extend_from_slice(line);
            }
            None => match line.strip_prefix(b"Message-Body: ") {
                Some(first) => body = Some(first.to_vec()),
                None if line == b"Message-Body:" => body = Some(Vec::new()),
                // A head without body ends at an empty line when a record is not closed.
                None if line.is_empty() => break,
                None => {
                    out.extend_from_slice(line);
                    out.extend_from_slice(b"\r\n");
                }
            },
        }
        i += 1;
    }
    out.extend_from_slice(b"\r\n");
    let mut body = body.unwrap_or_default();
    while body.last().is_some_and(u8::is_ascii_whitespace) {
        body.pop();
    }
    if let Some(said) = content_length(&out)
        && said != body.len()
    {
        if !body.is_empty() || said > 0 {
            repairs.lengths.push((at + 1, said, body.len()));
        }
        set_content_length(&mut out, body.len());
    }
    out.extend_from_slice(&body);
    (out, i, None)
}

/// Where the number of the Content-Length header stands in a head.
fn length_span(head: &[u8]) -> Option<std::ops::Range<usize>> {
    let mut at = 0;
    for line in head.split_inclusive(|b| *b == b'\n') {
        let colon = line.iter().position(|b| *b == b':');
        if let Some(colon) = colon {
            let name = line[..colon].trim_ascii();
            if name.eq_ignore_ascii_case(b"Content-Length") || name.eq_ignore_ascii_case(b"l") {
                let value = &line[colon + 1..];
                let lead = value.len() - value.trim_ascii_start().len();
                let start = at + colon + 1 + lead;
                return Some(start..start + value.trim_ascii().len());
            }
        }
        at += line.len();
    }
    None
}

fn content_length(head: &[u8]) -> Option<usize> {
    std::str::from_utf8(&head[length_span(head)?])
        .ok()?
        .parse()
        .ok()
}

fn set_content_length(head: &mut Vec<u8>, length: usize) {
    if let Some(span) = length_span(head) {
        head.splice(span, length.to_string().bytes());
    }
}
