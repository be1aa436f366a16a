/*! Whether a log lacks messages that must have been there.

Takes a trace read from text; gives the evidence of the first hole. A log that
was filtered, rotated or written by one side shows less than happened, and a
rule that concludes from what it did not see would blame a peer for the
logger's work. SIP itself tells: requests are answered, answers were asked for,
and the numbers of a dialog grow by one. What is missing before the first and
after the last message is no hole.
*/

use std::collections::{HashMap, HashSet};

use sip::Message;

use crate::{Conn, Kind, Seat, Trace};

/// Messages that may follow a request on its connection before its answer has to be there.
const PATIENCE: usize = 12;

/// One transaction: who asked on which connection, Call-ID, number, method.
type Key = (Seat, Conn, String, u32, String);

/// Why messages are missing inside the trace; none when nothing says so.
pub fn find(trace: &Trace) -> Option<String> {
    let mut asked: HashSet<Key> = HashSet::new();
    let mut open: HashMap<Key, usize> = HashMap::new();
    // The first message of a dialog that was under way has no number before it.
    let mut numbers: HashMap<(Seat, Conn, String), u32> = HashMap::new();
    let mut begun: HashSet<(Conn, String)> = HashSet::new();
    let mut spoke: HashSet<Seat> = HashSet::new();
    let mut count = 0usize;
    for event in trace.events() {
        let Kind::Message { from, bytes, .. } = &event.kind else {
            continue;
        };
        let Ok(message) = Message::parse(bytes.clone()) else {
            continue;
        };
        count += 1;
        spoke.insert(*from);
        let (Ok(cseq), Ok(call)) = (message.cseq(), message.call_id()) else {
            continue;
        };
        let key = |seat: Seat| {
            (
                seat,
                event.conn,
                call.clone(),
                cseq.seq,
                cseq.method.clone(),
            )
        };
        let Some(status) = message.status() else {
            begun.insert((event.conn, call.clone()));
            if matches!(cseq.method.as_str(), "ACK" | "CANCEL") {
                continue;
            }
            let last = numbers.insert((*from, event.conn, call.clone()), cseq.seq);
            if let Some(last) = last
                && cseq.seq > last.saturating_add(1)
            {
                return Some(format!(
                    "the requests between CSeq {last} and {} of a dialog are not there",
                    cseq.seq
                ));
            }
            if asked.insert(key(*from)) {
                open.insert(key(*from), count);
            }
            continue;
        };
        if status >= 200 {
            open.remove(&key(from.other()));
        }
        if !asked.contains(&key(from.other())) && begun.contains(&(event.conn, call.clone())) {
            return Some(format!(
                "the {} that a {status} answers is not there",
                cseq.method
            ));
        }
    }
    if spoke.len() == 1 && count > 1 {
        return Some("only one side speaks".to_owned());
    }
    let (key, _) = open
        .iter()
        .filter(|(_, at)| **at + PATIENCE < count)
        .min_by_key(|(_, at)| **at)?;
    Some(format!("the answer to {} is not there", key.4))
}

/// What the reader is told.
pub fn remark(why: &str) -> String {
    format!(
        "messages are missing inside ({why}), so only what each message shows by itself was judged, not what went before or did not follow"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Intent;

    fn message(trace: &mut Trace, from: Seat, start: &str, cseq: &str) {
        let bytes = format!("{start}\r\nCall-ID: c\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n");
        trace.record(
            0,
            0,
            Kind::Message {
                from,
                bytes: bytes.into_bytes(),
                intent: Intent::Plain,
            },
        );
    }

    fn ask(trace: &mut Trace, from: Seat, number: u32) {
        message(
            trace,
            from,
            "INFO sip:x@y SIP/2.0",
            &format!("{number} INFO"),
        );
    }

    fn answer(trace: &mut Trace, from: Seat, number: u32) {
        message(trace, from, "SIP/2.0 200 OK", &format!("{number} INFO"));
    }

    #[test]
    fn a_whole_exchange_has_none_and_each_kind_of_hole_is_seen() {
        use Seat::{Client, Server};
        let mut whole = Trace::default();
        // Begins with an answer and ends with a question: cut at both ends, whole inside.
        answer(&mut whole, Server, 4);
        for n in 5..20 {
            ask(&mut whole, Client, n);
            answer(&mut whole, Server, n);
        }
        ask(&mut whole, Server, 1);
        assert_eq!(find(&whole), None);

        let mut skipped = whole.clone();
        ask(&mut skipped, Client, 22);
        assert!(find(&skipped).unwrap().contains("between CSeq 19 and 22"));

        let mut unasked = whole.clone();
        answer(&mut unasked, Client, 2);
        assert!(find(&unasked).unwrap().contains("that a 200 answers"));

        let mut unanswered = whole.clone();
        for n in 20..27 {
            ask(&mut unanswered, Client, n);
            answer(&mut unanswered, Server, n);
        }
        assert!(find(&unanswered).unwrap().contains("the answer to INFO"));

        let mut alone = Trace::default();
        ask(&mut alone, Client, 1);
        ask(&mut alone, Client, 2);
        assert!(find(&alone).unwrap().contains("only one side"));
    }
}
