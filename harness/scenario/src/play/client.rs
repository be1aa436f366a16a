/*! What the player does in the client's seat: REGISTER, INVITE, BYE. */

use std::time::Duration;

use judge::{Place, Unproven};
use sip::agent::{Event as SipEvent, Invite, RequestId};
use sip::{DialogId, Uri};
use trace::Intent;

use super::matching::Matcher;
use super::player::{Flow, Player, known};
use crate::plan::*;

/// How a request of ours ended.
enum Answer {
    Status(u16, u64),
    Silence,
    Gone(String),
}

impl Player<'_, '_> {
    pub(super) async fn register(
        &mut self,
        step: &Step,
        from: &[String],
        expires: u32,
        status: &Number,
        decides: &[String],
    ) -> Flow {
        for endpoint in from {
            let at = match self.connected(endpoint).await {
                Ok(at) => at,
                Err(flow) => return flow,
            };
            let now = self.now();
            let mut actions = Vec::new();
            let Some(conn) = self.conns.get_mut(at) else {
                continue;
            };
            let request = conn.agent.register(now, expires, &mut actions);
            self.perform(at, actions, Intent::Plain);
            let answer = self.answer(at, request, Duration::from_secs(10)).await;
            if self.judge_answer(step, "REGISTER", answer, status, decides) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::Next
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) async fn dial(
        &mut self,
        step: &Step,
        from: &[String],
        to: &DialTo,
        status: &Number,
        within: Duration,
        decides: &[String],
        save: Option<&str>,
    ) -> Flow {
        let uri = match to {
            DialTo::Lookup => known(&self.values, "lookup_uri")
                .ok_or_else(|| "the target names no lookup_uri".to_owned()),
            DialTo::Server => known(&self.values, "server_uri").ok_or_else(|| {
                "no chat server is known: no server_uri, and no lookup found one".to_owned()
            }),
            DialTo::Uri(text) => self.eval(text).map_err(|e| e.to_string()),
        };
        let target = match uri.and_then(|u| Uri::parse(&u).map_err(|e| format!("{u}: {e}"))) {
            Ok(target) => target,
            Err(why) => return self.give_up(Unproven::Inconclusive(format!("cannot dial: {why}"))),
        };
        for endpoint in from {
            let at = match self.connected(endpoint).await {
                Ok(at) => at,
                Err(flow) => return flow,
            };
            let now = self.now();
            let mut actions = Vec::new();
            let Some(conn) = self.conns.get_mut(at) else {
                continue;
            };
            let (dialog, request) =
                conn.agent
                    .invite(now, &target, Invite::default(), &mut actions);
            self.perform(at, actions, Intent::Plain);
            let answer = self.answer(at, request, within).await;
            if let (Some(name), Answer::Status(status, _)) = (save, &answer) {
                self.values
                    .names
                    .insert(name.to_owned(), status.to_string());
            }
            let accepted = matches!(answer, Answer::Status(200..=299, _));
            let ids = or_sip(decides);
            if self.judge_answer(step, "INVITE", answer, status, &ids) == Flow::Stop {
                return Flow::Stop;
            }
            if accepted && !self.established(at, dialog).await {
                let why = "the dialog did not come about after the 200".to_owned();
                return self.give_up(Unproven::Inconclusive(why));
            }
        }
        Flow::Next
    }

    /// Whether a dialog is confirmed (the agent says so with the 200).
    async fn established(&mut self, at: usize, dialog: DialogId) -> bool {
        self.drain();
        self.conns
            .get(at)
            .and_then(|c| c.agent.dialog(dialog))
            .is_some_and(|d| d.is_confirmed())
    }

    pub(super) async fn hang_up(
        &mut self,
        step: &Step,
        from: &[String],
        status: &Number,
        decides: &[String],
    ) -> Flow {
        for endpoint in from {
            let Some((at, dialog)) = self
                .conn_of(endpoint)
                .and_then(|at| Some((at, self.conns.get(at)?.dialog?)))
            else {
                let why = format!("`{endpoint}` has no dialog to end");
                return self.give_up(Unproven::Inconclusive(why));
            };
            let now = self.now();
            let mut actions = Vec::new();
            let Some(conn) = self.conns.get_mut(at) else {
                continue;
            };
            let request = match conn.agent.bye(now, dialog, &mut actions) {
                Ok(Some(request)) => request,
                Ok(None) => continue,
                Err(error) => return self.cannot(step, error),
            };
            conn.dialog = None;
            self.perform(at, actions, Intent::Plain);
            let answer = self.answer(at, request, Duration::from_secs(10)).await;
            let ids = or_sip(decides);
            if self.judge_answer(step, "BYE", answer, status, &ids) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::Next
    }

    /// Waits for the final answer to a request of ours.
    async fn answer(&mut self, at: usize, request: RequestId, within: Duration) -> Answer {
        let limit = self.now() + self.scaled(within);
        loop {
            let found = self.pick(|conn, event| match event {
                SipEvent::Answered {
                    request: r,
                    response,
                    ..
                } if conn == at && *r == request => Some(response.status().unwrap_or(0)),
                SipEvent::Unanswered { request: r, .. } if conn == at && *r == request => Some(0),
                _ => None,
            });
            match found {
                Some(0) => {
                    return match self.conns.get(at).is_some_and(|c| c.output.is_some()) {
                        true => Answer::Silence,
                        false => Answer::Gone(self.how_closed(at)),
                    };
                }
                Some(status) => {
                    let event = self
                        .recorder
                        .seen
                        .iter()
                        .rev()
                        .find(|s| {
                            s.conn as usize == at
                                && matches!(&s.what, super::recorder::SeenWhat::Message(m, _) if m.status() == Some(status))
                        })
                        .map(|s| s.event)
                        .unwrap_or_default();
                    return Answer::Status(status, event);
                }
                None => {}
            }
            if self.conns.get(at).is_none_or(|c| c.output.is_none()) {
                return Answer::Gone(self.how_closed(at));
            }
            if self.wait(limit).await {
                return Answer::Silence;
            }
        }
    }

    fn how_closed(&self, at: usize) -> String {
        self.recorder
            .seen
            .iter()
            .rev()
            .find_map(|s| match &s.what {
                super::recorder::SeenWhat::Closed(how) if s.conn as usize == at => {
                    Some(how.clone())
                }
                _ => None,
            })
            .unwrap_or_else(|| "closed".to_owned())
    }

    fn judge_answer(
        &mut self,
        step: &Step,
        method: &str,
        answer: Answer,
        status: &Number,
        decides: &[String],
    ) -> Flow {
        self.tell_time();
        let wall = self.wall();
        let (held, event, message) = match answer {
            Answer::Status(code, event) => {
                let matcher = Matcher::new(&self.values, wall);
                let held = matcher.number(&code.to_string(), status).unwrap_or(false);
                let wanted = matcher.wanted(status);
                let message = if held {
                    format!("{method} was answered {code}")
                } else {
                    format!("{method} was answered {code}, wanted {wanted}")
                };
                (held, Some(event), message)
            }
            Answer::Silence => (
                false,
                self.recorder.last_event(),
                format!("{method} was never answered"),
            ),
            Answer::Gone(how) => (
                false,
                self.recorder.last_event(),
                format!("the connection was closed instead of an answer to {method} ({how})"),
            ),
        };
        self.conclude(
            decides,
            held,
            &message,
            event,
            Place::default(),
            (step, step.span),
        );
        if held {
            return Flow::Next;
        }
        if decides.is_empty() || self.sanity {
            return self.give_up(Unproven::Inconclusive(message));
        }
        Flow::Stop
    }
}

/// A dial or BYE that decides nothing in particular decides SIP.
fn or_sip(decides: &[String]) -> Vec<String> {
    if decides.is_empty() {
        vec!["SIP".to_owned()]
    } else {
        decides.to_vec()
    }
}
