use trace::Seat;

use super::{Defect, How, Post, Slip};
use crate::edit::{Change, Edit};

/// The server's defects, in the order of the document.
pub(super) const SERVER: &[&[Defect]] = &[&[
    d(
        "join-without-reply",
        "XCCOSIP-3.2.4.5-16",
        "The reply to a join is never sent.",
        How::Post("rpl:join", Post::Drop),
    ),
    d(
        "chat-without-origin",
        "XCCOSIP-3.2.6.5-07",
        "Chats lose originatingMessageId.",
        How::Edit(&[Edit::new("grpchat/originatingMessageId", Change::Remove)]),
    ),
    d(
        "fan-out-to-all",
        "XCCOSIP-3.2.6.5-11",
        "A chat reaches every endpoint there is.",
        How::Slip(Slip::FanOutToAll),
    ),
]];

const fn d(id: &'static str, requirement: &'static str, title: &'static str, how: How) -> Defect {
    Defect {
        id,
        seat: Seat::Server,
        requirement,
        also: &[],
        title,
        how,
    }
}
