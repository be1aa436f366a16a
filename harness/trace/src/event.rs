use serde::{Deserialize, Serialize};

/// Time since the start of the recording, in microseconds, by the recorder's clock.
pub type Micros = u64;

/// Number of a transport connection, unique within a trace, in order of opening.
pub type Conn = u32;

/// Transport of a connection known from a log alone: what is not in it may have happened all the same.
pub const LOG: &str = "log";

/// Transport of a connection captured in both directions from its first byte to its last, without a gap.
pub const CAPTURE: &str = "tcp (captured)";

/// Transport of a connection of which a capture holds a part.
pub const PARTIAL_CAPTURE: &str = "tcp (captured in part)";

/// Which of the two parties of the protocol somebody plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seat {
    /// The chat client: opens connections, invites, sends commands.
    Client,
    /// The chat server: accepts connections, answers commands, fans chats out.
    Server,
}

impl Seat {
    /// The other party.
    pub fn other(self) -> Seat {
        match self {
            Seat::Client => Seat::Server,
            Seat::Server => Seat::Client,
        }
    }
}

/// Whether a message the harness sent was meant to be right.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Sent in good faith (always so for messages of the target).
    #[default]
    Plain,
    /// A scenario broke it on purpose; the text says how. Never blamed on anyone.
    Deliberate(String),
}

impl Intent {
    fn is_plain(&self) -> bool {
        *self == Intent::Plain
    }
}

/// One thing that happened on one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the trace, from 0.
    pub seq: u64,
    /// When, in microseconds since the recording began.
    pub at: Micros,
    /// On which connection.
    pub conn: Conn,
    /// What.
    pub kind: Kind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A connection came up.
    Opened {
        /// The scenario's name of the client endpoint behind it, when known (`alice`, `bob2`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<String>,
        /// `tcp`, `tls 1.3 …`, `memory`; [`LOG`], [`CAPTURE`], [`PARTIAL_CAPTURE`].
        transport: String,
        /// Address of the client side, as text.
        client: String,
        /// Address of the server side, as text.
        server: String,
    },
    /// A whole SIP message (or a CRLF keep-alive) left one side and is on its way to the other.
    Message {
        /// Who sent it.
        from: Seat,
        /// Its exact bytes.
        #[serde(with = "crate::event::bytes")]
        bytes: Vec<u8>,
        /// Whether the harness broke it on purpose.
        #[serde(default, skip_serializing_if = "Intent::is_plain")]
        intent: Intent,
    },
    /// Bytes that frame no SIP message: binary noise, a head without end, a cut-off body.
    Garbage {
        /// Who sent them.
        from: Seat,
        /// At most the first 64 KiB of them.
        #[serde(with = "crate::event::bytes")]
        bytes: Vec<u8>,
        /// Why no message could be framed.
        problem: String,
    },
    /// A connection went down.
    Closed {
        /// Who closed it; none when it is not known or nobody did (a time limit).
        by: Option<Seat>,
        /// How, in words (`end of stream`, `reset`, `time limit`).
        how: String,
    },
    /// The endpoint acted at the upper interface (a driver command or its answer, as JSON text).
    Upper {
        /// Endpoint the action belongs to.
        endpoint: String,
        /// True for the harness's command, false for the adapter's answer.
        command: bool,
        /// The JSON line.
        text: String,
    },
    /// A remark of the recorder or of the scenario, for the reader of the report.
    Note {
        /// The remark.
        text: String,
    },
}

/// An append-only list of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    events: Vec<Event>,
}

impl Trace {
    /// Appends what happened at `at` on `conn` and returns the event with its number.
    pub fn record(&mut self, at: Micros, conn: Conn, kind: Kind) -> &Event {
        let seq = self.events.len() as u64;
        self.events.push(Event {
            seq,
            at,
            conn,
            kind,
        });
        &self.events[seq as usize]
    }

    /// All events so far, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }
}

impl FromIterator<Event> for Trace {
    /// Takes events that are numbered already.
    fn from_iter<T: IntoIterator<Item = Event>>(events: T) -> Trace {
        Trace {
            events: events.into_iter().collect(),
        }
    }
}

/// Bytes in JSON: a string when they are UTF-8, else `{"base64": "…"}`.
pub(crate) mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Base64 {
        base64: String,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Binary(Base64),
    }

    pub fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => out.serialize_str(text),
            Err(_) => Base64 {
                base64: STANDARD.encode(bytes),
            }
            .serialize(out),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
        match Form::deserialize(input)? {
            Form::Text(text) => Ok(text.into_bytes()),
            Form::Binary(b) => STANDARD.decode(b.base64).map_err(serde::de::Error::custom),
        }
    }
}
