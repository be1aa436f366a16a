/*! The half of an agent that asks: requests out (RFC 3261 8.1, 12.2.1, 13.2, 17.1).

Every request can also be had as a [`Draft`]: correct and addressed, but not
sent, for a layer above that wants to add to it or to break it on purpose.
*/

use std::time::Duration;

use super::event::{Action, Ended, Event, RequestId};
use super::transaction::{ClientTx, InviteTx};
use super::{Agent, AgentError};
use crate::builder::Builder;
use crate::dialog::{Dialog, DialogId, DialogState};
use crate::sdp;
use crate::view::{NameAddr, Uri};

/// A request of ours before it is sent. Edit `builder` at will; the answer still finds its way back.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The request as the agent would send it.
    pub builder: Builder,
    method: String,
    branch: String,
    call_id: String,
    seq: u32,
    dialog: Option<DialogId>,
    refresh: bool,
}

/// What goes into an INVITE besides the target.
#[derive(Debug, Clone, Default)]
pub struct Invite {
    /// Session description with its media type; the message session of [`sdp::offer`] when none.
    pub body: Option<(String, Vec<u8>)>,
    /// Route headers, top first (a preloaded route set, 8.1.1.1).
    pub routes: Vec<NameAddr>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

impl ClientTx {
    /// Whether only repetitions of its final answer can still come.
    pub(super) fn is_settled(&self) -> bool {
        self.invite.as_ref().is_some_and(|i| i.accepted)
    }
}

impl Agent {
    /// Registers our contact for `expires` seconds (0 signs out).
    pub fn register(&mut self, now: Duration, expires: u32, out: &mut Vec<Action>) -> RequestId {
        let draft = self.register_draft(expires);
        self.send_draft(now, draft, out)
    }

    /// A REGISTER before it is sent. All of them share a Call-ID and count up (10.2).
    pub fn register_draft(&mut self, expires: u32) -> Draft {
        let (call_id, tag, seq) = match self.registration.take() {
            Some((call_id, tag, seq)) => (call_id, tag, seq + 1),
            None => (self.ids.call_id(), self.ids.tag(), 1),
        };
        self.registration = Some((call_id.clone(), tag.clone(), seq));
        let mut registrar = self.config.uri.bare();
        registrar.user = None;
        registrar.password = None;
        let to = NameAddr::new(self.config.uri.clone());
        let mut draft = self.outside("REGISTER", &registrar, &to, call_id, &tag, seq);
        draft.builder = draft
            .builder
            .header("Contact", self.contact())
            .header("Expires", expires.to_string());
        draft
    }

    /// Subscribes to an event package of our own URI.
    pub fn subscribe(
        &mut self,
        now: Duration,
        package: &str,
        expires: u32,
        out: &mut Vec<Action>,
    ) -> RequestId {
        let uri = self.config.uri.clone();
        let mut draft = self.draft_outside("SUBSCRIBE", &uri);
        self.subscriptions.push(draft.call_id.clone());
        draft.builder = draft
            .builder
            .header("Contact", self.contact())
            .header("Event", package)
            .header("Expires", expires.to_string());
        self.send_draft(now, draft, out)
    }

    /// Asks `target` what it understands, outside of dialogs.
    pub fn options(&mut self, now: Duration, target: &Uri, out: &mut Vec<Action>) -> RequestId {
        let mut draft = self.draft_outside("OPTIONS", target);
        draft.builder = draft.builder.header("Accept", "application/sdp");
        self.send_draft(now, draft, out)
    }

    /// Any request outside of dialogs, before it is sent: own Call-ID and From tag, no Contact.
    pub fn draft_outside(&mut self, method: &str, target: &Uri) -> Draft {
        let (call_id, tag) = (self.ids.call_id(), self.ids.tag());
        let to = NameAddr::new(target.bare());
        self.outside(method, target, &to, call_id, &tag, 1)
    }

    /// Invites `target`. `Progress`, `Answered`, then `Established` or `Ended` tell what becomes of it.
    pub fn invite(
        &mut self,
        now: Duration,
        target: &Uri,
        invite: Invite,
        out: &mut Vec<Action>,
    ) -> (DialogId, RequestId) {
        let (dialog, draft) = self.invite_draft(target, invite);
        (dialog, self.send_draft(now, draft, out))
    }

    /// An INVITE before it is sent, and the dialog that it begins.
    pub fn invite_draft(&mut self, target: &Uri, invite: Invite) -> (DialogId, Draft) {
        let id = DialogId(self.fresh());
        let (call_id, tag) = (self.ids.call_id(), self.ids.tag());
        let mut dialog = Dialog {
            id,
            call_id: call_id.clone(),
            local: self.own_address().with_tag(&tag),
            remote: NameAddr::new(target.bare()),
            local_seq: 1,
            remote_seq: None,
            route_set: invite.routes,
            target: target.clone(),
            state: DialogState::Inviting,
            ours: true,
            invite_seq: 1,
            session: None,
            description: None,
            ack: None,
            peer_update: false,
            peer_timer: false,
        };
        let body = invite.body.unwrap_or_else(|| {
            let (host, port) = self.media_address();
            ("application/sdp".to_owned(), sdp::offer(host, port))
        });
        dialog.description = Some(body.1.clone());
        let branch = self.ids.branch();
        let mut builder = dialog
            .request("INVITE", 1, &self.via(&branch))
            .header("Contact", self.contact())
            .header_opt("User-Agent", self.config.product.as_deref())
            .header("Allow", self.allow())
            .header("Supported", "timer")
            .header_opt(
                "Session-Expires",
                self.config.session_expires.map(|s| s.to_string()),
            );
        for (name, value) in &invite.headers {
            builder = builder.header(name, value);
        }
        let draft = Draft {
            builder: builder.content(&body.0, body.1),
            method: "INVITE".to_owned(),
            branch,
            call_id,
            seq: 1,
            dialog: Some(id),
            refresh: false,
        };
        self.add_dialog(dialog);
        (id, draft)
    }

    /// Sends an INFO with this body inside a dialog.
    pub fn info(
        &mut self,
        now: Duration,
        dialog: DialogId,
        media_type: &str,
        body: impl Into<Vec<u8>>,
        out: &mut Vec<Action>,
    ) -> Result<RequestId, AgentError> {
        let mut draft = self.draft(dialog, "INFO")?;
        draft.builder = draft.builder.content(media_type, body);
        Ok(self.send_draft(now, draft, out))
    }

    /// Hangs up: sends BYE, and the dialog is over. An INVITE of ours that is unanswered is cancelled instead,
    /// one of the peer's refused with 603. Errors while the peer's ACK is awaited, for then BYE is forbidden (15).
    pub fn bye(
        &mut self,
        now: Duration,
        dialog: DialogId,
        out: &mut Vec<Action>,
    ) -> Result<Option<RequestId>, AgentError> {
        let state = self.known(dialog)?.state;
        if matches!(state, DialogState::Inviting | DialogState::Early) {
            if self.known(dialog)?.ours {
                self.cancel(now, dialog, out)?;
            } else {
                self.reject(now, dialog, 603, out)?;
            }
            return Ok(None);
        }
        if state == DialogState::Accepted && !self.known(dialog)?.ours {
            return Err(AgentError::NotYet(dialog));
        }
        let draft = self.draft(dialog, "BYE")?;
        let request = self.send_draft(now, draft, out);
        Ok(Some(request))
    }

    /// Refreshes the session with an UPDATE without session description (RFC 4028 7.4).
    pub fn update(
        &mut self,
        now: Duration,
        dialog: DialogId,
        out: &mut Vec<Action>,
    ) -> Result<RequestId, AgentError> {
        let mut draft = self.draft(dialog, "UPDATE")?;
        draft.builder = self.refresh_headers(dialog, draft.builder);
        draft.refresh = true;
        Ok(self.send_draft(now, draft, out))
    }

    /// Refreshes the session with a re-INVITE that repeats our description.
    pub fn reinvite(
        &mut self,
        now: Duration,
        dialog: DialogId,
        out: &mut Vec<Action>,
    ) -> Result<RequestId, AgentError> {
        let mut draft = self.draft(dialog, "INVITE")?;
        draft.builder = self.refresh_headers(dialog, draft.builder);
        draft.builder = draft.builder.header("Allow", self.allow());
        if let Some(description) = self
            .dialogs
            .get(&dialog)
            .and_then(|d| d.description.clone())
        {
            draft.builder = draft.builder.content("application/sdp", description);
        }
        draft.refresh = true;
        Ok(self.send_draft(now, draft, out))
    }

    /// Any request inside a dialog, before it is sent. Takes the next CSeq number.
    ///
    /// Errors when the dialog is over, or when its INVITE is unanswered.
    pub fn draft(&mut self, dialog: DialogId, method: &str) -> Result<Draft, AgentError> {
        if self.known(dialog)?.state == DialogState::Inviting {
            return Err(AgentError::NotYet(dialog));
        }
        let branch = self.ids.branch();
        let via = self.via(&branch);
        let product = self.config.product.clone();
        let Some(d) = self.dialogs.get_mut(&dialog) else {
            return Err(AgentError::NoDialog(dialog));
        };
        d.local_seq += 1;
        Ok(Draft {
            builder: d
                .request(method, d.local_seq, &via)
                .header_opt("User-Agent", product),
            method: method.to_owned(),
            branch,
            call_id: d.call_id.clone(),
            seq: d.local_seq,
            dialog: Some(dialog),
            refresh: false,
        })
    }

    /// Sends a draft, edited or not, and follows what becomes of it.
    pub fn send_draft(&mut self, now: Duration, draft: Draft, out: &mut Vec<Action>) -> RequestId {
        let id = RequestId(self.fresh());
        let invite = (draft.method == "INVITE").then(|| {
            let start = |method: &str| draft.start_as(method);
            Box::new(InviteTx {
                ack: start("ACK"),
                cancel: start("CANCEL"),
                cancel_wanted: false,
                proceeding: false,
                accepted: false,
            })
        });
        if let Some(dialog) = draft.dialog.and_then(|d| self.dialogs.get_mut(&d))
            && draft.method == "INVITE"
        {
            dialog.invite_seq = draft.seq;
        }
        if draft.method != "ACK" {
            self.asked.push(ClientTx {
                id,
                method: draft.method.clone(),
                branch: draft.branch,
                call_id: draft.call_id,
                seq: draft.seq,
                dialog: draft.dialog,
                sent: now,
                deadline: Some(now + self.give_up()),
                invite,
                refresh: draft.refresh,
            });
        }
        self.send(now, draft.builder.build(), out);
        if let (Some(dialog), "BYE") = (draft.dialog, draft.method.as_str()) {
            self.end(dialog, Ended::ByUs, out);
        }
        id
    }

    /// Withdraws our INVITE (9.1): now, or as soon as a provisional answer allows it.
    pub fn cancel(
        &mut self,
        now: Duration,
        dialog: DialogId,
        out: &mut Vec<Action>,
    ) -> Result<(), AgentError> {
        let invite = self
            .asked
            .iter_mut()
            .find(|t| t.dialog == Some(dialog) && !t.is_settled() && t.invite.is_some())
            .ok_or(AgentError::NoRequest)?;
        let (call_id, seq, branch) = (invite.call_id.clone(), invite.seq, invite.branch.clone());
        let Some(part) = invite.invite.as_mut() else {
            return Err(AgentError::NoRequest);
        };
        part.cancel_wanted = true;
        if !part.proceeding {
            return Ok(());
        }
        let bytes = part.cancel.build();
        part.cancel_wanted = false;
        let id = RequestId(self.fresh());
        self.asked.push(ClientTx {
            id,
            method: "CANCEL".to_owned(),
            branch,
            call_id,
            seq,
            dialog: Some(dialog),
            sent: now,
            deadline: Some(now + self.give_up()),
            invite: None,
            refresh: false,
        });
        self.send(now, bytes, out);
        Ok(())
    }

    /// Sends the ACK for the 2xx we got last, again or (without `Config::ack`) for the first time.
    pub fn ack(
        &mut self,
        now: Duration,
        dialog: DialogId,
        out: &mut Vec<Action>,
    ) -> Result<(), AgentError> {
        let bytes = self.known(dialog)?.ack.clone();
        let bytes = bytes.ok_or(AgentError::NotYet(dialog))?;
        self.send(now, bytes, out);
        if let Some(d) = self.dialogs.get_mut(&dialog)
            && d.state != DialogState::Confirmed
        {
            d.state = DialogState::Confirmed;
            out.push(Action::Event(Event::Established { dialog }));
        }
        Ok(())
    }

    pub(super) fn known(&self, dialog: DialogId) -> Result<&Dialog, AgentError> {
        self.dialogs
            .get(&dialog)
            .ok_or(AgentError::NoDialog(dialog))
    }

    /// Our Contact value.
    pub(super) fn contact(&self) -> String {
        format!("<{}>", self.config.contact)
    }

    pub(super) fn own_address(&self) -> NameAddr {
        let mut address = NameAddr::new(self.config.uri.clone());
        address.display.clone_from(&self.config.display);
        if let Some(epid) = &self.config.epid {
            address
                .params
                .push(crate::view::Param::new("epid", epid.clone()));
        }
        address
    }

    pub(super) fn via(&self, branch: &str) -> String {
        format!(
            "SIP/2.0/{} {};branch={branch}",
            self.config.transport.via(),
            self.config.sent_by
        )
    }

    pub(super) fn outside(
        &mut self,
        method: &str,
        target: &Uri,
        to: &NameAddr,
        call_id: String,
        tag: &str,
        seq: u32,
    ) -> Draft {
        let branch = self.ids.branch();
        let mut target = target.clone();
        target.headers.clear();
        let builder = Builder::request(method, &target.to_string())
            .header("Via", self.via(&branch))
            .header("Max-Forwards", "70")
            .header("From", self.own_address().with_tag(tag).to_string())
            .header("To", to.to_string())
            .header("Call-ID", &call_id)
            .header("CSeq", format!("{seq} {method}"))
            .header_opt("User-Agent", self.config.product.as_deref());
        Draft {
            builder,
            method: method.to_owned(),
            branch,
            call_id,
            seq,
            dialog: None,
            refresh: false,
        }
    }

    pub(super) fn refresh_headers(&self, dialog: DialogId, builder: Builder) -> Builder {
        let session = self.dialogs.get(&dialog).and_then(|d| d.session);
        builder
            .header("Contact", self.contact())
            .header("Supported", "timer")
            .header_opt(
                "Session-Expires",
                session.map(|s| {
                    let refresher = if s.ours { "uac" } else { "uas" };
                    format!("{};refresher={refresher}", s.interval.as_secs())
                }),
            )
    }
}

impl Draft {
    /// The dialog it belongs to.
    pub fn dialog(&self) -> Option<DialogId> {
        self.dialog
    }

    /// Its method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Its CSeq number.
    pub fn seq(&self) -> u32 {
        self.seq
    }

    /// ACK (of a refusal) or CANCEL for this INVITE: same Request-URI, Via, Route, From, To, Call-ID (9.1, 17.1.1.3).
    fn start_as(&self, method: &str) -> Builder {
        let Ok(message) = self.builder.message() else {
            return Builder::request(method, "sip:invalid");
        };
        let uri = message.request_uri().unwrap_or_default();
        let mut builder = Builder::request(method, &uri);
        for name in ["Via", "Max-Forwards", "Route", "From", "To", "Call-ID"] {
            for header in message.headers_named(name) {
                builder = builder.header(name, header.raw());
            }
        }
        builder.header("CSeq", format!("{} {method}", self.seq))
    }
}
