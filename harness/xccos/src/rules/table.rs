/*! Commands and their replies, as data.

One row for each command of 2.2.2.2.2: the reply that answers it (2.2.2.2.4)
and the requirements that speak of it. Read by the rules of both seats.
*/

/// One command.
#[derive(Debug)]
pub(crate) struct Command {
    /// `cmd:join`.
    pub id: &'static str,
    /// `rpl:join`.
    pub reply: &'static str,
    /// That a client may send it (2.2.2.2.2).
    pub may: &'static str,
    /// That this is its reply (2.2.2.2.4).
    pub named: Option<&'static str>,
    /// That the client's request has this id (3.1.x.3).
    pub request: Option<&'static str>,
    /// That the client's request has exactly one data block (3.1.x.3).
    pub one_data: Option<&'static str>,
    /// That the server knows the command by this id (3.2.x.3).
    pub known: Option<&'static str>,
    /// That the server creates the reply (3.2.x.5).
    pub creates: Option<&'static str>,
    /// That the server sends the reply (3.2.x.5).
    pub sends: Option<&'static str>,
    /// That the reply has a data element (3.2.x.5).
    pub data: Option<&'static str>,
    /// That a command without data is checked for, and answered with err (3.2.x.5).
    pub no_data: Option<(&'static str, &'static str)>,
}

const fn plain(
    id: &'static str,
    reply: &'static str,
    may: &'static str,
    named: &'static str,
) -> Command {
    Command {
        id,
        reply,
        may,
        named: Some(named),
        request: None,
        one_data: None,
        known: None,
        creates: None,
        sends: None,
        data: None,
        no_data: None,
    }
}

const fn client(mut row: Command, request: &'static str, one_data: &'static str) -> Command {
    row.request = Some(request);
    row.one_data = Some(one_data);
    row
}

const fn server(
    mut row: Command,
    known: &'static str,
    no_data: (&'static str, &'static str),
    creates: &'static str,
    data: &'static str,
    sends: &'static str,
) -> Command {
    row.known = Some(known);
    row.no_data = Some(no_data);
    row.creates = Some(creates);
    row.data = Some(data);
    row.sends = Some(sends);
    row
}

/// Every command a server has to know, both spellings of the disputed ones included.
pub(crate) const COMMANDS: &[Command] = &[
    server(
        client(
            plain(
                "cmd:bjoin",
                "rpl:bjoin",
                "XCCOSIP-2.2.2.2.2-05",
                "XCCOSIP-2.2.2.2.4-08",
            ),
            "XCCOSIP-3.1.6.3-01",
            "XCCOSIP-3.1.6.3-02",
        ),
        "XCCOSIP-3.2.3.3-01",
        ("XCCOSIP-3.2.3.5-01", "XCCOSIP-3.2.3.5-02"),
        "XCCOSIP-3.2.3.5-12",
        "XCCOSIP-3.2.3.5-13",
        "XCCOSIP-3.2.3.5-25",
    ),
    server(
        client(
            plain(
                "cmd:bccontext",
                "rpl:bccontext",
                "XCCOSIP-2.2.2.2.2-06",
                "XCCOSIP-2.2.2.2.4-09",
            ),
            "XCCOSIP-3.1.7.3-01",
            "XCCOSIP-3.1.7.3-02",
        ),
        "XCCOSIP-3.2.5.3-01",
        ("XCCOSIP-3.2.5.5-01", "XCCOSIP-3.2.5.5-02"),
        "XCCOSIP-3.2.5.5-07",
        "XCCOSIP-3.2.5.5-08",
        "XCCOSIP-3.2.5.5-10",
    ),
    client(
        plain(
            "cmd:bcbydate",
            "rpl:bc",
            "XCCOSIP-2.2.2.2.2-07",
            "XCCOSIP-2.2.2.2.4-10",
        ),
        "XCCOSIP-3.1.8.3-01",
        "XCCOSIP-3.1.8.3-02",
    ),
    client(
        plain(
            "cmd:bcbystate",
            "rpl:bc",
            "XCCOSIP-2.2.2.2.2-07",
            "XCCOSIP-2.2.2.2.4-10",
        ),
        "XCCOSIP-3.1.8.3-01",
        "XCCOSIP-3.1.8.3-02",
    ),
    plain(
        "cmd:bcbymsg",
        "rpl:bc",
        "XCCOSIP-2.2.2.2.2-08",
        "XCCOSIP-2.2.2.2.4-10",
    ),
    plain(
        "cmd:cateffquery",
        "rpl:cateffquery",
        "XCCOSIP-2.2.2.2.2-09",
        "XCCOSIP-2.2.2.2.4-11",
    ),
    plain(
        "cmd:chancreate",
        "rpl:chancreate",
        "XCCOSIP-2.2.2.2.2-10",
        "XCCOSIP-2.2.2.2.4-12",
    ),
    client(
        plain(
            "cmd:chaneffquery",
            "rpl:chaneffquery",
            "XCCOSIP-2.2.2.2.2-11",
            "XCCOSIP-2.2.2.2.4-13",
        ),
        "XCCOSIP-3.1.12.3-01",
        "XCCOSIP-3.1.12.3-02",
    ),
    client(
        plain(
            "cmd:chansrch",
            "rpl:chansrch",
            "XCCOSIP-2.2.2.2.2-12",
            "XCCOSIP-2.2.2.2.4-14",
        ),
        "XCCOSIP-3.1.9.3-01",
        "XCCOSIP-3.1.9.3-02",
    ),
    plain(
        "cmd:chanmodify",
        "rpl:chanmodify",
        "XCCOSIP-2.2.2.2.2-13",
        "XCCOSIP-2.2.2.2.4-15",
    ),
    plain(
        "cmd:usrsrch",
        "rpl:usrsrch",
        "XCCOSIP-2.2.2.2.2-14",
        "XCCOSIP-2.2.2.2.4-16",
    ),
    plain(
        "cmd:qeulmem",
        "rpl:qeulmem",
        "XCCOSIP-2.2.2.2.2-15",
        "XCCOSIP-2.2.2.2.4-17",
    ),
    client(
        plain(
            "cmd:getassociations",
            "rpl:getassociations",
            "XCCOSIP-2.2.2.2.2-16",
            "XCCOSIP-2.2.2.2.4-18",
        ),
        "XCCOSIP-3.1.11.3-02",
        "XCCOSIP-3.1.11.3-03",
    ),
    plain(
        "cmd:nodespermcreatechild",
        "rpl:nodespermcreatechild",
        "XCCOSIP-2.2.2.2.2-17",
        "XCCOSIP-2.2.2.2.4-19",
    ),
    plain(
        "cmd:qeulmgr",
        "rpl:qeulmgr",
        "XCCOSIP-2.2.2.2.2-18",
        "XCCOSIP-2.2.2.2.4-20",
    ),
    plain(
        "cmd:getpl",
        "rpl:getpl",
        "XCCOSIP-2.2.2.2.2-19",
        "XCCOSIP-2.2.2.2.4-21",
    ),
    client(
        plain(
            "cmd:getpref",
            "rpl:getpref",
            "XCCOSIP-2.2.2.2.2-20",
            "XCCOSIP-2.2.2.2.4-22",
        ),
        "XCCOSIP-3.1.18.3-01",
        "XCCOSIP-3.1.18.3-02",
    ),
    plain(
        "cmd:getscoped",
        "rpl:getscoped",
        "XCCOSIP-2.2.2.2.2-21",
        "XCCOSIP-2.2.2.2.4-23",
    ),
    plain(
        "cmd:getscopedvoice",
        "rpl:getscopedvoice",
        "XCCOSIP-2.2.2.2.2-22",
        "XCCOSIP-2.2.2.2.4-24",
    ),
    plain(
        "cmd:getdetails",
        "rpl:getdetails",
        "XCCOSIP-2.2.2.2.2-23",
        "XCCOSIP-2.2.2.2.4-25",
    ),
    plain(
        "cmd:getuserchannels",
        "rpl:getuserchannels",
        "XCCOSIP-2.2.2.2.2-24",
        "XCCOSIP-2.2.2.2.4-26",
    ),
    client(
        plain(
            "cmd:getfutok",
            "rpl:getftok",
            "XCCOSIP-2.2.2.2.2-25",
            "XCCOSIP-2.2.2.2.4-27",
        ),
        "XCCOSIP-3.1.19.3-01",
        "XCCOSIP-3.1.19.3-03",
    ),
    client(
        plain(
            "cmd:getfdtok",
            "rpl:getftok",
            "XCCOSIP-2.2.2.2.2-26",
            "XCCOSIP-2.2.2.2.4-27",
        ),
        "XCCOSIP-3.1.19.3-02",
        "XCCOSIP-3.1.19.3-03",
    ),
    plain(
        "cmd:qeulvoiced",
        "rpl:qeulvoiced",
        "XCCOSIP-2.2.2.2.2-27",
        "XCCOSIP-2.2.2.2.4-28",
    ),
    server(
        client(
            plain(
                "cmd:join",
                "rpl:join",
                "XCCOSIP-2.2.2.2.2-28",
                "XCCOSIP-2.2.2.2.4-29",
            ),
            "XCCOSIP-3.1.5.3-01",
            "XCCOSIP-3.1.5.3-02",
        ),
        "XCCOSIP-3.2.4.3-01",
        ("XCCOSIP-3.2.4.5-01", "XCCOSIP-3.2.4.5-02"),
        "XCCOSIP-3.2.4.5-08",
        "XCCOSIP-3.2.4.5-09",
        "XCCOSIP-3.2.4.5-16",
    ),
    plain(
        "cmd:chaninfo",
        "rpl:chaninfo",
        "XCCOSIP-2.2.2.2.2-29",
        "XCCOSIP-2.2.2.2.4-30",
    ),
    plain(
        "cmd:sacemgr",
        "rpl:sacemgr",
        "XCCOSIP-2.2.2.2.2-30",
        "XCCOSIP-2.2.2.2.4-31",
    ),
    plain(
        "cmd:sacemem",
        "rpl:sacemem",
        "XCCOSIP-2.2.2.2.2-31",
        "XCCOSIP-2.2.2.2.4-32",
    ),
    plain(
        "cmd:sacevoiced",
        "rpl:sacevoiced",
        "XCCOSIP-2.2.2.2.2-32",
        "XCCOSIP-2.2.2.2.4-33",
    ),
    plain(
        "cmd:part",
        "rpl:part",
        "XCCOSIP-2.2.2.2.2-33",
        "XCCOSIP-2.2.2.2.4-34",
    ),
    Command {
        named: None,
        request: Some("XCCOSIP-3.1.3.3-01"),
        ..plain("cmd:requi", "rpl:requi", "XCCOSIP-2.2.2.2.2-34", "")
    },
    Command {
        named: None,
        request: Some("XCCOSIP-3.1.3.3-01"),
        ..plain("cmd:requri", "rpl:requri", "XCCOSIP-2.2.2.2.2-34", "")
    },
    plain(
        "cmd:setpref",
        "rpl:setpref",
        "XCCOSIP-2.2.2.2.2-35",
        "XCCOSIP-2.2.2.2.4-35",
    ),
    Command {
        known: Some("XCCOSIP-3.2.2.3-01"),
        creates: Some("XCCOSIP-3.2.2.5-01"),
        sends: Some("XCCOSIP-3.2.2.5-01"),
        ..client(
            plain(
                "cmd:getserverinfo",
                "rpl:getserverinfo",
                "XCCOSIP-2.2.2.2.2-36",
                "XCCOSIP-2.2.2.2.4-36",
            ),
            "XCCOSIP-3.1.4.3-01",
            "XCCOSIP-3.1.4.3-02",
        )
    },
    client(
        plain(
            "cmd:getinv",
            "rpl:getinv",
            "XCCOSIP-2.2.2.2.2-37",
            "XCCOSIP-2.2.2.2.4-37",
        ),
        "XCCOSIP-3.1.10.3-01",
        "XCCOSIP-3.1.10.3-02",
    ),
    server(
        client(
            plain(
                "cmd:updatenode",
                "rpl:updatenode",
                "XCCOSIP-2.2.2.2.2-38",
                "XCCOSIP-2.2.2.2.4-38",
            ),
            "XCCOSIP-3.1.17.3-01",
            "XCCOSIP-3.1.17.3-02",
        ),
        "XCCOSIP-3.2.8.3-01",
        ("XCCOSIP-3.2.8.5-01", "XCCOSIP-3.2.8.5-02"),
        "XCCOSIP-3.2.8.5-13",
        "XCCOSIP-3.2.8.5-14",
        "XCCOSIP-3.2.8.5-17",
    ),
    server(
        client(
            plain(
                "cmd:getroomperms",
                "rpl:getroomperms",
                "XCCOSIP-2.2.2.2.2-39",
                "XCCOSIP-2.2.2.2.4-39",
            ),
            "XCCOSIP-3.1.16.3-01",
            "XCCOSIP-3.1.16.3-02",
        ),
        "XCCOSIP-3.2.7.3-01",
        ("XCCOSIP-3.2.7.5-01", "XCCOSIP-3.2.7.5-02"),
        "XCCOSIP-3.2.7.5-10",
        "XCCOSIP-3.2.7.5-11",
        "XCCOSIP-3.2.7.5-16",
    ),
];

/// The notices of 2.2.2.2.5, with the entry that describes each.
pub(crate) const NOTICES: &[(&str, &str)] = &[
    ("ntc:bjoin", "XCCOSIP-2.2.2.2.5-06"),
    ("ntc:chanmodify", "XCCOSIP-2.2.2.2.5-07"),
    ("ntc:usermodify", "XCCOSIP-2.2.2.2.5-08"),
    ("ntc:invite", "XCCOSIP-2.2.2.2.5-09"),
    ("ntc:join", "XCCOSIP-2.2.2.2.5-10"),
    ("ntc:kick", "XCCOSIP-2.2.2.2.5-11"),
    ("ntc:part", "XCCOSIP-2.2.2.2.5-12"),
    ("ntc:pl", "XCCOSIP-2.2.2.2.5-13"),
    ("ntc:ploff", "XCCOSIP-2.2.2.2.5-14"),
    ("ntc:quit", "XCCOSIP-2.2.2.2.5-15"),
    ("ntc:chatmodify", "XCCOSIP-2.2.2.2.5-16"),
];

/// The command with this id.
pub(crate) fn command(id: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.id == id)
}

/// The first command that a reply of this name answers.
pub(crate) fn answered_by(reply: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.reply == reply)
}

/// Whether the list of replies holds this id.
pub(crate) fn is_reply(id: &str) -> bool {
    id == "rpl:grpchat" || COMMANDS.iter().any(|c| c.reply == id)
}

/// The command a client must have meant, by a block that no other command has.
pub(crate) fn meant(element: &crate::payload::Element) -> Option<&'static Command> {
    let data = element.first("data")?;
    let block = |name: &str| data.first(name).is_some();
    let id = if block("sib") {
        "cmd:getserverinfo"
    } else if block("inv") {
        "cmd:getinv"
    } else if block("association") {
        "cmd:getassociations"
    } else if block("bcq") {
        "cmd:bccontext"
    } else if block("bcs") {
        "cmd:bcbydate"
    } else if block("qib") || block("filtib") {
        "cmd:chansrch"
    } else if block("ftdb") {
        "cmd:getfutok"
    } else if block("pref") {
        "cmd:getpref"
    } else if let Some(chanid) = data.first("chanid") {
        let many = data.all("chanid").count() > 1
            || chanid.get("value").is_some_and(|v| v.contains(','))
            || chanid.get("key").is_some_and(|k| k.trim() != "0");
        if many { "cmd:bjoin" } else { "cmd:join" }
    } else if block("chanib") {
        let chanib = data.first("chanib")?;
        if chanib.first("audit").is_some() || chanib.get("name").is_some() {
            "cmd:updatenode"
        } else {
            nearest(
                element.get("id").unwrap_or(""),
                &["cmd:chaneffquery", "cmd:getroomperms", "cmd:part"],
            )?
        }
    } else if data.elements().next().is_none() {
        nearest(
            element.get("id").unwrap_or(""),
            &["cmd:requi", "cmd:requri"],
        )?
    } else {
        return None;
    };
    command(id)
}

/// The candidate that shares the longest beginning with a misspelt id, if that is more than `cmd:` and a letter.
fn nearest<'a>(id: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let shared = |c: &str| {
        id.bytes()
            .zip(c.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    candidates
        .iter()
        .copied()
        .max_by_key(|c| shared(c))
        .filter(|c| shared(c) > 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_agree_with_the_catalogue() {
        let catalogue = crate::catalogue();
        for row in COMMANDS {
            let may = catalogue.get(row.may).unwrap();
            let bare = row.id.trim_start_matches("cmd:");
            let aliases = ["requri", "bcbystate"];
            assert!(
                may.statement.contains(row.id) || aliases.contains(&bare),
                "{}",
                row.id
            );
            if let Some(named) = row.named {
                assert!(
                    catalogue.get(named).unwrap().statement.contains(row.reply),
                    "{}",
                    row.id
                );
            }
            let rest = [
                row.request,
                row.one_data,
                row.known,
                row.creates,
                row.sends,
                row.data,
            ];
            for id in rest
                .into_iter()
                .flatten()
                .chain(row.no_data.iter().flat_map(|n| [n.0, n.1]))
            {
                assert!(catalogue.get(id).is_some(), "{id}");
            }
        }
        for (name, id) in NOTICES {
            assert!(catalogue.get(id).unwrap().statement.contains(name));
        }
    }
}
