/*! The words of the language, once: tables that say which keys a mapping takes.

The checker, the JSON Schema of the editors and the reference page all read
these tables, so none of them can drift. A table says nothing about meaning;
[`super::decode`] gives that.
*/

/// What may stand at a place.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One scalar.
    Text,
    /// `true` or `false`.
    Bool,
    /// A non-negative integer.
    Integer,
    /// `300ms`, `10s`, `1m`.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A sequence of these.
    List(&'static Shape),
    /// One of these, or a sequence of them.
    OneOrMany(&'static Shape),
    /// A mapping from free names to these.
    MapOf(&'static Shape),
    /// Either.
    Either(&'static Shape, &'static Shape),
    /// A mapping with known keys.
    Record(&'static Record),
    /// An XML element to send: `@attribute`, `text()`, children by name.
    Element,
    /// An XML element to recognise: as to send, with tests for values.
    Pattern,
    /// A test of one value: a literal, or a mapping of tests.
    Test,
    /// JSON to send to the driver.
    Json,
    /// JSON to recognise, tests for values.
    JsonPattern,
    /// Anything (arguments of a template).
    Any,
}

/// A mapping with known keys.
#[derive(Debug)]
pub struct Record {
    /// What people call it.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its keys.
    pub fields: &'static [Field],
    /// Exactly one of these keys has to be there (none: no such demand).
    pub choice: &'static [&'static str],
    /// Which keys it takes besides.
    pub open: Open,
}

/// A key of a record.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// Whether it has to be there.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

/// Families of keys a record takes besides its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// None.
    No,
    /// `cmd:join`, `rpl:join`, `ntc:part`, `cmd`, `rpl`, `ntc`, `err`, `sys`, `grpchat`, each an element to send.
    Primitives,
    /// The same, each an element to recognise.
    PrimitivePatterns,
    /// Names of driver actions (`join`, `send`).
    Actions,
}

/// Classes of primitives that can be keys, alone or with `:name`.
pub const PRIMITIVES: &[&str] = &["cmd", "rpl", "ntc", "err", "sys", "grpchat"];

/// Actions of the upper tester (`contracts.md`).
pub const ACTIONS: &[&str] = &[
    "sign_in",
    "join",
    "leave",
    "sign_out",
    "send",
    "history",
    "search_messages",
    "search_rooms",
    "invitations",
    "associations",
    "room_details",
    "room_permissions",
    "modify_room",
    "file_token",
    "preferences",
    "participants",
    "last_message_id",
    "room_management_url",
    "received",
    "cancel",
];

/// Keys of a mapping of tests.
pub const TESTS: &[(&str, Shape, &str)] = &[
    ("equals", Shape::Text, "is this text"),
    (
        "integer",
        Shape::Text,
        "is a whole number; `any`, or compared: `\"> 0\"`, `\">= ${x}\"`, `\"!= 3\"`",
    ),
    (
        "items",
        Shape::Text,
        "is a JSON list of so many items: `any`, `2`, `\">= ${x}\"`; `save` keeps their number",
    ),
    (
        "time",
        Shape::Text,
        "is an ISO 8601 time: `any`, `utc` (with Z), or near the present: `\"now 5m\"`",
    ),
    (
        "regex",
        Shape::Text,
        "fits this regular expression somewhere (anchor with ^ and $)",
    ),
    ("one_of", Shape::List(&Shape::Test), "fits one of these"),
    ("not", Shape::Test, "does not fit this"),
    ("absent", Shape::Bool, "is not there"),
    ("present", Shape::Bool, "is there, whatever it holds"),
    (
        "boolean",
        Shape::Bool,
        "is this xs:boolean (`1` and `0` count)",
    ),
    ("guid", Shape::Bool, "is a GUID, in any case"),
    (
        "has",
        Shape::OneOrMany(&Shape::Text),
        "is a comma-separated list that holds each of these",
    ),
    (
        "lacks",
        Shape::OneOrMany(&Shape::Text),
        "is a comma-separated list that holds none of these",
    ),
    (
        "has_bits",
        Shape::Integer,
        "is a number with all of these bits",
    ),
    (
        "contains",
        Shape::Text,
        "holds this text somewhere, in any case",
    ),
    (
        "is",
        Shape::Bool,
        "with `contains`: whether it has to (true)",
    ),
    (
        "lacks_bits",
        Shape::Integer,
        "is a number with none of these bits",
    ),
    ("save", Shape::Text, "keeps the value under this name"),
];

/// Keys of an element pattern that count elements instead of naming a child.
pub const QUANTIFIERS: &[(&str, Shape, &str)] = &[
    ("absent", Shape::Bool, "no such element fits"),
    (
        "count",
        Shape::Text,
        "so many such elements fit: `3`, `\"<= 2\"`",
    ),
    (
        "each",
        Shape::Bool,
        "every element of that name fits, and there is one",
    ),
    ("first", Shape::Bool, "the first element of that name fits"),
];

const fn field(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field {
        key,
        shape,
        required: false,
        about,
    }
}

const fn must(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field {
        key,
        shape,
        required: true,
        about,
    }
}

const NAMES: Shape = Shape::OneOrMany(&Shape::Text);
const TEXTS: Shape = Shape::List(&Shape::Text);
static STEP_ITEM: Shape = Shape::Record(&STEP);
static EXPECT_ITEM: Shape = Shape::Record(&EXPECT);

/// A scenario file.
pub static SCENARIO: Record = Record {
    name: "scenario",
    about: "One exchange and what has to be true of it.",
    fields: &[
        must(
            "title",
            Shape::Text,
            "One line: what is true of a good target.",
        ),
        field("about", Shape::Text, "More words for the report's reader."),
        field("tags", TEXTS, "Words to select by (`--tag`)."),
        field(
            "sections",
            TEXTS,
            "Sections of the specification it is about.",
        ),
        must(
            "target",
            Shape::Word(&["server", "client", "both"]),
            "What is under test; the harness takes the other seat.",
        ),
        field(
            "covers",
            TEXTS,
            "Requirements it sets out to decide (ids or globs).",
        ),
        field(
            "needs",
            Shape::Record(&NEEDS),
            "What of the target it uses.",
        ),
        field(
            "endpoints",
            Shape::MapOf(&Shape::Record(&ENDPOINT)),
            "Connections by name, each of one user.",
        ),
        field(
            "timeout",
            Shape::Duration,
            "Longest it may take as a whole (60s).",
        ),
        must("steps", Shape::List(&STEP_ITEM), "What happens, in order."),
    ],
    choice: &[],
    open: Open::No,
};

/// A template file.
pub static TEMPLATE: Record = Record {
    name: "template",
    about: "Steps that several scenarios share.",
    fields: &[
        must(
            "title",
            Shape::Text,
            "One line: what the steps bring about.",
        ),
        field(
            "params",
            Shape::MapOf(&Shape::Any),
            "Parameters with their defaults (`~`: has to be given); used as ${name}.",
        ),
        must("steps", Shape::List(&STEP_ITEM), "What happens, in order."),
    ],
    choice: &[],
    open: Open::No,
};

static NEEDS: Record = Record {
    name: "needs",
    about: "Users and rooms of the target file that the scenario uses. A target that has none that fit skips the scenario.",
    fields: &[
        field("users", TEXTS, "Users, by the names the steps give them."),
        field(
            "disabled",
            TEXTS,
            "Users whom the server does not serve (`disabled: true` in the target file).",
        ),
        field(
            "rooms",
            Shape::Either(&TEXTS, &Shape::MapOf(&Shape::Record(&ROOM_NEED))),
            "Rooms by name, or with what has to be true of them.",
        ),
        field("categories", TEXTS, "Categories by name."),
        field(
            "capabilities",
            TEXTS,
            "Capabilities, like `cmd:getpref`, without which it is skipped.",
        ),
    ],
    choice: &[],
    open: Open::No,
};

static ROOM_NEED: Record = Record {
    name: "room need",
    about: "What has to be true of a room.",
    fields: &[
        field("members", TEXTS, "Users who are members."),
        field(
            "strangers",
            TEXTS,
            "Users who are neither members nor managers nor presenters.",
        ),
        field("managers", TEXTS, "Users who are managers."),
        field("not_managers", TEXTS, "Users who are not managers."),
        field("presenters", TEXTS, "Users who are presenters."),
        field("not_presenters", TEXTS, "Users who are not presenters."),
        field(
            "behavior",
            Shape::Word(&["NORMAL", "AUDITORIUM"]),
            "Kind of room.",
        ),
        field(
            "visibility",
            Shape::Word(&["OPEN", "SCOPED", "PRIVATE"]),
            "Who can find it.",
        ),
        field(
            "disabled",
            Shape::Bool,
            "Whether it is disabled (default: it is not).",
        ),
        field("invite", Shape::Bool, "New members have to be invited."),
    ],
    choice: &[],
    open: Open::No,
};

static ENDPOINT: Record = Record {
    name: "endpoint",
    about: "One connection of one user.",
    fields: &[must("user", Shape::Text, "A user the scenario needs.")],
    choice: &[],
    open: Open::No,
};

/// A step: exactly one action.
pub static STEP: Record = Record {
    name: "step",
    about: "One thing to do or to wait for.",
    fields: &[
        field(
            "use",
            Shape::Text,
            "Plays the steps of a template (`common/open`).",
        ),
        field(
            "with",
            Shape::MapOf(&Shape::Any),
            "Arguments of the template.",
        ),
        field(
            "when",
            Shape::OneOrMany(&Shape::Text),
            "Only when all of these are so: a capability (`cmd:getpref`, `not cmd:getpref`), a name that has a value (`known server`, `not known server`), or whose turn it is in a file for both seats (`target client`, `target server`).",
        ),
        field(
            "for_each",
            Shape::Record(&FOR_EACH),
            "Plays steps once for each value.",
        ),
        field("connect", NAMES, "Opens the connection of endpoints."),
        field(
            "register",
            Shape::Either(&NAMES, &Shape::Record(&REGISTER)),
            "Sends REGISTER for endpoints.",
        ),
        field(
            "dial",
            Shape::Record(&DIAL),
            "INVITE, and ACK of the answer.",
        ),
        field(
            "hang_up",
            Shape::Either(&NAMES, &Shape::Record(&HANG_UP)),
            "BYE in the endpoint's dialog.",
        ),
        field(
            "drop",
            NAMES,
            "Closes the connection of endpoints without a word.",
        ),
        field("send", Shape::Record(&SEND), "Sends a message."),
        field(
            "expect",
            Shape::OneOrMany(&EXPECT_ITEM),
            "Waits until all of these arrived, in any order.",
        ),
        field(
            "never",
            Shape::Record(&NEVER),
            "Nothing like this arrives for a while.",
        ),
        field(
            "sanity",
            Shape::List(&STEP_ITEM),
            "Steps whose failure makes the scenario inconclusive, not failed.",
        ),
        field(
            "fault",
            Shape::Record(&FAULT),
            "Makes a connection bad from here on.",
        ),
        field(
            "serve",
            Shape::Record(&SERVE),
            "Server seat: how to treat a request, instead of the usual way.",
        ),
        field(
            "release",
            Shape::Text,
            "Server seat: lets go what `serve … hold: name` holds.",
        ),
        field(
            "do",
            Shape::Record(&DO),
            "Client under test: what its user does now.",
        ),
        field(
            "answered",
            Shape::Record(&ANSWERED),
            "Client under test: what it tells its user.",
        ),
        field(
            "let",
            Shape::MapOf(&Shape::Text),
            "Gives names to values: used as ${name} from here on.",
        ),
        field("note", Shape::Text, "A remark for the report."),
    ],
    choice: &[
        "use", "for_each", "connect", "register", "dial", "hang_up", "drop", "send", "expect",
        "never", "sanity", "fault", "serve", "release", "do", "answered", "note", "let",
    ],
    open: Open::No,
};

static FOR_EACH: Record = Record {
    name: "for_each",
    about: "Steps played once for each value.",
    fields: &[
        must(
            "name",
            Shape::Text,
            "The name the value has in the steps: ${name}.",
        ),
        must("in", Shape::List(&Shape::Any), "The values."),
        must("steps", Shape::List(&STEP_ITEM), "The steps."),
    ],
    choice: &[],
    open: Open::No,
};

static REGISTER: Record = Record {
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

static DIAL: Record = Record {
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

static HANG_UP: Record = Record {
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

static SEND: Record = Record {
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

static PRIMITIVE: Record = Record {
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

static SIP_REQUEST: Record = Record {
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

static SIP_PATTERN: Record = Record {
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

static CHECK: Record = Record {
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

static CHECK_ALTERNATIVE: Record = Record {
    name: "alternative",
    about: "One form that is right.",
    fields: &[],
    choice: &[],
    open: Open::PrimitivePatterns,
};

static NEVER: Record = Record {
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

static FAULT: Record = Record {
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

static SERVE: Record = Record {
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

static DO: Record = Record {
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

static ANSWERED: Record = Record {
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

static ANSWER_CHECK: Record = Record {
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

/// The target file.
pub static TARGET: Record = Record {
    name: "target",
    about: "The implementation under test.",
    fields: &[
        must("name", Shape::Text, "What reports call it."),
        must(
            "implements",
            Shape::Word(&["server", "client"]),
            "Its seat.",
        ),
        field(
            "transport",
            Shape::Record(&TRANSPORT),
            "How to reach a server; for a client, where the harness listens (TLS on a free port).",
        ),
        must("domain", Shape::Text, "Its SIP domain."),
        field(
            "lookup_uri",
            Shape::Text,
            "Where the first INVITE goes (3.1.3).",
        ),
        field(
            "server_uri",
            Shape::Text,
            "A known chat server; skips the lookup.",
        ),
        field(
            "users",
            Shape::MapOf(&Shape::Record(&USER)),
            "Users by name.",
        ),
        field(
            "rooms",
            Shape::MapOf(&Shape::Record(&ROOM)),
            "Rooms by name.",
        ),
        field(
            "categories",
            Shape::MapOf(&Shape::Record(&CATEGORY)),
            "Categories by name.",
        ),
        field(
            "capabilities",
            Shape::Record(&CAPABILITIES),
            "What it does and does not do.",
        ),
        field(
            "server_info",
            Shape::MapOf(&Shape::Text),
            "Values of getserverinfo that are known; `slow_command`: one that never ends in time (3.2.1.6).",
        ),
        field(
            "driver",
            Shape::Record(&DRIVER),
            "How to start and drive a client.",
        ),
        field(
            "waivers",
            Shape::List(&Shape::Record(&WAIVER)),
            "Known violations.",
        ),
    ],
    choice: &[],
    open: Open::No,
};

static TRANSPORT: Record = Record {
    name: "transport",
    about: "How to reach the target.",
    fields: &[
        must("protocol", Shape::Word(&["tcp", "tls"]), "Transport."),
        field("address", Shape::Text, "Host and port."),
        field(
            "server_name",
            Shape::Text,
            "Name for SNI and certificate check.",
        ),
        field(
            "ca",
            Shape::Text,
            "PEM file of the certificate authorities to trust.",
        ),
        field(
            "cert",
            Shape::Text,
            "PEM file of the harness's certificate (mutual TLS).",
        ),
        field("key", Shape::Text, "PEM file of its key."),
        field(
            "insecure",
            Shape::Bool,
            "Accepts any certificate; every report says so.",
        ),
    ],
    choice: &[],
    open: Open::No,
};

static USER: Record = Record {
    name: "user",
    about: "A user of the target.",
    fields: &[
        must("uri", Shape::Text, "SIP URI."),
        field("name", Shape::Text, "Display name."),
        field("guid", Shape::Text, "GUID."),
        field("email", Shape::Text, "Mail address."),
        field("company", Shape::Text, "Company."),
        field("path", Shape::Text, "Distinguished name."),
        field("disabled", Shape::Bool, "Whether the account is disabled."),
    ],
    choice: &[],
    open: Open::No,
};

static ROOM: Record = Record {
    name: "room",
    about: "A room of the target.",
    fields: &[
        must("uri", Shape::Text, "`ma-chan://domain/guid`."),
        field("name", Shape::Text, "Display name."),
        field("description", Shape::Text, "Description."),
        field("parent", Shape::Text, "Category it is in, by name."),
        field(
            "behavior",
            Shape::Word(&["NORMAL", "AUDITORIUM"]),
            "Kind (NORMAL).",
        ),
        field(
            "visibility",
            Shape::Word(&["OPEN", "SCOPED", "PRIVATE"]),
            "Who can find it (SCOPED).",
        ),
        field("disabled", Shape::Bool, "Whether it is disabled."),
        field("invite", Shape::Bool, "Whether members get invitations."),
        field("members", TEXTS, "Users who may join."),
        field("managers", TEXTS, "Users who manage it."),
        field("presenters", TEXTS, "Users who may chat in an auditorium."),
        field("history", Shape::Any, "Past chats (a world file has them)."),
    ],
    choice: &[],
    open: Open::No,
};

static CATEGORY: Record = Record {
    name: "category",
    about: "A category of the target.",
    fields: &[
        must("uri", Shape::Text, "`ma-cat://domain/guid`."),
        field("name", Shape::Text, "Display name."),
        field("description", Shape::Text, "Description."),
        field("parent", Shape::Text, "Category it is in, by name."),
        field("creators", TEXTS, "Users who may create rooms in it."),
    ],
    choice: &[],
    open: Open::No,
};

static CAPABILITIES: Record = Record {
    name: "capabilities",
    about: "Gates scenarios. What is declared as supported and answers \"unsupported\" is a failure.",
    fields: &[
        field("supported", TEXTS, "Declared."),
        field(
            "unsupported",
            TEXTS,
            "Not there: scenarios that need it are skipped.",
        ),
    ],
    choice: &[],
    open: Open::No,
};

static DRIVER: Record = Record {
    name: "driver",
    about: "The adapter of a client under test.",
    fields: &[must(
        "command",
        Shape::OneOrMany(&Shape::Text),
        "Program and arguments.",
    )],
    choice: &[],
    open: Open::No,
};

static WAIVER: Record = Record {
    name: "waiver",
    about: "A known violation that does not count.",
    fields: &[
        must("requirement", Shape::Text, "Its id, or a glob."),
        field(
            "scenario",
            Shape::Text,
            "Only in scenarios that fit this glob.",
        ),
        must("reason", Shape::Text, "Why it is accepted."),
        field(
            "message",
            Shape::Text,
            "Only while the finding holds this text.",
        ),
        field("until", Shape::Text, "Last day it counts, YYYY-MM-DD."),
    ],
    choice: &[],
    open: Open::No,
};
