//! Scenarios, templates and the list of steps.

use super::steps::*;
use super::*;

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

pub(super) static NEEDS: Record = Record {
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

pub(super) static ROOM_NEED: Record = Record {
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

pub(super) static ENDPOINT: Record = Record {
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
            "after",
            Shape::List(&STEP_ITEM),
            "Steps that put back what is changed from here on: played in the end, however the scenario ends, and judged by nobody.",
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
        "never", "sanity", "after", "fault", "serve", "release", "do", "answered", "note", "let",
    ],
    open: Open::No,
};

pub(super) static FOR_EACH: Record = Record {
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
