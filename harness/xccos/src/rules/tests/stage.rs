/*! A stage for rule tests: writes recordings as the wire would. */

use judge::{Finding, Monitor as _, Verdict};
use std::sync::{Arc, OnceLock};

use trace::{Conn, Event, Intent, Kind, Seat, Trace};

use crate::rules::{Monitor, SchemaCheck, Setup};

/// An endpoint with its current dialog.
#[derive(Clone)]
pub struct End {
    pub conn: Conn,
    pub user: &'static str,
    call: u32,
    server: String,
    cseq: [u32; 2],
}

/// A recording being written; `edit` changes each payload on its way.
pub struct Stage {
    pub trace: Trace,
    pub at: u64,
    conns: Conn,
    calls: u32,
    edit: Box<dyn FnMut(&str) -> String>,
    pub style: Style,
}

/// How messages look.
#[derive(Clone, Copy, Default)]
pub struct Style {
    /// Compact names, folded lines, an extra header.
    pub unusual: bool,
    /// The reply comes before the SIP answer to the command.
    pub early: bool,
}

impl Stage {
    pub fn new(edit: impl FnMut(&str) -> String + 'static) -> Stage {
        Stage {
            trace: Trace::default(),
            at: 0,
            conns: 0,
            calls: 0,
            edit: Box::new(edit),
            style: Style::default(),
        }
    }

    pub fn wait(&mut self, seconds: f64) {
        self.at += (seconds * 1e6) as u64;
    }

    fn record(&mut self, conn: Conn, kind: Kind) {
        self.at += 1_000;
        self.trace.record(self.at, conn, kind);
    }

    pub fn raw(&mut self, conn: Conn, from: Seat, text: String, intent: Intent) {
        self.record(
            conn,
            Kind::Message {
                from,
                bytes: text.into_bytes(),
                intent,
            },
        );
    }

    pub fn connect(&mut self, user: &'static str) -> End {
        self.conns += 1;
        self.record(
            self.conns,
            Kind::Opened {
                endpoint: Some(user.to_owned()),
                transport: "tls 1.3".to_owned(),
                client: "127.0.0.1:40000".to_owned(),
                server: "127.0.0.1:5061".to_owned(),
            },
        );
        End {
            conn: self.conns,
            user,
            call: 0,
            server: String::new(),
            cseq: [0, 0],
        }
    }

    pub fn close(&mut self, end: &End) {
        self.record(
            end.conn,
            Kind::Closed {
                by: Some(Seat::Client),
                how: "end of stream".to_owned(),
            },
        );
    }

    fn head(
        &self,
        end: &End,
        from: Seat,
        method: &str,
        cseq: u32,
        start: &str,
        to_tag: bool,
    ) -> String {
        let (call, conn, user) = (end.call, end.conn, end.user);
        let client = format!("<sip:{user}@example.com>;tag=c{call}");
        let server = if to_tag {
            format!("<sip:{}>;tag=s{call}", end.server)
        } else {
            format!("<sip:{}>", end.server)
        };
        let (f, t) = match from {
            Seat::Client => (client, server),
            Seat::Server => (server, client),
        };
        let (via, fr, to, ci) = if self.style.unusual {
            ("v", "f", "t", "i")
        } else {
            ("Via", "From", "To", "Call-ID")
        };
        let branch = if self.style.unusual {
            String::new()
        } else {
            format!(";branch=z9hG4bK{call}x{cseq}")
        };
        let extra = if self.style.unusual {
            "X-Extra: one,\r\n two\r\nSubject:\r\n folded\r\n"
        } else {
            ""
        };
        format!(
            "{start}\r\n{via}: SIP/2.0/TLS h{conn}{branch}\r\nMax-Forwards: 70\r\n{fr}: {f}\r\n{to}: {t}\r\n{ci}: call{call}\r\nCSeq: {cseq} {method}\r\n{extra}"
        )
    }

    fn finish(head: String, body: &str) -> String {
        let kind = if body.is_empty() {
            ""
        } else {
            "Content-Type: text/plain\r\n"
        };
        format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
    }

    pub fn dial(&mut self, end: &mut End, server: &str) {
        self.calls += 1;
        end.call = self.calls;
        end.server = server.to_owned();
        end.cseq = [1, 100];
        let contact = format!("Contact: <sip:{}@h{}>\r\n", end.user, end.conn);
        let head = self.head(
            end,
            Seat::Client,
            "INVITE",
            1,
            &format!("INVITE sip:{server} SIP/2.0"),
            false,
        );
        self.raw(
            end.conn,
            Seat::Client,
            Self::finish(head + &contact, "v=0"),
            Intent::Plain,
        );
        let head = self.head(end, Seat::Client, "INVITE", 1, "SIP/2.0 200 OK", true);
        let contact = "Contact: <sip:chat@pool>\r\n".to_owned();
        self.raw(
            end.conn,
            Seat::Server,
            Self::finish(head + &contact, ""),
            Intent::Plain,
        );
        let head = self.head(
            end,
            Seat::Client,
            "ACK",
            1,
            "ACK sip:chat@pool SIP/2.0",
            true,
        );
        self.raw(
            end.conn,
            Seat::Client,
            Self::finish(head, ""),
            Intent::Plain,
        );
    }

    fn request(
        &mut self,
        end: &mut End,
        from: Seat,
        method: &str,
        body: &str,
        intent: Intent,
    ) -> u32 {
        let cseq = &mut end.cseq[from as usize];
        *cseq += 1;
        let cseq = *cseq;
        let uri = match from {
            Seat::Client => "sip:chat@pool".to_owned(),
            Seat::Server => format!("sip:{}@h{}", end.user, end.conn),
        };
        let head = self.head(
            end,
            from,
            method,
            cseq,
            &format!("{method} {uri} SIP/2.0"),
            true,
        );
        self.raw(end.conn, from, Self::finish(head, body), intent);
        cseq
    }

    pub fn answer(&mut self, end: &End, to: Seat, method: &str, cseq: u32, status: &str) {
        let head = self.head(end, to, method, cseq, &format!("SIP/2.0 {status}"), true);
        self.raw(end.conn, to.other(), Self::finish(head, ""), Intent::Plain);
    }

    pub fn info(&mut self, end: &mut End, from: Seat, xml: &str) {
        let body = (self.edit)(xml);
        let cseq = self.request(end, from, "INFO", &body, Intent::Plain);
        self.answer(end, from, "INFO", cseq, "200 OK");
    }

    pub fn broken(&mut self, end: &mut End, from: Seat, xml: &str) {
        let intent = Intent::Deliberate("test".to_owned());
        let body = (self.edit)(xml);
        let cseq = self.request(end, from, "INFO", &body, intent);
        self.answer(end, from, "INFO", cseq, "200 OK");
    }

    /// A command and its reply; the SIP answer comes between them or after.
    pub fn ask(&mut self, end: &mut End, cmd: &str, rpl: &str) {
        if !self.style.early {
            self.info(end, Seat::Client, cmd);
            self.info(end, Seat::Server, rpl);
            return;
        }
        let body = (self.edit)(cmd);
        let cseq = self.request(end, Seat::Client, "INFO", &body, Intent::Plain);
        self.info(end, Seat::Server, rpl);
        self.answer(end, Seat::Client, "INFO", cseq, "200 OK");
    }

    pub fn bye(&mut self, end: &mut End) {
        let cseq = self.request(end, Seat::Client, "BYE", "", Intent::Plain);
        self.answer(end, Seat::Client, "BYE", cseq, "200 OK");
    }
}

/// The schema in both profiles, compiled once.
pub fn schema() -> SchemaCheck {
    static COMPILED: OnceLock<[xsd::Schema; 2]> = OnceLock::new();
    Arc::new(|profile: &str, body: &[u8]| {
        let compiled = COMPILED.get_or_init(|| {
            let ledger =
                xsd::patch::Ledger::parse(include_str!("../../../../../schemas/xccos/errata.yaml"))
                    .unwrap();
            ["interop", "published"].map(|profile| {
                let text = ledger
                    .apply(
                        include_str!("../../../../../schemas/xccos/published.xsd"),
                        profile,
                    )
                    .unwrap();
                xsd::Schema::compile(vec![xsd::Source::new("xccos.xsd", text)]).unwrap()
            })
        });
        let text = std::str::from_utf8(body).unwrap();
        let document = xsd::doc::parse_str(text, &xsd::doc::Limits::default()).unwrap();
        compiled[usize::from(profile == "published")].validate(&document)
    })
}

/// All findings of a recording.
pub fn judge(trace: &[Event], setup: Setup, end: u64) -> Vec<Finding> {
    let mut monitor = Monitor::new(setup);
    let mut out = Vec::new();
    for event in trace {
        monitor.observe(event, &mut out);
    }
    monitor.finish(end, &mut out);
    out
}

/// Failures and warnings, one line each.
pub fn complaints(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .filter(|f| matches!(f.verdict, Verdict::Fail | Verdict::Warn))
        .map(|f| {
            format!(
                "{:?} {} ({}) event {:?} {:?}: {}",
                f.verdict, f.requirement, f.rule, f.event, f.place.path, f.message
            )
        })
        .collect()
}
