/*! What a registrar and presence server of this family answers: REGISTER, SUBSCRIBE, OPTIONS. */

use std::time::Duration;

use super::Agent;
use super::answer::{Answer, Settled};
use super::config::PROVISIONING;
use super::event::{Action, Event};
use super::transaction::Basics;
use crate::dialog::DialogId;
use crate::message::Message;
use crate::view::NameAddr;

impl Agent {
    pub(super) fn registered(
        &mut self,
        now: Duration,
        message: Message,
        basics: Basics,
        out: &mut Vec<Action>,
    ) {
        let Some(registrar) = self.config.registrar.clone() else {
            return;
        };
        let contact = message.contact().ok().flatten();
        let asked = contact
            .as_ref()
            .and_then(|c| c.param("expires")?.parse().ok())
            .or(message.expires().ok().flatten())
            .unwrap_or(registrar.expires);
        let expires = asked.min(registrar.expires);
        let mut answer = Answer::from(200);
        let mut add = |name: &str, value: String| answer.headers.push((name.to_owned(), value));
        if expires > 0
            && let Some(contact) = contact
        {
            let mut granted = NameAddr::new(contact.uri);
            granted
                .params
                .push(crate::view::Param::new("expires", expires.to_string()));
            add("Contact", granted.to_string());
        }
        add("Expires", expires.to_string());
        // Clients of this family look for this value as a whole line.
        add("Supported", "msrtc-event-categories".to_owned());
        add("Allow-Events", PROVISIONING.to_owned());
        if let Some(seconds) = registrar.keep_alive {
            add(
                "ms-keep-alive",
                format!("UAS; tcp=no; hop-hop=yes; end-end=no; timeout={seconds}"),
            );
        }
        let settled = self.settle(now, &message, &basics, None, answer, out);
        match settled {
            (_, Some(200)) => out.push(Action::Event(Event::Registered {
                request: message,
                expires,
            })),
            settled => self.tell(None, message, settled, out),
        }
    }

    pub(super) fn subscribed(
        &mut self,
        now: Duration,
        message: Message,
        basics: Basics,
        out: &mut Vec<Action>,
    ) {
        let Some(registrar) = self.config.registrar.clone() else {
            return;
        };
        let package = match message.event() {
            Ok(Some(event)) => event.package,
            Ok(None) => String::new(),
            Err(error) => {
                self.bad_request(now, &message, "SUBSCRIBE", &error, out);
                return;
            }
        };
        let provisioning = package.eq_ignore_ascii_case(PROVISIONING);
        let answer = if provisioning || (registrar.any_package && !package.is_empty()) {
            let mut answer = Answer::from(200);
            let expires = message
                .expires()
                .ok()
                .flatten()
                .unwrap_or(registrar.expires);
            answer.headers = vec![
                ("Event".to_owned(), package.clone()),
                (
                    "Expires".to_owned(),
                    expires.min(registrar.expires).to_string(),
                ),
                ("ms-piggyback-cseq".to_owned(), "1".to_owned()),
            ];
            if provisioning {
                answer.body = registrar.provisioning;
            }
            answer
        } else {
            let mut answer = Answer::from(489);
            answer
                .headers
                .push(("Allow-Events".to_owned(), PROVISIONING.to_owned()));
            answer
        };
        let settled = self.settle(now, &message, &basics, None, answer, out);
        match settled {
            (_, Some(status)) => out.push(Action::Event(Event::Subscribed {
                request: message,
                package,
                status,
            })),
            settled => self.tell(None, message, settled, out),
        }
    }

    pub(super) fn on_options(
        &mut self,
        now: Duration,
        message: &Message,
        basics: &Basics,
        id: Option<DialogId>,
        out: &mut Vec<Action>,
    ) -> Settled {
        let mut answer = Answer::from(200);
        for (name, value) in [
            ("Allow", self.allow().as_str()),
            ("Accept", "application/sdp, text/plain"),
            ("Accept-Encoding", "identity"),
            ("Accept-Language", "en"),
            ("Supported", "timer"),
        ] {
            answer.headers.push((name.to_owned(), value.to_owned()));
        }
        self.settle(now, message, basics, id, answer, out)
    }
}
