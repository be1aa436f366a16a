/*! The commands of 2.2.2.2.2 as data: reply, section, what each needs, how it refuses, who handles it.

One row per command. The peers' models, the documentation and the tests read
it; adding a command is adding a row and a handler.
*/

use crate::payload::Element;

use super::commands::{files, history, invites, join, lookup, people, prefs, roles, rooms, search};
use super::refusal::Refusal;
use super::{Ask, Server};

/// What a handler gives back: the reply's data and further replies to the same command.
#[derive(Debug, Default)]
pub struct Done {
    /// The `data` of the reply.
    pub data: Option<Element>,
    /// Replies that follow in the same envelope (backchat after a batch join), as (id, data).
    pub more: Vec<(&'static str, Element)>,
}

impl Done {
    /// A reply with these data children.
    pub fn with(children: impl IntoIterator<Item = Element>) -> Done {
        Done {
            data: Some(super::blocks::data(children)),
            more: Vec::new(),
        }
    }
}

/// A handler of one command.
pub type Handler = fn(&mut Server, &Ask<'_>) -> Result<Done, Refusal>;

/// How a command that is understood and not granted is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuse {
    /// With `err`: the document says so for this command (3.2.4.5, 3.2.7.5, 3.2.8.5).
    Err,
    /// With its own reply and a code other than 200: preferred wherever possible (2.2.2.2.6).
    Rpl,
}

/// A block the command's data must hold, and attributes the block must have (none of them empty).
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// Element name in `data`.
    pub block: &'static str,
    /// Its mandatory attributes, beyond what the schema asks for.
    pub attrs: &'static [&'static str],
}

/// A command (2.2.2.2.2).
#[derive(Clone, Copy)]
pub struct Command {
    /// `cmd:join`.
    pub id: &'static str,
    /// `rpl:join` (2.2.2.2.4).
    pub reply: &'static str,
    /// The section that describes it best.
    pub section: &'static str,
    /// What its data must hold.
    pub needs: &'static [Need],
    /// How it is refused.
    pub refuse: Refuse,
    pub(super) handler: Handler,
}

const CHANIB: &[Need] = &[Need {
    block: "chanib",
    attrs: &["uri"],
}];
const CHANID: &[Need] = &[Need {
    block: "chanid",
    attrs: &[],
}];
const QIB: &[Need] = &[Need {
    block: "qib",
    attrs: &[],
}];
const BCS: &[Need] = &[Need {
    block: "bcs",
    attrs: &[],
}];
const UIB: &[Need] = &[Need {
    block: "uib",
    attrs: &["uri"],
}];
const PREF: &[Need] = &[Need {
    block: "pref",
    attrs: &["label"],
}];
const FTDB: &[Need] = &[Need {
    block: "ftdb",
    attrs: &["channelUri", "fileUrl"],
}];

macro_rules! rows {
    ($($id:literal $reply:literal $section:literal $needs:expr, $refuse:ident, $handler:path;)*) => {
        &[$(Command {
            id: $id,
            reply: $reply,
            section: $section,
            needs: $needs,
            refuse: Refuse::$refuse,
            handler: $handler,
        }),*]
    };
}

/// Every command, in the order of 2.2.2.2.2; second spellings of the document after the first (XC-27, XC-44).
pub const COMMANDS: &[Command] = rows! {
    "cmd:bjoin" "rpl:bjoin" "3.2.3.5" CHANID, Err, join::bjoin;
    "cmd:bccontext" "rpl:bccontext" "3.2.5.5" &[
        Need { block: "chanib", attrs: &["uri"] },
        Need { block: "bcq", attrs: &[] },
    ], Rpl, history::bccontext;
    "cmd:bcbydate" "rpl:bc" "2.2.2.1.18" BCS, Rpl, history::by_date;
    "cmd:bcbystate" "rpl:bc" "3.1.8.3" BCS, Rpl, history::by_date;
    "cmd:bcbymsg" "rpl:bc" "2.2.2.1.18" BCS, Rpl, history::by_message;
    "cmd:cateffquery" "rpl:cateffquery" "2.2.2.1.8" &[Need { block: "catib", attrs: &["uri"] }], Rpl, rooms::category;
    "cmd:chancreate" "rpl:chancreate" "2.2.2.1.7.1" &[Need { block: "chanib", attrs: &["name", "behavior"] }], Rpl, rooms::create;
    "cmd:chaneffquery" "rpl:chaneffquery" "3.1.12" CHANIB, Rpl, rooms::effective;
    "cmd:chansrch" "rpl:chansrch" "3.1.9" &[], Rpl, search::rooms;
    "cmd:chanmodify" "rpl:chanmodify" "2.2.2.1.7.1" CHANIB, Rpl, rooms::modify;
    "cmd:usrsrch" "rpl:usrsrch" "2.2.2.1.16" QIB, Rpl, search::users;
    "cmd:qeulmem" "rpl:qeulmem" "2.2.2.1.14" CHANIB, Rpl, roles::query_members;
    "cmd:getassociations" "rpl:getassociations" "3.1.11" &[Need { block: "association", attrs: &["type"] }], Rpl, invites::associations;
    "cmd:nodespermcreatechild" "rpl:nodespermcreatechild" "2.2.2.1.8" &[], Rpl, rooms::creatable;
    "cmd:qeulmgr" "rpl:qeulmgr" "2.2.2.1.14" CHANIB, Rpl, roles::query_managers;
    "cmd:getpl" "rpl:getpl" "2.2.2.1.22" CHANIB, Rpl, people::participants;
    "cmd:getpref" "rpl:getpref" "3.1.18" PREF, Rpl, prefs::get;
    "cmd:getscoped" "rpl:getscoped" "2.2.2.1.16" &[], Rpl, people::scoped;
    "cmd:getscopedvoice" "rpl:getscopedvoice" "2.2.2.1.16" &[], Rpl, people::scoped_voice;
    "cmd:getdetails" "rpl:getdetails" "2.2.2.1.4" &[], Rpl, people::details;
    "cmd:getuserchannels" "rpl:getuserchannels" "2.2.2.1.7" UIB, Rpl, people::channels;
    "cmd:getfutok" "rpl:getftok" "3.1.19" FTDB, Rpl, files::upload;
    "cmd:getfdtok" "rpl:getftok" "3.1.19" FTDB, Rpl, files::download;
    "cmd:qeulvoiced" "rpl:qeulvoiced" "2.2.2.1.14" CHANIB, Rpl, roles::query_presenters;
    "cmd:join" "rpl:join" "3.2.4.5" CHANID, Err, join::join;
    "cmd:chaninfo" "rpl:chaninfo" "2.2.2.1.7" CHANIB, Rpl, rooms::explicit;
    "cmd:sacemgr" "rpl:sacemgr" "2.2.2.1.14" CHANIB, Rpl, roles::set_managers;
    "cmd:sacemem" "rpl:sacemem" "2.2.2.1.14" CHANIB, Rpl, roles::set_members;
    "cmd:sacevoiced" "rpl:sacevoiced" "2.2.2.1.14" CHANIB, Rpl, roles::set_presenters;
    "cmd:part" "rpl:part" "2.2.2.2.2" CHANIB, Rpl, join::part;
    "cmd:requri" "rpl:requri" "3.1.3" &[], Rpl, lookup::request_uri;
    "cmd:requi" "rpl:requi" "3.1.3" &[], Rpl, lookup::request_uri;
    "cmd:setpref" "rpl:setpref" "2.2.2.1.26" PREF, Rpl, prefs::set;
    "cmd:getserverinfo" "rpl:getserverinfo" "3.2.2.5" &[Need { block: "sib", attrs: &["infoType"] }], Err, lookup::server_info;
    "cmd:getinv" "rpl:getinv" "3.1.10" &[Need { block: "inv", attrs: &[] }], Rpl, invites::pending;
    "cmd:updatenode" "rpl:updatenode" "3.2.8.5" CHANIB, Err, rooms::update;
    "cmd:getroomperms" "rpl:getroomperms" "3.2.7.5" CHANIB, Err, rooms::permissions;
};

/// The row of a command; ids are compared as they stand, case included.
pub fn command(id: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|row| row.id == id)
}
