/*! Waiting for messages, and watching that none comes.

An expectation looks at what the target did since the first of the steps that
acted before it; what one took, no other takes. When one fails it says what
came nearest and where that differs.
*/

use std::sync::Arc;
use std::time::Duration;

use judge::{Place, Unproven};
use xccos::payload::{Envelope, Primitive as Seen1};

use super::forms::{clip, span_text};
use super::matching::{Matcher, Mismatch};
use super::nearest::{path_of, place_of, told};
use super::player::{Flow, Named, Player};
use super::recorder::{Seen, SeenWhat};
use crate::lang::diag::Span;
use crate::plan::*;

/// How long an expectation waits when it says nothing: the reply timer (3.1.2.1.2).
const WITHIN: Duration = Duration::from_secs(10);

/// How long a client may take to connect, by the clock of people: a process that starts, not a timer.
const ARRIVAL: Duration = Duration::from_secs(60);

/// What fitted an expectation.
#[derive(Clone)]
struct Hit {
    seen: usize,
    /// Position of the primitive in its envelope.
    primitive: Option<usize>,
    saved: Vec<(String, String)>,
    /// The alternative, for `any_of`.
    alternative: Option<usize>,
}

/// Why nothing fitted yet.
#[derive(Clone, Default)]
pub(super) struct Near {
    pub event: Option<u64>,
    pub mismatch: Option<Mismatch>,
    /// A value to look for was never given.
    pub missing: Option<String>,
}

impl Near {
    fn consider(&mut self, event: u64, mismatch: Mismatch) {
        if mismatch.missing {
            self.missing = Some(mismatch.message);
            return;
        }
        if self
            .mismatch
            .as_ref()
            .is_none_or(|m| m.depth <= mismatch.depth)
        {
            self.event = Some(event);
            self.mismatch = Some(mismatch);
        }
    }
}

impl Player<'_, '_> {
    pub(super) async fn expect(&mut self, step: &Step, items: &[Expect]) -> Flow {
        if self.arrival(items).await == Flow::Stop {
            return Flow::Stop;
        }
        let begin = self.now();
        let mut hits: Vec<Option<Hit>> = vec![None; items.len()];
        let limit =
            |player: &Self, item: &Expect| begin + player.scaled(item.within.unwrap_or(WITHIN));
        loop {
            for (i, item) in items.iter().enumerate() {
                if hits[i].is_none()
                    && let Ok(hit) = self.look(item)
                {
                    self.take_hit(&hit);
                    self.keep(item, &hit);
                    hits[i] = Some(hit);
                }
            }
            let open: Vec<usize> = (0..items.len())
                .filter(|&i| hits[i].is_none() && !items[i].optional)
                .collect();
            let Some(until) = open.iter().map(|&i| limit(self, &items[i])).min() else {
                break;
            };
            if self.unproven.is_some() {
                return Flow::Stop;
            }
            let hopeless = open.iter().any(|&i| self.hopeless(&items[i]));
            if hopeless || self.wait(until).await {
                // One more look: the last input may have been it.
                let late = open.iter().copied().find(|&i| {
                    (hopeless && self.hopeless(&items[i])) || limit(self, &items[i]) <= until
                });
                let Some(late) = late else { continue };
                let Some(item) = items.get(late) else {
                    continue;
                };
                match self.look(item) {
                    Ok(_) => continue,
                    Err(near) => {
                        // What did come is still worth its checks.
                        for (item, hit) in items.iter().zip(&hits) {
                            if let Some(hit) = hit {
                                self.judge_hit(step, item, hit);
                            }
                        }
                        return self.missed(step, item, near);
                    }
                }
            }
        }
        for (item, hit) in items.iter().zip(&hits) {
            if let Some(hit) = hit {
                self.judge_hit(step, item, hit);
            }
        }
        Flow::Next
    }

    /// Waits until the clients that something is expected of have connected once.
    async fn arrival(&mut self, items: &[Expect]) -> Flow {
        if self.harness != trace::Seat::Server {
            return Flow::Next;
        }
        let until = self.now() + ARRIVAL;
        while let Some(item) = items
            .iter()
            .find(|i| !i.at.is_empty() && !i.optional && self.still_expected(&i.at))
        {
            let why = format!("the client of `{}` did not connect", item.at);
            if self.unproven.is_some() {
                return Flow::Stop;
            }
            if self.driver_gone(&item.at) {
                let why = format!("{why}: its driver has ended");
                return self.give_up(Unproven::Environment(why));
            }
            if self.wait(until).await {
                let why = format!("{why} within {}", span_text(ARRIVAL));
                return self.give_up(Unproven::Environment(why));
            }
        }
        Flow::Next
    }

    /// Nothing can come any more: the connection is gone and that is not what is waited for.
    fn hopeless(&self, item: &Expect) -> bool {
        let gone = |at: &str| {
            !at.is_empty()
                && self.harness == trace::Seat::Client
                && self.conn_of(at).is_none()
                && self.conns.iter().any(|c| c.endpoint == at)
        };
        match &item.what {
            What::AnyOf(alternatives) => alternatives.iter().all(|a| self.hopeless(a)),
            What::Closed => false,
            _ => gone(&item.at),
        }
    }

    /// The first thing seen that fits and is free.
    fn look(&self, item: &Expect) -> Result<Hit, Near> {
        let mut near = Near::default();
        if let What::AnyOf(alternatives) = &item.what {
            for (i, alternative) in alternatives.iter().enumerate() {
                match self.look(alternative) {
                    Ok(mut hit) => {
                        hit.alternative = Some(i);
                        return Ok(hit);
                    }
                    Err(other) => {
                        if let (Some(event), Some(mismatch)) = (other.event, other.mismatch) {
                            near.consider(event, mismatch);
                        }
                        near.missing = near.missing.or(other.missing);
                    }
                }
            }
            return Err(near);
        }
        let floor = match &item.since {
            Some(name) => self.named.get(name).map_or(self.floor, |n| n.floor),
            None => self.floor,
        };
        let answers = item.answers.as_ref().and_then(|name| self.named.get(name));
        for (i, seen) in self.recorder.seen.iter().enumerate().skip(floor) {
            if seen.endpoint != item.at {
                continue;
            }
            match self.fits(seen, &item.what, answers, true) {
                Ok(Some((primitive, saved))) => {
                    return Ok(Hit {
                        seen: i,
                        primitive,
                        saved,
                        alternative: None,
                    });
                }
                Ok(None) => {}
                Err(mismatch) => near.consider(seen.event, *mismatch),
            }
        }
        Err(near)
    }

    /// Whether something seen is what is looked for; an error is a near miss.
    #[allow(clippy::type_complexity)]
    fn fits(
        &self,
        seen: &Seen,
        what: &What,
        answers: Option<&Named>,
        only_free: bool,
    ) -> Result<Option<(Option<usize>, Vec<(String, String)>)>, Box<Mismatch>> {
        self.tell_time();
        let now = self.wall();
        match (what, &seen.what) {
            (What::Closed, SeenWhat::Closed(_)) if !(only_free && seen.taken_whole) => {
                Ok(Some((None, Vec::new())))
            }
            (What::Anything, SeenWhat::Message(..)) => Ok(Some((None, Vec::new()))),
            (What::Sip(pattern), SeenWhat::Message(message, _)) => {
                if only_free && seen.taken_whole {
                    return Ok(None);
                }
                if let Some(named) = answers
                    && !answers_sip(message, named)
                {
                    return Ok(None);
                }
                let mut matcher = Matcher::new(&self.values, now);
                matcher.sip(message, pattern)?;
                Ok(Some((None, matcher.saved)))
            }
            (What::Primitive(pattern, sip), SeenWhat::Message(message, Some(document))) => {
                let mut nearest: Option<Box<Mismatch>> = None;
                for (i, primitive) in document.primitives().enumerate() {
                    if only_free && seen.taken.contains(&i) {
                        continue;
                    }
                    let mut matcher = Matcher::new(&self.values, now);
                    match fits_primitive(&mut matcher, document, i, &primitive, pattern, answers) {
                        Ok(true) => {
                            if let Some(sip) = sip {
                                matcher.sip(message, sip)?;
                            }
                            return Ok(Some((Some(i), matcher.saved)));
                        }
                        Ok(false) => {}
                        Err(mismatch) => Mismatch::keep(&mut nearest, mismatch),
                    }
                }
                nearest.map_or(Ok(None), Err)
            }
            _ => Ok(None),
        }
    }

    fn take_hit(&mut self, hit: &Hit) {
        if let Some(seen) = self.recorder.seen.get_mut(hit.seen) {
            match hit.primitive {
                Some(i) => seen.taken.push(i),
                None => seen.taken_whole = true,
            }
        }
    }

    /// Keeps what a hit saved and names.
    fn keep(&mut self, item: &Expect, hit: &Hit) {
        for (name, value) in &hit.saved {
            self.values.names.insert(name.clone(), value.clone());
        }
        let inner = hit.alternative.and_then(|i| match &item.what {
            What::AnyOf(alternatives) => alternatives.get(i),
            _ => None,
        });
        let name = item.name.as_ref().or(inner.and_then(|i| i.name.as_ref()));
        let (Some(name), Some(seen)) = (name, self.recorder.seen.get(hit.seen)) else {
            return;
        };
        let mut named = Named {
            floor: hit.seen,
            ..Named::default()
        };
        if let SeenWhat::Message(message, document) = &seen.what {
            if let (Some(document), Some(i)) = (document, hit.primitive)
                && let Some(primitive) = document.primitives().nth(i)
            {
                named.ids.extend(primitive.msg_id());
                let id = primitive.id().to_owned();
                let reply = super::sending::reply_id(&id);
                self.values.names.insert(format!("{name}.id"), id);
                self.values.names.insert(format!("{name}.reply"), reply);
            }
            if let (Ok(call_id), Ok(cseq)) = (message.call_id(), message.cseq()) {
                named.requests.push((call_id, cseq.seq));
            }
        }
        let name = name.clone();
        self.remember(&name, named);
    }

    /// Findings of a hit: what its coming decides, then its checks.
    fn judge_hit(&mut self, step: &Step, item: &Expect, hit: &Hit) {
        let Some(seen) = self.recorder.seen.get(hit.seen).cloned() else {
            return;
        };
        let event = Some(seen.event);
        let alternative = hit.alternative.and_then(|i| match &item.what {
            What::AnyOf(alternatives) => alternatives.get(i),
            _ => None,
        });
        for expect in std::iter::once(item).chain(alternative) {
            let here = (step, expect.span);
            self.conclude(&expect.decides, true, "", event, Place::default(), here);
            if !expect.violates.is_empty() {
                let message = match &expect.reason {
                    Some(reason) => reason.clone(),
                    None => format!("this arrived: {}", describe(&expect.what)),
                };
                self.conclude(
                    &expect.violates,
                    false,
                    &message,
                    event,
                    Place::default(),
                    here,
                );
            }
            for check in &expect.checks {
                self.check(step, check, &seen, hit.primitive);
            }
        }
    }

    fn check(&mut self, step: &Step, check: &Check, seen: &Seen, primitive: Option<usize>) {
        let SeenWhat::Message(message, document) = &seen.what else {
            return;
        };
        let (message, document) = (message.clone(), document.clone());
        self.tell_time();
        let now = self.wall();
        let mut nearest: Option<Box<Mismatch>> = None;
        let mut held = false;
        let mut saved = Vec::new();
        if let (Some(document), Some(i)) = (&document, primitive)
            && let Some(primitive) = document.primitives().nth(i)
        {
            for form in &check.forms {
                let mut matcher = Matcher::new(&self.values, now);
                match fits_primitive(&mut matcher, document, i, &primitive, form, None) {
                    Ok(true) => {
                        held = true;
                        saved = matcher.saved;
                        break;
                    }
                    Ok(false) => {}
                    Err(mismatch) => Mismatch::keep(&mut nearest, mismatch),
                }
            }
        }
        held |= check.forms.is_empty();
        if let (true, Some(sip)) = (held, &check.sip) {
            let mut matcher = Matcher::new(&self.values, now);
            if let Err(mismatch) = matcher.sip(&message, sip) {
                held = false;
                nearest = Some(mismatch);
            }
        }
        for (name, value) in saved {
            self.values.names.insert(name, value);
        }
        if let (false, Some(mismatch)) = (held, &nearest)
            && mismatch.missing
        {
            let place = format!("{}:{}", step.source.name, check.span.line);
            self.doubt
                .get_or_insert(format!("{place}: {}", mismatch.message));
            return;
        }
        let (text, place) = told(&message, nearest.as_deref(), check.reason.as_deref());
        let text = if held { String::new() } else { text };
        let here = (step, check.span);
        self.conclude(&check.decides, held, &text, Some(seen.event), place, here);
    }

    /// Nothing that fits came in time.
    fn missed(&mut self, step: &Step, item: &Expect, near: Near) -> Flow {
        let within = item.within.unwrap_or(WITHIN);
        let at = if item.at.is_empty() {
            String::new()
        } else {
            format!(" at {}", item.at)
        };
        let mut message = match &item.reason {
            Some(reason) => format!("{reason}: "),
            None => String::new(),
        };
        message.push_str(&format!("no {} came{at}", describe(&item.what)));
        if let Some(name) = &item.answers {
            message.push_str(&format!(" in answer to `{name}`"));
        }
        let closed = self.recorder.seen.iter().rev().find_map(|s| match &s.what {
            SeenWhat::Closed(how) if s.endpoint == item.at => Some((s.event, how.clone())),
            _ => None,
        });
        let mut event = self.recorder.last_event();
        let mut place = Place::default();
        if let (Some((at, how)), true) = (&closed, self.hopeless(item)) {
            message.push_str(&format!(": the target closed the connection ({how})"));
            event = Some(*at);
        } else {
            message.push_str(&format!(" within {}", span_text(self.scaled(within))));
            if let (Some(at), Some(mismatch)) = (near.event, &near.mismatch) {
                let path = if mismatch.path.is_empty() {
                    "the message".to_owned()
                } else {
                    mismatch.path.clone()
                };
                message.push_str(&format!("; nearest: {path} {}", mismatch.message));
                event = Some(at);
                if let Some(seen) = self.recorder.seen.iter().find(|s| s.event == at)
                    && let SeenWhat::Message(message, _) = &seen.what
                {
                    place = place_of(message, mismatch);
                }
            } else if let Some((at, what)) = self.came_instead(item) {
                message.push_str(&format!("; what came is {what}"));
                event = Some(at);
            }
        }
        let mut ids = item.decides.clone();
        if let What::AnyOf(alternatives) = &item.what
            && ids.is_empty()
        {
            for alternative in alternatives {
                ids.extend(alternative.decides.iter().cloned());
            }
        }
        if let Some(missing) = &near.missing {
            return self.give_up(Unproven::Inconclusive(format!("{message}: {missing}")));
        }
        if let Some(broken) = self.told_already(item, &near) {
            let why = format!("{message}; it came broken, see {broken}");
            return self.give_up(Unproven::Inconclusive(why));
        }
        self.conclude(&ids, false, &message, event, place, (step, item.span));
        if ids.is_empty() || self.sanity {
            return self.give_up(Unproven::Inconclusive(message));
        }
        Flow::Stop
    }

    pub(super) async fn never(&mut self, step: &Step, never: &Never) -> Flow {
        let until = self.now() + self.scaled(never.window);
        let answers = never
            .answers
            .as_ref()
            .and_then(|name| self.named.get(name))
            .cloned();
        let since = never.since.as_ref().and_then(|name| self.named.get(name));
        let mut looked = since.map_or(self.floor, |n| n.floor);
        loop {
            while let Some(seen) = self.recorder.seen.get(looked) {
                looked += 1;
                if !never.at.contains(&seen.endpoint) {
                    continue;
                }
                let hit = match &never.what {
                    What::Anything => seen.taken.is_empty() && !seen.taken_whole,
                    what => match self.fits(seen, what, answers.as_ref(), true) {
                        Ok(hit) => hit.is_some(),
                        Err(mismatch) if mismatch.missing => {
                            let place = format!("{}:{}", step.source.name, step.span.line);
                            let why = format!("{place}: {}", mismatch.message);
                            return self.give_up(Unproven::Inconclusive(why));
                        }
                        Err(_) => false,
                    },
                };
                if !hit {
                    continue;
                }
                let event = Some(seen.event);
                let mut message = match &never.reason {
                    Some(reason) => format!("{reason}: "),
                    None => String::new(),
                };
                message.push_str(&format!(
                    "a {} came at {} that must not come",
                    describe(&never.what),
                    seen.endpoint
                ));
                let here = (step, step.span);
                self.conclude(
                    &never.decides,
                    false,
                    &message,
                    event,
                    Place::default(),
                    here,
                );
                if never.decides.is_empty() || self.sanity {
                    return self.give_up(Unproven::Inconclusive(message));
                }
                return Flow::Next;
            }
            if self.unproven.is_some() {
                return Flow::Stop;
            }
            if self.wait(until).await {
                break;
            }
        }
        let event = self.recorder.last_event();
        let here: (&Step, Span) = (step, step.span);
        self.conclude(&never.decides, true, "", event, Place::default(), here);
        Flow::Next
    }
}

/// Whether a primitive is what a pattern wants; false when it is something else altogether.
fn fits_primitive<S: crate::lang::value::Scope>(
    matcher: &mut Matcher<'_, S>,
    document: &Arc<Envelope>,
    index: usize,
    primitive: &Seen1<'_>,
    pattern: &PrimitivePattern,
    answers: Option<&Named>,
) -> Result<bool, Box<Mismatch>> {
    if primitive.class != pattern.class {
        return Ok(false);
    }
    if let Some(named) = answers {
        let id = primitive.commandid().or_else(|| primitive.originating());
        if !id.is_some_and(|id| named.ids.contains(&id)) {
            return Ok(false);
        }
        matcher.depth += 10;
    }
    let path = path_of(document, primitive.element, index);
    if let Some(id) = &pattern.id
        && primitive.id() != id
    {
        let span = primitive
            .element
            .attr("id")
            .map(|a| (a.span.start, a.span.end));
        return match answers {
            // The right answer under the wrong name is a near miss.
            Some(_) => Err(Box::new(Mismatch {
                path: format!("{path}/@id"),
                span,
                message: format!("is \"{}\", wanted \"{id}\"", clip(primitive.id())),
                depth: matcher.depth,
                missing: false,
            })),
            None => Ok(false),
        };
    }
    matcher.depth += 1;
    matcher.element(primitive.element, &pattern.pattern, &path)?;
    Ok(true)
}

fn answers_sip(message: &sip::Message, named: &Named) -> bool {
    let (Ok(call_id), Ok(cseq)) = (message.call_id(), message.cseq()) else {
        return false;
    };
    !message.is_request()
        && named
            .requests
            .iter()
            .any(|(c, n)| *c == call_id && *n == cseq.seq)
}

/// What is looked for, in a few words.
pub(super) fn describe(what: &What) -> String {
    match what {
        What::Primitive(pattern, _) => match &pattern.id {
            Some(id) => id.clone(),
            None => pattern.class.name().to_owned(),
        },
        What::Sip(pattern) => match (&pattern.method, &pattern.status) {
            (Some(method), None) => format!("{method} request"),
            (Some(method), Some(_)) => format!("answer to {method}"),
            (None, Some(Number::Compare(Comparison::Equal, text))) => {
                format!("SIP {}", text.plain().unwrap_or_default())
            }
            _ => "SIP message".to_owned(),
        },
        What::Closed => "end of the connection".to_owned(),
        What::Anything => "message".to_owned(),
        What::AnyOf(alternatives) => {
            let mut all: Vec<String> = Vec::new();
            for alternative in alternatives {
                let text = describe(&alternative.what);
                if !all.contains(&text) {
                    all.push(text);
                }
            }
            all.join(" or ")
        }
    }
}
