//! Permissions and changes of rooms (3.2.7, 3.2.8, 2.2.2.1.12).

use super::*;

#[rustfmt::skip]
pub(super) const TABLE: &[Defect] = &[
    d("server/verb-a-ignored", "XCCOSIP-2.2.2.1.12-02", "the verb A adds nobody", How::Slip(Slip::AddIgnored)).also(&["XCCOSIP-3.2.8.5-12"]),
    d("server/verb-r-ignored", "XCCOSIP-2.2.2.1.12-03", "the verb R removes nobody", How::Slip(Slip::RemoveIgnored)).also(&["XCCOSIP-3.2.8.5-12"]),
    d("server/verb-x-adds", "XCCOSIP-2.2.2.1.12-04", "the verb X adds instead of replacing", How::Slip(Slip::ReplaceAdds)).also(&["XCCOSIP-3.2.8.5-12"]),
    d("server/names-repeat", "XCCOSIP-2.2.2.1.7.1-12", "two rooms may have one name", How::Slip(Slip::NamesRepeat)),
    d("server/create-without-behavior", "XCCOSIP-2.2.2.1.7.1-15", "rooms can be created without a behavior", How::Slip(Slip::CreateWithoutBehavior)),
    d("server/create-without-parent", "XCCOSIP-2.2.2.1.7.1-16", "rooms can be created without a category", How::Slip(Slip::CreateWithoutParent)),
    // Bits of chperms.
    d("server/perms-manage-bit", "XCCOSIP-2.2.2.1.4-18", "the bit for managing is inverted", How::Slip(Slip::ManageBitWrong)).also(&["XCCOSIP-3.2.7.5-15"]),
    d("server/perms-join-bit", "XCCOSIP-2.2.2.1.4-19", "the bit for joining is inverted", How::Slip(Slip::JoinBitWrong)).also(&["XCCOSIP-3.2.7.5-15"]),
    d("server/perms-chat-bit", "XCCOSIP-2.2.2.1.4-20", "the bit for chatting is inverted", How::Slip(Slip::ChatBitWrong)).also(&["XCCOSIP-3.2.7.5-15"]),
    d("server/perms-read-bit", "XCCOSIP-2.2.2.1.4-21", "the bit for reading is inverted", How::Slip(Slip::ReadBitWrong)).also(&["XCCOSIP-3.2.7.5-15"]),
    d("server/perms-view-bit", "XCCOSIP-2.2.2.1.4-22", "the bit for viewing is inverted", How::Slip(Slip::ViewBitWrong)).also(&["XCCOSIP-3.2.7.5-15"]),
    d("server/perms-present-bit", "XCCOSIP-2.2.2.1.4-23", "the bit for chatting in an auditorium is inverted", How::Slip(Slip::PresentBitWrong)).also(&["XCCOSIP-3.2.7.5-15"]),
    // 3.2.7.5
    d("server/perms-any-uri", "XCCOSIP-3.2.7.5-07", "permissions are told for URIs of no room", How::Slip(Slip::RoomUriUnchecked)).also(&["XCCOSIP-3.2.7.5-06", "XCCOSIP-3.2.7.5-08", "XCCOSIP-3.2.7.5-09"]),
    d("server/perms-without-data", "XCCOSIP-3.2.7.5-11", "the reply with permissions has no data", How::Edit(&[e("rpl:getroomperms/data", Change::Remove)])).also(&["XCCOSIP-2.2.2.2.4-46", "XCCOSIP-3.2.7.5-12"]),
    d("server/perms-without-room", "XCCOSIP-3.2.7.5-12", "the reply with permissions has no chanib", How::Edit(&[e("rpl:getroomperms/data/chanib", Change::Remove)])).also(&["XCCOSIP-3.2.7.5-13"]),
    d("server/perms-without-user", "XCCOSIP-3.2.7.5-13", "the reply with permissions has no uib", How::Edit(&[e("rpl:getroomperms/data/chanib/uib", Change::Remove)])).also(&["XCCOSIP-3.2.7.5-14"]),
    d("server/perms-without-chperms", "XCCOSIP-3.2.7.5-14", "the reply with permissions has no chperms", How::Edit(&[e("rpl:getroomperms/data/chanib/uib", Change::Unset("chperms"))])),
    d("server/perms-all-granted", "XCCOSIP-3.2.7.5-15", "everybody is told to have all permissions", How::Edit(&[e("rpl:getroomperms/data/chanib/uib", Change::Set("chperms", "7556"))])),
    d("server/perms-unanswered", "XCCOSIP-3.2.7.5-16", "cmd:getroomperms gets no reply", How::Post("rpl:getroomperms", Post::Drop)).also(&["XCCOSIP-3.1.2.1-01", "XCCOSIP-1.3-01", "XCCOSIP-3.2.7.5-10"]),
    // 3.2.8.5
    d("server/update-open-to-all", "XCCOSIP-3.2.8.5-09", "everybody may change a room", How::Slip(Slip::AnybodyManages)).also(&["XCCOSIP-3.2.8.5-08"]),
    d("server/update-unchecked", "XCCOSIP-3.2.8.5-11", "an incomplete room is taken", How::Slip(Slip::UpdateUnchecked)).also(&["XCCOSIP-3.2.8.5-10"]),
    d("server/update-without-effect", "XCCOSIP-3.2.8.5-12", "changes are confirmed and not carried out", How::Slip(Slip::UpdateWithoutEffect)).also(&["XCCOSIP-3.2.8.5-16"]),
    d("server/update-without-data", "XCCOSIP-3.2.8.5-14", "the reply to a change has no data", How::Edit(&[e("rpl:updatenode/data", Change::Remove)])).also(&["XCCOSIP-2.2.2.2.4-46", "XCCOSIP-3.2.8.5-15"]),
    d("server/update-without-room", "XCCOSIP-3.2.8.5-15", "the reply to a change has no chanib", How::Edit(&[e("rpl:updatenode/data/chanib", Change::Remove)])).also(&["XCCOSIP-3.2.8.5-16"]),
    d("server/update-old-name", "XCCOSIP-3.2.8.5-16", "the reply to a change tells another description than the new one", How::Edit(&[e("rpl:updatenode/data/chanib", Change::Set("description", "as it was"))])),
    d("server/update-without-lists", "XCCOSIP-3.1.17.5-03", "the reply to a change lacks the role lists", How::Edit(&[e("rpl:updatenode/data/chanib/members", Change::Remove), e("rpl:updatenode/data/chanib/managers", Change::Remove), e("rpl:updatenode/data/chanib/presenters", Change::Remove)])).also(&["XCCOSIP-3.2.8.5-16"]),
    d("server/update-unanswered", "XCCOSIP-3.2.8.5-17", "cmd:updatenode gets no reply", How::Post("rpl:updatenode", Post::Drop)).also(&["XCCOSIP-3.1.2.1-01", "XCCOSIP-1.3-01", "XCCOSIP-3.2.8.5-13"]),
];
