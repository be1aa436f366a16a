//! What each step takes.

use super::*;

pub(super) static REGISTER: Record = Record {
    name: "register",
    about: "A REGISTER request.",
    fields: &[
        must("from", NAMES, "Endpoints that send it."),
        field("expires", Shape::Integer, "Seconds (3600); 0 signs out."),
        field(
            "status",
            Shape::Text,
            "Answer to expect: `200`, `\">= 400\"`, `any` (200).",
        ),
        field("decides", NAMES, "Requirements the answer decides."),
    ],
    choice: &[],
    open: Open::No,
};

pub(super) static DIAL: Record = Record {
    name: "dial",
    about: "An INVITE request.",
    fields: &[
        must("from", NAMES, "Endpoints that send it."),
        must("to", Shape::Text, "`lookup`, `server`, or a SIP URI."),
        field(
            "status",
            Shape::Text,
            "Final answer to expect: `200`, `\">= 400\"`, `any` (200).",
        ),
        field(
            "within",
            Shape::Duration,
            "How long the answer may take (10s).",
        ),
        field("decides", NAMES, "Requirements the answer decides."),
        field("save", Shape::Text, "Keeps the status under this name."),
    ],
    choice: &[],
    open: Open::No,
};

pub(super) static HANG_UP: Record = Record {
    name: "hang_up",
    about: "A BYE request.",
    fields: &[
        must("from", NAMES, "Endpoints that send it."),
        field("status", Shape::Text, "Answer to expect (200)."),
        field("decides", NAMES, "Requirements the answer decides."),
    ],
    choice: &[],
    open: Open::No,
};

pub(super) static SEND: Record = Record {
    name: "send",
    about: "A message: one or several primitives in one envelope, or something rawer.",
    fields: &[
        field("from", Shape::Text, "Endpoint that sends it (client seat)."),
        field("to", Shape::Text, "Endpoint it is sent to (server seat)."),
        field(
            "at",
            Shape::Text,
            "Endpoint whose connection it goes over, in files for both seats.",
        ),
        field(
            "envelope",
            Shape::List(&Shape::Record(&PRIMITIVE)),
            "Several primitives of one envelope.",
        ),
        field(
            "xml",
            Shape::Text,
            "The inside of the envelope as text; seqids with ${seq()}.",
        ),
        field(
            "body",
            Shape::Text,
            "The whole body as text; the envelope number with ${env()}.",
        ),
        field(
            "sip",
            Shape::Either(&Shape::Text, &Shape::Record(&SIP_REQUEST)),
            "A SIP request: its parts, or the whole message as text.",
        ),
        field(
            "bytes",
            Shape::Text,
            "Bytes for the connection as they are (escapes \\r \\n \\xNN).",
        ),
        field(
            "envid",
            Shape::Text,
            "Number of the envelope, instead of the next one.",
        ),
        field(
            "envelope_attributes",
            Shape::MapOf(&Shape::Text),
            "Other attributes for the envelope (`ver`).",
        ),
        field(
            "headers",
            Shape::MapOf(&Shape::Text),
            "Further SIP headers, or others in place of the usual ones; `~` leaves one out.",
        ),
        field(
            "fragment",
            Shape::Integer,
            "Written in pieces of so many bytes.",
        ),
        field(
            "times",
            Shape::Integer,
            "So many times, each with its own numbers (1).",
        ),
        field(
            "invalid",
            Shape::Text,
            "It is wrong on purpose, and this is how.",
        ),
        field(
            "as",
            Shape::Text,
            "Remembers envid, seqid and the SIP transaction under this name.",
        ),
    ],
    choice: &[],
    open: Open::Primitives,
};

pub(super) static PRIMITIVE: Record = Record {
    name: "primitive",
    about: "One primitive of an envelope.",
    fields: &[
        field("xml", Shape::Text, "The primitive as text."),
        field(
            "as",
            Shape::Text,
            "Remembers its envid and seqid under this name.",
        ),
    ],
    choice: &[],
    open: Open::Primitives,
};

pub(super) static SIP_REQUEST: Record = Record {
    name: "sip request",
    about: "Parts of a SIP request.",
    fields: &[
        must("method", Shape::Text, "Its method, known or not."),
        field(
            "dialog",
            Shape::Bool,
            "Inside the endpoint's dialog (true).",
        ),
        field("uri", Shape::Text, "Request-URI, instead of the dialog's."),
        field(
            "headers",
            Shape::MapOf(&Shape::Text),
            "Further headers, or others in place of the usual ones; `~` leaves one out.",
        ),
        field("body", Shape::Text, "Its body."),
    ],
    choice: &[],
    open: Open::No,
};

pub(super) static SIP_PATTERN: Record = Record {
    name: "sip pattern",
    about: "What a SIP message has to look like.",
    fields: &[
        field(
            "status",
            Shape::Text,
            "It is a response with this status: `200`, `\">= 400\"`, `any`.",
        ),
        field(
            "method",
            Shape::Text,
            "It is a request with this method (a response: of such a request).",
        ),
        field(
            "headers",
            Shape::MapOf(&Shape::Test),
            "Tests of header values.",
        ),
        field("body", Shape::Test, "A test of the body."),
    ],
    choice: &[],
    open: Open::No,
};

/// One thing to wait for.
pub static EXPECT: Record = Record {
    name: "expectation",
    about: "A message of the target to wait for. What is named has to fit, the rest is free.",
    fields: &[
        field(
            "at",
            NAMES,
            "Endpoints where it has to arrive (each of them).",
        ),
        field("within", Shape::Duration, "How long it may take (10s)."),
        field(
            "answers",
            Shape::Text,
            "It answers this named message: by commandid, originatingMessageId or SIP transaction.",
        ),
        field("sip", Shape::Record(&SIP_PATTERN), "A SIP message."),
        field("closed", Shape::Bool, "The connection is closed."),
        field(
            "any_of",
            Shape::List(&EXPECT_ITEM),
            "One of these; the first that fits counts.",
        ),
        field("optional", Shape::Bool, "Fine when it does not come."),
        field(
            "since",
            Shape::Text,
            "Looks back to this named message instead of the last steps.",
        ),
        field(
            "decides",
            NAMES,
            "Requirements that hold when it came and are broken when it did not.",
        ),
        field(
            "violates",
            NAMES,
            "Requirements that are broken when it came (for an alternative).",
        ),
        field(
            "check",
            Shape::OneOrMany(&Shape::Record(&CHECK)),
            "Further looks at the same message, each on its own.",
        ),
        field(
            "reason",
            Shape::Text,
            "Why it is expected, for the finding.",
        ),
        field(
            "as",
            Shape::Text,
            "Remembers envid and seqid of the message under this name.",
        ),
    ],
    choice: &[],
    open: Open::PrimitivePatterns,
};

pub(super) static CHECK: Record = Record {
    name: "check",
    about: "A further look at an expected message; failing it does not stop the scenario.",
    fields: &[
        must("decides", NAMES, "Requirements it decides."),
        field(
            "sip",
            Shape::Record(&SIP_PATTERN),
            "The SIP message that carries it.",
        ),
        field(
            "any_of",
            Shape::List(&Shape::Record(&CHECK_ALTERNATIVE)),
            "One of these fits.",
        ),
        field("reason", Shape::Text, "What it is about, for the finding."),
    ],
    choice: &[],
    open: Open::PrimitivePatterns,
};

pub(super) static CHECK_ALTERNATIVE: Record = Record {
    name: "alternative",
    about: "One form that is right.",
    fields: &[],
    choice: &[],
    open: Open::PrimitivePatterns,
};

pub(super) static NEVER: Record = Record {
    name: "never",
    about: "A message that must not arrive for a while.",
    fields: &[
        must("at", NAMES, "Endpoints where it must not arrive."),
        must("for", Shape::Duration, "How long to watch."),
        field(
            "answers",
            Shape::Text,
            "It would answer this named message.",
        ),
        field(
            "since",
            Shape::Text,
            "Looks back to this named message instead of the last steps.",
        ),
        field("sip", Shape::Record(&SIP_PATTERN), "A SIP message."),
        field("closed", Shape::Bool, "The connection is closed."),
        field("anything", Shape::Bool, "Any message at all."),
        field(
            "decides",
            NAMES,
            "Requirements that hold when it did not arrive and are broken when it did.",
        ),
        field("reason", Shape::Text, "Why it must not, for the finding."),
    ],
    choice: &[],
    open: Open::PrimitivePatterns,
};

pub(super) static FAULT: Record = Record {
    name: "fault",
    about: "What a connection does to bytes from here on.",
    fields: &[
        must("at", NAMES, "Endpoints."),
        field("delay", Shape::Duration, "Holds each message so long."),
        field(
            "fragment",
            Shape::Integer,
            "Writes pieces of so many bytes.",
        ),
        field(
            "mute",
            Shape::Bool,
            "The harness sends nothing by itself: no 200 to an INFO, no answers.",
        ),
        field(
            "hold",
            Shape::Bool,
            "Holds what is sent until `hold: false`; then all of it goes in one piece.",
        ),
        field(
            "network",
            NAMES,
            "What the network does, as `parlance mock --fault` says it: `drop@2`, `reset@3`, `slow:1000`, `status:503:INFO`; messages count from here. `[]` ends it.",
        ),
    ],
    choice: &[],
    open: Open::No,
};

pub(super) static SERVE: Record = Record {
    name: "serve",
    about: "How the harness's server treats a request that fits, instead of the usual way.",
    fields: &[
        must("at", NAMES, "Endpoints whose requests it is about."),
        field("sip", Shape::Record(&SIP_PATTERN), "A SIP request."),
        field("any", Shape::Bool, "Every command and chat."),
        field(
            "times",
            Shape::Integer,
            "Only for so many requests (1; 0: all).",
        ),
        field(
            "hold",
            Shape::Text,
            "Holds the replies until `release` of this name.",
        ),
        field("delay", Shape::Duration, "Sends the replies so much later."),
        field(
            "drop",
            Shape::Bool,
            "Sends no reply (the SIP answer still goes).",
        ),
        field("mute", Shape::Bool, "Sends no reply and no SIP answer."),
        field("twice", Shape::Bool, "Sends each reply twice."),
        field(
            "status",
            Shape::Integer,
            "Answers at SIP level with this status and does nothing else.",
        ),
        field(
            "headers",
            Shape::MapOf(&Shape::Text),
            "Headers for the SIP answer.",
        ),
        field("bye", Shape::Bool, "Ends the dialog instead of replying."),
        field(
            "close",
            Shape::Bool,
            "Closes the connection instead of replying.",
        ),
        field(
            "edit",
            Shape::MapOf(&Shape::Any),
            "Changes the usual replies: path from the primitive (`data/uib/@uri`, `@id`) → value; `~` takes it away.",
        ),
        field(
            "reply",
            Shape::OneOrMany(&Shape::Record(&PRIMITIVE)),
            "Replies with these instead; ${request.envid}, ${request.seqid}.",
        ),
        field("body", Shape::Text, "Replies with this body instead."),
        field(
            "before",
            Shape::OneOrMany(&Shape::Record(&PRIMITIVE)),
            "Sends these first, then the usual replies.",
        ),
        field(
            "invalid",
            Shape::Text,
            "What goes out is wrong on purpose, and this is how.",
        ),
        field(
            "as",
            Shape::Text,
            "Remembers the request that fitted under this name.",
        ),
    ],
    choice: &[],
    open: Open::PrimitivePatterns,
};

pub(super) static DO: Record = Record {
    name: "do",
    about: "An action of the user of a client under test.",
    fields: &[
        must("at", Shape::Text, "Endpoint whose user acts."),
        field("as", Shape::Text, "Remembers the action under this name."),
        field(
            "within",
            Shape::Duration,
            "Waits for its answer, at most so long; without it the next step goes on at once.",
        ),
    ],
    choice: &[],
    open: Open::Actions,
};

pub(super) static ANSWERED: Record = Record {
    name: "answered",
    about: "What the client told its user about an action.",
    fields: &[
        must("to", Shape::Text, "The named action."),
        field("within", Shape::Duration, "How long it may take (15s)."),
        field("ok", Shape::Bool, "Whether it went well."),
        field(
            "error",
            Shape::JsonPattern,
            "What the error has to look like.",
        ),
        field(
            "result",
            Shape::JsonPattern,
            "What the result has to look like.",
        ),
        field("never", Shape::Duration, "It does not answer for so long."),
        field(
            "decides",
            NAMES,
            "Requirements that hold when it fits and are broken when not.",
        ),
        field(
            "check",
            Shape::OneOrMany(&Shape::Record(&ANSWER_CHECK)),
            "Further looks at the same answer, each on its own.",
        ),
        field(
            "reason",
            Shape::Text,
            "Why it is expected, for the finding.",
        ),
    ],
    choice: &[],
    open: Open::No,
};

pub(super) static ANSWER_CHECK: Record = Record {
    name: "check",
    about: "A further look at an answer.",
    fields: &[
        must("decides", NAMES, "Requirements it decides."),
        field(
            "result",
            Shape::JsonPattern,
            "What the result has to look like.",
        ),
        field(
            "error",
            Shape::JsonPattern,
            "What the error has to look like.",
        ),
        field("reason", Shape::Text, "What it is about, for the finding."),
    ],
    choice: &[],
    open: Open::No,
};
