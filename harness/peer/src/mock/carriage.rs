/*! Defects of the carrier: SIP done wrong on purpose, to prove that the harness finds it.

Takes what a correct agent is about to send, gives what leaves instead. The
agent knows nothing of it, so everything else about the connection stays right.
*/

use sip::builder::ContentLength;
use sip::{Builder, Message};
use xccos::defect::Carriage;

/// How far wrong tags, Call-IDs and numbers are off.
const OFF: u32 = 1000;

/// The carrier's defects on one connection.
#[derive(Debug, Default)]
pub struct Distorter {
    defects: Vec<Carriage>,
    /// CSeq number of the first INFO.
    first: Option<u32>,
    /// INFOs so far.
    infos: u32,
    last_info: Option<Message>,
}

impl Distorter {
    /// With these defects.
    pub fn new(defects: Vec<Carriage>) -> Distorter {
        Distorter {
            defects,
            ..Distorter::default()
        }
    }

    /// Whether the XCCOS answer travels in the answer to the INFO.
    pub fn replies_in_answer(&self) -> bool {
        self.defects.contains(&Carriage::ReplyInAnswer)
    }

    /// What leaves instead of this message: nothing, one message, or more.
    pub fn distort(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if self.defects.is_empty() {
            return vec![bytes];
        }
        let Ok(message) = Message::parse(bytes.clone()) else {
            return vec![bytes];
        };
        let Ok(cseq) = message.cseq() else {
            return vec![bytes];
        };
        let mut builder = Builder::from_message(&message);
        let mut extra = None;
        match (message.status(), cseq.method.as_str()) {
            (None, "INFO") => {
                self.infos += 1;
                let first = *self.first.get_or_insert(cseq.seq);
                for defect in &self.defects {
                    builder = info(builder, &message, *defect, first, self.infos);
                }
                self.last_info = Some(message);
            }
            (Some(status), method) => {
                for defect in &self.defects {
                    match answer(builder, &message, *defect, status, method) {
                        Some(changed) => builder = changed,
                        None => return Vec::new(),
                    }
                }
                if method == "BYE" && self.defects.contains(&Carriage::InfoAfterBye) {
                    extra = self.last_info.as_ref().map(again);
                }
            }
            _ => {}
        }
        std::iter::once(builder.build()).chain(extra).collect()
    }
}

/// An INFO of ours, with a defect.
fn info(builder: Builder, message: &Message, defect: Carriage, first: u32, n: u32) -> Builder {
    match defect {
        Carriage::OutsideDialog => {
            let call_id = message.call_id().unwrap_or_default();
            builder
                .set("Call-ID", format!("{call_id}-other"))
                .set("To", without_tag(message))
        }
        Carriage::WrongTag => builder.set("To", format!("{};tag=wrong", without_tag(message))),
        Carriage::FrozenCSeq => builder.set("CSeq", format!("{first} INFO")),
        Carriage::FallingCSeq => {
            builder.set("CSeq", format!("{} INFO", (first + OFF).saturating_sub(n)))
        }
        Carriage::Method(method) => {
            let uri = message.request_uri().unwrap_or_default().into_owned();
            let seq = message.cseq().map_or(0, |c| c.seq);
            builder
                .set_start(format!("{method} {uri} SIP/2.0"))
                .set("CSeq", format!("{seq} {method}"))
        }
        Carriage::NoContentLength => builder.content_length(ContentLength::None),
        _ => builder,
    }
}

/// An answer of ours, with a defect; none when it is never sent.
fn answer(
    builder: Builder,
    message: &Message,
    defect: Carriage,
    status: u16,
    method: &str,
) -> Option<Builder> {
    let to_info = method == "INFO";
    Some(match defect {
        Carriage::AnswersInfo(other) if to_info && status == 200 => {
            builder.set_start(format!("SIP/2.0 {other} {}", sip::reason(other)))
        }
        Carriage::SilentOnInfo if to_info => return None,
        Carriage::SilentOnBye if method == "BYE" => return None,
        Carriage::NoToTag if method == "INVITE" && status >= 200 => {
            builder.set("To", without_tag(message))
        }
        Carriage::ForeignCallId if to_info => {
            let call_id = message.call_id().unwrap_or_default();
            builder.set("Call-ID", format!("{call_id}-other"))
        }
        Carriage::NoVia if to_info => builder.remove("Via"),
        Carriage::ForeignCSeq if to_info => {
            let seq = message.cseq().map_or(0, |c| c.seq);
            builder.set("CSeq", format!("{} INFO", seq + OFF))
        }
        Carriage::TakesAnyMethod if matches!(status, 405 | 501) => {
            builder.set_start("SIP/2.0 200 OK").remove("Allow")
        }
        Carriage::NoContact if method == "INVITE" && status == 200 => builder.remove("Contact"),
        _ => builder,
    })
}

/// To as it stands, its tag cut off.
fn without_tag(message: &Message) -> String {
    match message.to() {
        Ok(mut to) => {
            to.params.retain(|p| !p.name.eq_ignore_ascii_case("tag"));
            to.to_string()
        }
        Err(_) => message.value("To").unwrap_or_default().into_owned(),
    }
}

/// The last INFO once more, with the next number.
fn again(message: &Message) -> Vec<u8> {
    let seq = message.cseq().map_or(0, |c| c.seq);
    Builder::from_message(message)
        .set("CSeq", format!("{} INFO", seq + 2))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &[u8] = b"INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP x\r\nFrom: <sip:s@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 7 INFO\r\nContent-Length: 2\r\n\r\nhi";
    const OK: &[u8] = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP x\r\nFrom: <sip:s@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 7 INFO\r\nContent-Length: 0\r\n\r\n";

    fn one(defect: Carriage, bytes: &[u8]) -> String {
        let out = Distorter::new(vec![defect]).distort(bytes.to_vec());
        String::from_utf8(out.concat()).unwrap()
    }

    #[test]
    fn each_changes_only_its_own() {
        assert!(one(Carriage::AnswersInfo(202), OK).starts_with("SIP/2.0 202 Accepted\r\n"));
        assert_eq!(one(Carriage::SilentOnInfo, OK), "");
        assert!(one(Carriage::WrongTag, INFO).contains("To: <sip:a@b>;tag=wrong\r\n"));
        assert!(one(Carriage::OutsideDialog, INFO).contains("Call-ID: c-other\r\n"));
        assert!(one(Carriage::Method("MESSAGE"), INFO).contains("CSeq: 7 MESSAGE\r\n"));
        assert!(!one(Carriage::NoContentLength, INFO).contains("Content-Length"));
        assert!(!one(Carriage::NoVia, OK).contains("Via"));
        assert_eq!(one(Carriage::NoContact, OK).as_bytes(), OK);
        assert_eq!(one(Carriage::SilentOnInfo, INFO).as_bytes(), INFO);
    }

    #[test]
    fn numbers_freeze_and_fall() {
        let next = String::from_utf8_lossy(INFO).replace("CSeq: 7", "CSeq: 8");
        for (defect, numbers) in [
            (Carriage::FrozenCSeq, ["CSeq: 7", "CSeq: 7"]),
            (Carriage::FallingCSeq, ["CSeq: 1006", "CSeq: 1005"]),
        ] {
            let mut distorter = Distorter::new(vec![defect]);
            for (bytes, number) in [INFO, next.as_bytes()].iter().zip(numbers) {
                let out = distorter.distort(bytes.to_vec()).concat();
                assert!(String::from_utf8_lossy(&out).contains(number), "{defect:?}");
            }
        }
    }
}
