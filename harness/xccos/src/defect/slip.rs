/// A wrong turn inside the server's model. The server asks for each at the one place where it would be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slip {
    /// Joining is open to everybody (3.2.4.5).
    AnybodyJoins,
    /// Chatting is open to everybody who sees the room (2.2.2.1.7.1).
    AnybodyChats,
    /// Managing is open to everybody who sees the room (3.2.8.5).
    AnybodyManages,
    /// MEMBER and MANAGER are mixed up (2.2.2.1.20).
    AssociationsSwapped,
    /// A batch join sends all backchat it has (3.2.3.5).
    BackchatCountIgnored,
    /// A batch join sends backchat replies without messages (3.2.3.5).
    BackchatEmpty,
    /// A batch join sends no backchat replies (3.2.3.5).
    BackchatForgotten,
    /// One refused room refuses the batch (3.2.3.5).
    BjoinAllOrNothing,
    /// Only the first chanid is read (3.2.3.5).
    BjoinFirstChanidOnly,
    /// Values are not split at commas (3.2.3.5).
    BjoinNoSplit,
    /// Refused rooms are not reported (3.2.3.5).
    BjoinFailuresUnsaid,
    /// Nobody is told of changed properties (2.2.2.2.5).
    ChangeUntold,
    /// chperms has the wrong bit 8.
    ChatBitWrong,
    /// Chat ids get smaller (3.2.6.1).
    ChatIdFalls,
    /// Chat ids repeat (2.2.2.2.9).
    ChatIdRepeats,
    /// The client's chatId is kept (3.2.6.5).
    ChatIdFromClient,
    /// Chats with a missing attribute are refused without a word (2.2.2.2.6).
    ChatRefusedSilently,
    /// Missing attributes of chats are not noticed (3.2.6.5).
    ChatUnchecked,
    /// Chats are taken from endpoints outside the room.
    ChatWithoutJoin,
    /// Chats are not kept (3.2.3.1).
    ChatsForgotten,
    /// Rooms can be created without a behavior (2.2.2.1.7.1).
    CreateWithoutBehavior,
    /// Rooms can be created without a parent (2.2.2.1.7.1).
    CreateWithoutParent,
    /// Disabled rooms are found (2.2.2.1.11.1).
    DisabledRoomsShow,
    /// The author gets back what was sent (3.2.6.5).
    EchoIsAsSent,
    /// Only the author gets a chat (3.2.6.5).
    EchoOnly,
    /// `extended` means the opposite (2.2.2.1.16).
    ExtendedInverted,
    /// A chat reaches all endpoints of joined users (3.2.3.1).
    FanOutPerUser,
    /// A chat reaches every endpoint there is (3.2.6.5).
    FanOutToAll,
    /// Files may be posted although filepost is off.
    FilepostIgnored,
    /// Files may not be posted although filepost is on (2.2.2.1.7.2.3).
    FilepostRefused,
    /// A filter attribute or element of chansrch is not looked at (2.2.2.1.11).
    FilterIgnores(&'static str),
    /// Only the first command of an envelope is processed (3.2.1.5).
    FirstCommandOnly,
    /// `get` false sends messages all the same (2.2.2.1.17).
    GetIgnored,
    /// History comes without a limit (3.2.5.5).
    HistoryCountIgnored,
    /// History begins with the oldest (2.2.2.1.17.1).
    HistoryOldest,
    /// The ids of invitations stand in another order than the rooms (3.1.10.5).
    InvitationOrder,
    /// Registered invitations come again (2.2.2.1.15).
    InvitationsComeAgain,
    /// chperms has the wrong bit 7.
    JoinBitWrong,
    /// Nobody is told of a join (3.2.4.5).
    JoinUntold,
    /// A join is confirmed and not carried out (3.2.4.5).
    JoinWithoutEffect,
    /// Whoever loses a room stays in it (2.2.2.2.5).
    KickUntold,
    /// chperms has the wrong bit 2.
    ManageBitWrong,
    /// maxResult is not looked at (2.2.2.1.20).
    MaxResultIgnored,
    /// maxResults is not looked at (2.2.2.1.16).
    MaxResultsIgnored,
    /// Plain members may not post in a NORMAL room (2.2.2.1.7.1).
    MembersMute,
    /// A message identifier is not looked at (2.2.2.1.17.2).
    MsgidIgnored,
    /// Two rooms may have one name (2.2.2.1.7.1).
    NamesRepeat,
    /// The author gets no echo (3.2.6.5).
    NoEcho,
    /// Any length of text is taken (2.2.2.1.10).
    NoMessageLimit,
    /// Any length of RTF is taken (2.2.2.1.10).
    NoStoryLimit,
    /// One endpoint per user gets a chat (3.2.6.5).
    OneEndpointPerUser,
    /// Others get another text than the author (3.2.6.5).
    OthersGetAnotherText,
    /// Leaving is confirmed and not carried out (3.2.3.1).
    PartKeepsJoined,
    /// Leaving with one of two endpoints counts as leaving (3.2.3.1).
    PartTellsEarly,
    /// Nobody is told of a part (2.2.2.2.5).
    PartUntold,
    /// Permissions are told to users that are switched off (3.2.7.5).
    PermsUnchecked,
    /// A changed preference is overwritten (2.2.2.1.26).
    PrefConflictIgnored,
    /// chperms has the wrong bit 12.
    PresentBitWrong,
    /// Private rooms are found and answered for (2.2.2.1.7.2.2).
    PrivateRoomsShow,
    /// Everybody hears of a quit (2.2.2.2.5).
    QuitToAll,
    /// chperms has the wrong bit 10.
    ReadBitWrong,
    /// `register` means the opposite (2.2.2.1.15).
    RegisterInverted,
    /// The verb A does nothing (2.2.2.1.12).
    AddIgnored,
    /// The verb R does nothing (2.2.2.1.12).
    RemoveIgnored,
    /// The verb X adds (2.2.2.1.12).
    ReplaceAdds,
    /// Room URIs are not looked at (3.2.7.5).
    RoomUriUnchecked,
    /// Every file token is the same (3.1.19.5).
    SameToken,
    /// An invalid primitive stops the processing of its envelope (3.2.1.5).
    SchemaDropsEnvelope,
    /// Invalid primitives get no answer (3.2.1.5).
    SchemaSilence,
    /// The schema is not checked (3.2.1.5).
    SchemaUnchecked,
    /// The err for an invalid primitive names another command (3.2.1.5).
    SchemaErrWrongId,
    /// AND finds what OR finds (2.2.2.1.18).
    SearchAndIsOr,
    /// matchcase is not looked at (2.2.2.1.18.4).
    SearchIgnoresCase,
    /// date is not looked at (2.2.2.1.18.7).
    SearchIgnoresDates,
    /// uib is not looked at (2.2.2.1.18.8).
    SearchIgnoresAuthors,
    /// cib is not looked at (2.2.2.1.18.9).
    SearchIgnoresRooms,
    /// limit is not looked at (2.2.2.1.18.1).
    SearchIgnoresLimit,
    /// searchLimit is not held (2.2.2.1.10).
    SearchLimitExceeded,
    /// sortbkwds is not looked at (2.2.2.1.18.6).
    SearchOldestFirst,
    /// Only whole words are found (2.2.2.1.18.2).
    SearchWholeWords,
    /// infoType is not looked at (3.2.2.5).
    ServerInfoAlwaysAll,
    /// The processing timer gives 500 (3.2.1.6).
    TimeoutIs500,
    /// A token works for any file (3.1.19.5).
    TokenForAnyFile,
    /// A token works for ever (3.1.19.5).
    TokenNeverExpires,
    /// A token works more than once (3.1.19.5).
    TokenReusable,
    /// The client's time is kept (3.2.6.5).
    TsFromClient,
    /// Unknown commands get a reply of their own invention (3.2.1.5).
    UnknownCommandReply,
    /// Unknown commands get no answer (3.2.1.5).
    UnknownCommandSilence,
    /// The err for an unknown command names another one (3.2.1.5).
    UnknownErrWrongId,
    /// A listed command is not known (3.2.1.5).
    Unsupported(&'static str),
    /// updatenode takes incomplete rooms (3.2.8.5).
    UpdateUnchecked,
    /// updatenode is confirmed and not carried out (3.2.8.5).
    UpdateWithoutEffect,
    /// chperms has the wrong bit 11.
    ViewBitWrong,
}

/// A slip of whoever carries the model's messages over SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carriage {
    /// Answers INFO with this status instead of 200.
    AnswersInfo(u16),
    /// Does not answer INFO.
    SilentOnInfo,
    /// Sends INFO outside the dialog: another Call-ID and no To tag.
    OutsideDialog,
    /// Sends INFO with a wrong To tag.
    WrongTag,
    /// Repeats the CSeq number of its first request.
    FrozenCSeq,
    /// Counts CSeq backwards.
    FallingCSeq,
    /// Sends payloads in this method instead of INFO.
    Method(&'static str),
    /// Puts the XCCOS answer into the body of the 200 to the INFO, and sends no INFO.
    ReplyInAnswer,
    /// Sends the XCCOS answer before the 200 to the INFO, twice as INFO.
    SilentOnBye,
    /// Answers INVITE without a To tag.
    NoToTag,
    /// Answers with another Call-ID.
    ForeignCallId,
    /// Answers without the Via of the request.
    NoVia,
    /// Answers with another CSeq.
    ForeignCSeq,
    /// Leaves out Content-Length, on a stream.
    NoContentLength,
    /// Sends another INFO after it said or heard BYE.
    InfoAfterBye,
    /// Answers unknown methods with 200.
    TakesAnyMethod,
    /// Answers INVITE 200 without Contact.
    NoContact,
}
