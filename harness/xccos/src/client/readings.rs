/*! Where the document contradicts itself: the reading this client takes.

Data for people and for the documentation. The ids are those of the
contradictions in the requirement catalogue.
*/

/// One contradiction and what the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Id of the contradiction.
    pub id: &'static str,
    /// Sections that matter.
    pub sections: &'static str,
    /// What the client does.
    pub reading: &'static str,
}

const fn reading(id: &'static str, sections: &'static str, reading: &'static str) -> Reading {
    Reading {
        id,
        sections,
        reading,
    }
}

/// The readings taken, by contradiction.
pub const TABLE: &[Reading] = &[
    reading(
        "XC-01",
        "2.2.2.2.9, 3.1.8.3, 6.1",
        "writes times in the extended form with milliseconds and Z, as every example does",
    ),
    reading(
        "XC-05",
        "2.2.2.1.4, 3.1.8.3",
        "author blocks of a search have nothing but uri; principals of role lists have uri, type and disabled",
    ),
    reading(
        "XC-17",
        "2.2.2.1.9, 3.2.3.5",
        "key is 0, which fits both readings, unless backchat was configured; then it is the number of messages",
    ),
    reading(
        "XC-18",
        "2.2.2.1.9, 3.1.6.3",
        "one chanid with a comma list and no blanks",
    ),
    reading(
        "XC-19",
        "2.2.2.1.10, 3.1.4.3, 3.1.4.5",
        "infoType is 1791: the list of 3.1.4.3 and roomManagementUrl, which 3.1.4.5 uses",
    ),
    reading(
        "XC-20",
        "2.2.2.1.10, 6.1",
        "reads roomManagementUrl, else roomManagementUri",
    ),
    reading("XC-21", "2.2.2.1.11, 3.1.9.3", "cmd:chansrch carries a qib"),
    reading(
        "XC-23",
        "2.2.2.1.16, 3.1.9.3",
        "keywords is present and empty",
    ),
    reading("XC-24", "2.2.2.1.15, 3.1.10.3", "writes inviteId"),
    reading(
        "XC-27",
        "2.2.2.2.2, 3.1.8.3",
        "sends cmd:bcbydate; cmd:bcbystate can be configured",
    ),
    reading(
        "XC-29",
        "2.2.2.1.18.3, 3.1.8.3",
        "sends neither msgid nor msgId",
    ),
    reading(
        "XC-30",
        "2.2.2.1.18.10, 3.1.8.3",
        "matchcase, searchbkwds and sortbkwds are false",
    ),
    reading(
        "XC-31",
        "2.2.2.1.18.7, 3.1.8.3",
        "date is always there with from and to",
    ),
    reading(
        "XC-32",
        "2.2.2.1.18.9, 3.1.8.3",
        "one command for each room, named by cib; without a room every result counts",
    ),
    reading(
        "XC-34",
        "2.2.2.1.20, 3.1.11.3, 6.1",
        "writes maxResults, the only spelling the schema has",
    ),
    reading("XC-37", "2.2.2.1.26, 3.1.18.3", "seqid of pref is 0"),
    reading("XC-38", "2.2.2.1.26", "takes gzip and zip"),
    reading(
        "XC-39",
        "2.2.2.1.26.1",
        "takes key members named key or _key_",
    ),
    reading(
        "XC-44",
        "2.2.2.2.2, 2.2.2.2.4, 3.1.3.3",
        "sends cmd:requri as the field does; cmd:requi can be configured; either reply name answers either",
    ),
    reading(
        "XC-45",
        "3.1.2.1.5, 3.2.3.5, 4.2",
        "backchat under the commandid of a bjoin counts only when its key asked for it; else it is dropped",
    ),
    reading(
        "XC-46",
        "3.1.5.5, 4.2",
        "takes user blocks beside and inside channel blocks",
    ),
    reading(
        "XC-49",
        "2.2.2.2.2, 3.1.19.3",
        "download uses cmd:getfdtok; rpl:getftok answers both",
    ),
    reading(
        "XC-50",
        "2.2.2.2.6, 3.1.2.1.5",
        "an err that names a pending command or chat ends it as failed",
    ),
    reading(
        "XC-53",
        "2.2.2.1.7.2, 3.1.17.3",
        "role lists are members, managers and presenters",
    ),
    reading(
        "XC-54",
        "2.2.2.1.1, 3.1.17.3",
        "asks for the details before cmd:updatenode and sends their audit back",
    ),
    reading(
        "XC-57",
        "2.2.2.2.9, 4.6",
        "a chat carries its own originatingMessageId and the user's display name",
    ),
    reading(
        "XC-58",
        "3.1.15.5",
        "of the list in ntc:bjoin the rooms that match count",
    ),
    reading(
        "XC-61",
        "2.2.2.2.4, 3.1.14.5",
        "only the echoed grpchat confirms a chat; rpl:grpchat is dropped",
    ),
    reading(
        "XC-64",
        "3.1.5.5, 3.2.3.5",
        "participants are the union over the role blocks",
    ),
    reading("XC-72", "2.2.2.1.27, 3.1.2.1.5", "200 alone is success"),
    reading(
        "XC-73",
        "3.1.10.5",
        "pairs may have blanks around them and a comma at the end",
    ),
    reading(
        "XC-76",
        "2.2.2.1.15, 3.1.10.4",
        "the retrieval after connecting sends register false, the user's own leaves it out",
    ),
];
