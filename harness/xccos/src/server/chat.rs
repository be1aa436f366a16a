/*! Chat messages (3.2.6): checked, numbered, kept, fanned out. */

use crate::defect::Slip;
use crate::payload::{Element, MsgId};
use crate::time::Now;
use crate::world::Chat;

use super::access::{self, bit};
use super::outbox::Mail;
use super::refusal::{Cause, Refusal};
use super::{EndpointId, Server, blocks};

/// The attributes of 2.2.2.2.9 that are mandatory, apart from id and seqid.
const MANDATORY: &[&str] = &["chanUri", "author", "authdisp", "alert", "chatId", "ts"];

/// What the short chat leaves out, all three together; `ts` is enforced by real servers too.
const LEFT_OUT: &[&str] = &["authdisp", "alert", "chatId"];

/// Whether this is the short form of a chat: everything mandatory but [`LEFT_OUT`].
pub(super) fn is_short(element: &Element) -> bool {
    let known = ["id", "seqid"];
    element.get("id") == Some("grpchat")
        && element.get("seqid").is_some()
        && LEFT_OUT.iter().all(|name| element.get(name).is_none())
        && element
            .attrs
            .iter()
            .all(|a| known.contains(&a.name.as_str()) || MANDATORY.contains(&a.name.as_str()))
        && ["chanUri", "author", "ts"]
            .iter()
            .all(|name| element.get(name).is_some())
        && element.get("ts").and_then(crate::time::parse).is_some()
        && element
            .elements()
            .all(|e| matches!(e.name.as_str(), "originatingMessageId" | "chat" | "rtf"))
        && element.all("chat").count() == 1
}

impl Server {
    /// Takes a chat of an endpoint; everything it causes goes to the outbox.
    pub(super) fn chat(
        &mut self,
        now: Now,
        endpoint: EndpointId,
        user: &str,
        element: &Element,
        id: MsgId,
    ) -> Result<(), Refusal> {
        let short = !self.options.strict && is_short(element);
        for name in MANDATORY {
            let optional = short && LEFT_OUT.contains(name);
            if element.get(name).is_none()
                && !optional
                && !self.options.defects.has(Slip::ChatUnchecked)
            {
                let text = format!("A chat needs the attribute `{name}`");
                return Err(Refusal::new(Cause::Missing, text));
            }
        }
        if element.get("id") != Some("grpchat") {
            return Err(Refusal::new(
                Cause::Malformed,
                "The id of a chat is `grpchat`",
            ));
        }
        if element.get("ts").and_then(crate::time::parse).is_none()
            && !self.options.defects.has(Slip::ChatUnchecked)
        {
            return Err(Refusal::new(Cause::Malformed, "`ts` is no time"));
        }
        let uri = element.get("chanUri").unwrap_or("");
        let (key, room) = self.visible_room(uri, user)?;
        let rights = access::chperms(&self.world, room, user);
        let mute = self.options.defects.has(Slip::MembersMute)
            && rights & (bit::MANAGE | bit::PRESENT) == 0;
        if mute || (rights & bit::CHAT == 0 && !self.options.defects.has(Slip::AnybodyChats)) {
            return Err(Refusal::new(
                Cause::Forbidden,
                "You may not chat in this room",
            ));
        }
        let here = self
            .endpoints
            .get(&endpoint)
            .is_some_and(|e| e.joined.contains(&key));
        if !here && !self.options.defects.has(Slip::ChatWithoutJoin) {
            return Err(Refusal::new(
                Cause::NotJoined,
                "Join the room before chatting in it",
            ));
        }
        let text = element
            .first("chat")
            .map(Element::content)
            .unwrap_or_default();
        let rtf = element.first("rtf").map(Element::content);
        let limits = &self.world.settings;
        let over = |text: &str, limit: u32| text.chars().count() > limit as usize;
        if over(&text, limits.message_size_limit) && !self.options.defects.has(Slip::NoMessageLimit)
        {
            let text = format!(
                "A message has at most {} characters",
                limits.message_size_limit
            );
            return Err(Refusal::new(Cause::TooLarge, text));
        }
        if rtf
            .as_deref()
            .is_some_and(|r| over(r, limits.story_size_limit))
            && !self.options.defects.has(Slip::NoStoryLimit)
        {
            let text = format!("A story has at most {} characters", limits.story_size_limit);
            return Err(Refusal::new(Cause::TooLarge, text));
        }
        let author = self
            .user(user)
            .ok_or_else(|| Refusal::new(Cause::UnknownUser, "You are not known here"))?;
        let last = self.last_chat.get(&key).copied().unwrap_or(0);
        let Some(next) = last.checked_add(1) else {
            return Err(Refusal::new(Cause::Storage, "The room is full"));
        };
        let chat = Chat {
            id: self.slipped_chat_id(next, last, element),
            // The dialog says who speaks; what the client claims is not trusted.
            author: author.uri.clone(),
            authdisp: author.name.clone(),
            alert: element
                .get("alert")
                .is_some_and(|v| matches!(v.trim(), "true" | "1")),
            at: self.slipped_time(now, element),
            text,
            rtf,
        };
        self.keep(&key, chat.clone())?;
        self.last_chat.insert(key.clone(), next);
        self.fan_out(&key, endpoint, &chat, id, element);
        Ok(())
    }

    /// Puts a chat into the room's history; durable first, if there is a journal.
    fn keep(&mut self, key: &str, chat: Chat) -> Result<(), Refusal> {
        if let Some(journal) = &mut self.journal {
            journal.chat(key, &chat).map_err(|e| {
                Refusal::new(
                    Cause::Storage,
                    format!("The message could not be stored: {e}"),
                )
            })?;
        }
        let logged = !self.options.defects.has(Slip::ChatsForgotten);
        if let Some(room) = self.world.rooms.get_mut(key)
            && logged
        {
            room.history.push(chat);
        }
        Ok(())
    }

    fn slipped_time(&self, now: Now, sent: &Element) -> jiff::Timestamp {
        let theirs = sent.get("ts").and_then(crate::time::parse);
        match theirs {
            Some(time) if self.options.defects.has(Slip::TsFromClient) => time,
            _ => now.wall,
        }
    }

    fn slipped_chat_id(&self, next: i64, last: i64, sent: &Element) -> i64 {
        let defects = &self.options.defects;
        if defects.has(Slip::ChatIdFromClient) {
            sent.get("chatId")
                .and_then(|v| v.trim().parse().ok())
                .unwrap_or(0)
        } else if defects.has(Slip::ChatIdRepeats) {
            last.max(1)
        } else if defects.has(Slip::ChatIdFalls) {
            1_000_000 - next
        } else {
            next
        }
    }

    fn fan_out(&mut self, key: &str, from: EndpointId, chat: &Chat, id: MsgId, sent: &Element) {
        let Some(room) = self.world.rooms.get(key) else {
            return;
        };
        let primitive = blocks::grpchat(room, chat, Some(id));
        let defects = &self.options.defects;
        let mut to: Vec<EndpointId> = self.present(key).collect();
        let user_of = |e: &EndpointId| self.endpoints.get(e).map(|e| e.user.as_str());
        if defects.has(Slip::FanOutToAll) {
            to = self.endpoints.keys().copied().collect();
        }
        if defects.has(Slip::FanOutPerUser) {
            let author = user_of(&from).unwrap_or("").to_owned();
            to = self
                .endpoints
                .iter()
                .filter(|(e, known)| {
                    to.contains(e) || (known.user != author && self.is_joined(key, &known.user))
                })
                .map(|(e, _)| *e)
                .collect();
        }
        if defects.has(Slip::NoEcho) {
            to.retain(|e| *e != from);
        }
        if defects.has(Slip::EchoOnly) {
            to.retain(|e| *e == from);
        }
        if defects.has(Slip::OneEndpointPerUser) {
            let mut seen = Vec::new();
            to.retain(|e| {
                let user = user_of(e).map(str::to_owned);
                let first = !seen.contains(&user);
                seen.push(user);
                first || *e == from
            });
        }
        if defects.has(Slip::OthersGetAnotherText) {
            let mut other = primitive.clone();
            if let Some(text) = other.first_mut("chat") {
                text.children = vec![crate::payload::Node::Text(format!("{} ", chat.text))];
            }
            let others: Vec<EndpointId> = to.iter().copied().filter(|e| *e != from).collect();
            to.retain(|e| *e == from);
            self.outbox.post(Mail::new(others, vec![other]));
        }
        if defects.has(Slip::EchoIsAsSent) {
            to.retain(|e| *e != from);
            let mut echo = sent.clone();
            echo.set("seqid", "");
            self.outbox.post(Mail::new(vec![from], vec![echo]));
        }
        self.outbox.post(Mail::new(to, vec![primitive]));
    }
}
