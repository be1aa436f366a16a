//! The target file.

use super::*;

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

pub(super) static TRANSPORT: Record = Record {
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

pub(super) static USER: Record = Record {
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

pub(super) static ROOM: Record = Record {
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

pub(super) static CATEGORY: Record = Record {
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

pub(super) static CAPABILITIES: Record = Record {
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

pub(super) static DRIVER: Record = Record {
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

pub(super) static WAIVER: Record = Record {
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
