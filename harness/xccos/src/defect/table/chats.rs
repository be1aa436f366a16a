//! Chats (2.2.2.2.9, 3.2.6).

use super::*;

#[rustfmt::skip]
pub(super) const TABLE: &[Defect] = &[
    // The element.
    d("server/chat-without-id", "XCCOSIP-2.2.2.2.9-02", "chats have no id", How::Edit(&[e("grpchat", Change::Unset("id"))])).also(&["SCHEMA", "XCCOSIP-2.2.2.2.9-04"]),
    d("server/chat-other-id", "XCCOSIP-2.2.2.2.9-04", "the id of chats is chat", How::Edit(&[e("grpchat", Change::Set("id", "chat"))])).also(&["XCCOSIP-3.2.6.3-01"]),
    d("server/chat-without-seqid", "XCCOSIP-2.2.2.2.9-05", "chats have no seqid", How::Edit(&[e("grpchat", Change::Unset("seqid"))])).also(&["SCHEMA", "XCCOSIP-2.2.2.2.9-06", "XCCOSIP-2.2.2.2.1-08"]),
    d("server/chat-seqid-word", "XCCOSIP-2.2.2.2.9-06", "the seqid of chats is no number", How::Edit(&[e("grpchat", Change::Set("seqid", "x"))])).also(&["SCHEMA", "XCCOSIP-2.2.2.2.1-08"]),
    d("server/chat-without-room", "XCCOSIP-2.2.2.2.9-08", "chats do not name their room", How::Edit(&[e("grpchat", Change::Unset("chanUri"))])).also(&["SCHEMA"]),
    d("server/chat-without-author", "XCCOSIP-2.2.2.2.9-10", "chats have no author", How::Edit(&[e("grpchat", Change::Unset("author"))])).also(&["SCHEMA"]),
    d("server/chat-author-name", "XCCOSIP-2.2.2.2.9-11", "the author of chats is no SIP URI", How::Edit(&[e("grpchat", Change::Replace("author", "sip:", ""))])),
    d("server/chat-without-name", "XCCOSIP-2.2.2.2.9-12", "chats have no display name", How::Edit(&[e("grpchat", Change::Unset("authdisp"))])).also(&["SCHEMA", "XCCOSIP-3.2.6.5-06"]),
    d("server/chat-without-alert", "XCCOSIP-2.2.2.2.9-15", "chats have no alert", How::Edit(&[e("grpchat", Change::Unset("alert"))])).also(&["SCHEMA"]),
    d("server/chat-alert-word", "XCCOSIP-2.2.2.2.9-16", "alert of chats is no Boolean", How::Edit(&[e("grpchat", Change::Set("alert", "low"))])).also(&["SCHEMA"]),
    d("server/chat-without-chatid", "XCCOSIP-2.2.2.2.9-17", "chats have no chatId", How::Edit(&[e("grpchat", Change::Unset("chatId"))])).also(&["SCHEMA", "XCCOSIP-3.2.6.5-04"]),
    d("server/chat-chatid-guid", "XCCOSIP-2.2.2.2.9-18", "the chatId of chats is a GUID", How::Edit(&[e("grpchat", Change::Set("chatId", "{guid}"))])).also(&["SCHEMA", "XCCOSIP-3.2.6.5-04"]),
    d("server/chatid-repeats", "XCCOSIP-2.2.2.2.9-20", "all chats of a room have one chatId", How::Slip(Slip::ChatIdRepeats)).also(&["XCCOSIP-3.2.6.5-03", "XCCOSIP-3.2.6.5-04", "XCCOSIP-3.2.6.1-01", "XCCOSIP-2.2.2.1.7.2.4-14"]),
    d("server/chat-without-time", "XCCOSIP-2.2.2.2.9-21", "chats have no time", How::Edit(&[e("grpchat", Change::Unset("ts"))])).also(&["SCHEMA", "XCCOSIP-3.2.6.5-05"]),
    d("server/chat-time-word", "XCCOSIP-2.2.2.2.9-22", "the time of chats is no time", How::Edit(&[e("grpchat", Change::Set("ts", "12:00"))])).also(&["SCHEMA", "XCCOSIP-6.1-06", "XCCOSIP-3.2.6.5-05"]),
    d("server/chat-without-text", "XCCOSIP-2.2.2.2.9-25", "chats have no text", How::Edit(&[e("grpchat/chat", Change::Remove)])).also(&["SCHEMA"]),
    d("server/chat-order", "XCCOSIP-2.2.2.2.9-27", "the text stands before originatingMessageId", How::Edit(&[e("grpchat/chat", Change::First)])).also(&["SCHEMA", "XCCOSIP-6.1-02"]),
    d("server/origin-without-seqid", "XCCOSIP-2.2.2.2.3-06", "originatingMessageId has no seqid", How::Edit(&[e("grpchat/originatingMessageId", Change::Unset("seqid"))])).also(&["SCHEMA", "XCCOSIP-3.2.6.5-08"]),
    d("server/origin-without-envid", "XCCOSIP-2.2.2.2.3-08", "originatingMessageId has no envid", How::Edit(&[e("grpchat/originatingMessageId", Change::Unset("envid"))])).also(&["SCHEMA", "XCCOSIP-3.2.6.5-09"]),
    // 3.2.6.5
    d("server/chat-unchecked", "XCCOSIP-3.2.6.5-01", "chats that lack mandatory attributes are taken", How::Slip(Slip::ChatUnchecked)).also(&["XCCOSIP-3.2.6.5-02"]),
    d("server/chat-refusal-unanswered", "XCCOSIP-3.2.6.5-02", "a chat that cannot be taken gets no answer", How::Slip(Slip::ChatRefusedSilently)).also(&["XCCOSIP-2.2.2.2.6-02"]),
    d("server/chatid-falls", "XCCOSIP-3.2.6.1-01", "the chatIds of a room get smaller", How::Slip(Slip::ChatIdFalls)).also(&["XCCOSIP-3.2.6.5-03", "XCCOSIP-3.2.6.5-04"]),
    d("server/chatid-from-client", "XCCOSIP-3.2.6.5-04", "the chatId that the client wrote is kept", How::Slip(Slip::ChatIdFromClient)).also(&["XCCOSIP-3.2.6.5-03", "XCCOSIP-3.2.6.1-01", "XCCOSIP-2.2.2.2.9-20"]),
    d("server/time-from-client", "XCCOSIP-3.2.6.5-05", "the time that the client wrote is kept", How::Slip(Slip::TsFromClient)).also(&["XCCOSIP-2.2.2.2.9-23"]),
    d("server/chat-empty-name", "XCCOSIP-3.2.6.5-06", "the display name of chats is empty", How::Edit(&[e("grpchat", Change::Set("authdisp", ""))])),
    d("server/chat-without-origin", "XCCOSIP-3.2.6.5-07", "chats do not say which message they stem from", How::Edit(&[e("grpchat/originatingMessageId", Change::Remove)])),
    d("server/origin-foreign-seqid", "XCCOSIP-3.2.6.5-08", "originatingMessageId has another seqid than the message", How::Edit(&[e("grpchat/originatingMessageId", Change::Set("seqid", "{cmdseq+40}"))])).also(&["XCCOSIP-3.2.6.5-07"]),
    d("server/origin-foreign-envid", "XCCOSIP-3.2.6.5-09", "originatingMessageId has another envid than the message", How::Edit(&[e("grpchat/originatingMessageId", Change::Set("envid", "{cmdenv+40}"))])).also(&["XCCOSIP-3.2.6.5-07"]),
    d("server/chat-without-echo", "XCCOSIP-3.2.6.5-11", "the author does not get the chat back", How::Slip(Slip::NoEcho)).also(&["XCCOSIP-1.3-01"]),
    d("server/chat-echo-only", "XCCOSIP-3.2.6.5-11", "only the author gets a chat", How::Slip(Slip::EchoOnly)),
    d("server/chat-one-endpoint-per-user", "XCCOSIP-3.2.6.5-11", "one endpoint of each user gets a chat", How::Slip(Slip::OneEndpointPerUser)),
    d("server/fan-out-to-all", "XCCOSIP-3.2.6.5-11", "every endpoint gets a chat, joined or not", How::Slip(Slip::FanOutToAll)).also(&["XCCOSIP-3.2.3.1-04"]),
    d("server/chat-twice", "XCCOSIP-3.2.6.5-11", "every chat comes twice", How::Post("grpchat", Post::Twice)).also(&["XCCOSIP-2.2.2.2.9-20", "XCCOSIP-3.2.6.1-01"]),
    d("server/chat-differs", "XCCOSIP-3.2.6.5-12", "the author gets another text than the others", How::Slip(Slip::OthersGetAnotherText)),
    d("server/chat-echo-as-sent", "XCCOSIP-3.2.6.5-12", "the author gets back what was sent, the others what the server made of it", How::Slip(Slip::EchoIsAsSent)).also(&["XCCOSIP-3.2.6.5-04", "XCCOSIP-3.2.6.5-05", "XCCOSIP-3.2.6.5-07", "XCCOSIP-3.2.6.5-03", "XCCOSIP-3.2.6.5-06"]),
    // Who may post.
    d("server/auditorium-open", "XCCOSIP-2.2.2.1.7.1-10", "everybody may post in an auditorium", How::Slip(Slip::AnybodyChats)),
    d("server/members-mute", "XCCOSIP-2.2.2.1.7.1-09", "only managers may post in a normal room", How::Slip(Slip::MembersMute)),
];
