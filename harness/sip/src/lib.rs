/*! SIP with its exact bytes: messages, framing, user agents, and the TCP/TLS edge.

The crate has three layers; each takes what the one below gives, and only the
last does I/O. None of them knows what a body means.

1. **Messages.** A [`Framer`] cuts a byte stream into [`Frame`]s; a [`Message`]
   keeps every byte it came with and gives its parts by place, with a [`Note`]
   for each leniency. Typed views ([`Uri`], [`NameAddr`], [`CSeq`], [`Via`] …)
   read single values; their errors point into the message. A [`Builder`] makes
   messages, right ones and wrong ones.
2. **Agents.** An [`Agent`] is one end of one connection: transactions, dialogs,
   what must be answered and how (RFC 3261, 3311, 4028, 5626, 6086, 6665).
   Frames and a clock reading go in, [`Action`]s come out. Client and server run
   the same type; see [`agent`] for how it tolerates and what it remarks.
3. **The edge.** [`net`] connects, listens, does TLS, reads frames with a
   deadline, injects faults.

The messages are read by our own parser. rsip, the SIP crate one would reach
for, rejects or silently misreads much of what this protocol's peers send
(unknown methods, dots in user parts, colons in parameter values, folded and
compact headers) and does no framing; the property tests use it as a second
opinion on the subset both can read, and nothing else does.

# A server's agent

It answers REGISTER, SUBSCRIBE, OPTIONS, UPDATE, BYE and keep-alives itself and
asks about INVITE and INFO
(`examples/answer.rs` is the same on a socket):

```
use std::time::Duration;
use sip::agent::{Accept, Action, Agent, Config, Event, Transport};
use sip::{Blank, Framer, Limits, Seeded};

let mut agent = Agent::server(
    Config::server(Transport::Tls, "chat.example.com", 5061),
    Box::new(Seeded::new(1)),
);
let mut framer = Framer::new(Limits::default(), Blank::Pings);
let now = Duration::ZERO; // time since any fixed moment

framer.push(b"INVITE sip:ocschat@example.com SIP/2.0\r\n\
    Via: SIP/2.0/TLS 192.0.2.7:50000;branch=z9hG4bK1\r\n\
    From: <sip:alice@example.com>;tag=a\r\nTo: <sip:ocschat@example.com>\r\n\
    Call-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\
    Contact: <sip:alice@192.0.2.7:50000>\r\nContent-Length: 0\r\n\r\n");
while let Some(frame) = framer.next() {
    let mut todo = Vec::new();
    agent.receive(now, frame, &mut todo);
    let mut at = 0;
    while at < todo.len() {
        match todo[at].clone() {
            Action::Send(bytes) => println!("{}", String::from_utf8_lossy(&bytes)), // write and record
            Action::Event(Event::Invited { dialog, .. }) => {
                agent.accept(now, dialog, Accept::default(), &mut todo).unwrap();
            }
            Action::Event(Event::Info { tx, request, .. }) => {
                agent.answer(now, tx, 200, &mut todo).unwrap(); // or 503, or later
                // …now read request.body(), and reply with agent.info(now, dialog, "text/plain", …)
                let _ = request;
            }
            Action::Event(event) => println!("{event:?}"),
            Action::Close(why) => println!("closing: {why}"),
        }
        at += 1;
    }
}
assert_eq!(agent.dialogs().count(), 1);
```

# A client's agent

```
use std::time::Duration;
use sip::agent::{Action, Agent, Config, Invite, Transport};
use sip::{Seeded, Uri};

let alice = Uri::parse("sip:alice@example.com").unwrap();
let mut agent = Agent::client(
    Config::client(alice, Transport::Tls, "192.0.2.7", 50000),
    Box::new(Seeded::new(1)),
);
let now = Duration::ZERO;
let mut todo = Vec::new();
agent.register(now, 3600, &mut todo);
let lookup = Uri::parse("sip:ocschat@example.com").unwrap();
let (dialog, _) = agent.invite(now, &lookup, Invite::default(), &mut todo);
// When `Event::Established { dialog }` has come:
//   agent.info(now, dialog, "text/plain", "<xccos…", &mut todo)?;
//   agent.bye(now, dialog, &mut todo)?;
// An INFO of the server's is answered 200, then told as `Event::Info`.
assert!(matches!(&todo[..], [Action::Send(_), Action::Send(_)]));
assert!(agent.deadline().is_some()); // when to call agent.tick(now, …) if nothing comes
# let _ = dialog;
```

# Going around the agent

* **Raw bytes:** write them to the connection; the agent need not know.
* **A wrong request in a dialog:** [`Agent::draft`] (or `invite_draft`,
  `register_draft`, `draft_outside`) gives it correct and addressed; edit
  `draft.builder`, then [`Agent::send_draft`]. The answer is still matched.
* **A wrong, late or missing answer:** [`Agent::set_policy`] to
  `Policy::Ask`, then `answer` with any status when you like, or
  `answer_draft` + `send_answer` to edit it first; `Policy::Status(503)`,
  `Policy::Silent` for the simple cases.
* **No ACK, no repeated 2xx, no refreshes:** [`Config`] has a switch for each.
*/

pub mod agent;
pub mod builder;
pub mod dialog;
pub mod frame;
pub mod ids;
mod message;
pub mod name;
pub mod net;
mod note;
mod parse;
pub mod sdp;
pub mod view;

pub use agent::{Action, Agent, Config, Event};
pub use builder::{Builder, ContentLength, reason};
pub use dialog::{Dialog, DialogId, DialogState};
pub use frame::{Blank, Frame, FrameError, FrameErrorKind, Framer, KeepAlive, Limits};
pub use ids::{Ids, Seeded};
pub use message::{Header, Item, Message};
pub use note::{Note, NoteKind};
pub use parse::ParseError;
pub use view::{
    CSeq, Contact, EventType, MediaType, NameAddr, Param, Refresher, Scheme, SessionExpires, Uri,
    Via, ViewError,
};
