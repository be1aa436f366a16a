/*! A recorded session as a scenario to start from.

Takes the events of a recording (a mock's `--record`, a run's trace, a log);
gives a scenario in the client seat that does what the recorded clients did and
expects what came back: replies and errors by what they answer and their code,
chats by their text, notices by whom they are about. What differs from run to
run (numbers, times, ids) is not expected. Users and rooms become names of the
target, so it plays against another server as well.

It is a skeleton: nothing says yet which requirements it decides, and
preferences, histories and search results are not compared.
*/

mod story;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use judge::{Blame, Monitor as _, Verdict};
use trace::{Event, Intent, Kind, Seat};
use xccos::payload::{Class, Element, Node};
use xccos::rules;

use story::{Act, Beat, Came, Said, Story, What};
use yaml::{Yaml, one, pair};

/// Most acts that are taken over.
const MOST: usize = 400;

/// A scenario file and what it does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    /// The YAML.
    pub text: String,
    /// What of the recording is not in it, in words.
    pub left_out: Vec<String>,
}

/// The skeleton of a recording called `name`.
///
/// # Errors
/// When the recording shows no client that reached a chat server.
pub fn skeleton(events: &[Event], name: &str) -> Result<Skeleton, String> {
    let mut story = story::tell(events, &broken(events));
    if story.beats.is_empty() {
        return Err(
            "it shows no client that reached the chat server: no INVITE was accepted, \
             or only lookups were made"
                .to_owned(),
        );
    }
    if story.beats.len() > MOST {
        let more = story.beats.len() - MOST;
        story.beats.truncate(MOST);
        story
            .left_out
            .push(format!("{more} acts after the first {MOST}"));
    }
    let cast = Cast::of(&story);
    let text = cast.file(&story, name);
    Ok(Skeleton {
        text,
        left_out: story.left_out,
    })
}

/// What was wrong with what clients sent, by event: requirements, or words of who meant it so.
fn broken(events: &[Event]) -> HashMap<u64, Vec<String>> {
    let mut monitor = rules::Monitor::new(rules::Setup::live(rules::Target::Seat(Seat::Client)));
    let mut findings = Vec::new();
    for event in events {
        monitor.observe(event, &mut findings);
    }
    let mut broken: HashMap<u64, Vec<String>> = HashMap::new();
    for event in events {
        if let Kind::Message {
            from: Seat::Client,
            intent: Intent::Deliberate(how),
            ..
        } = &event.kind
        {
            broken.entry(event.seq).or_default().push(how.clone());
        }
    }
    for finding in findings {
        if finding.verdict == Verdict::Fail
            && finding.blame == Blame::Target
            && let Some(event) = finding.event
        {
            let ids = broken.entry(event).or_default();
            if !ids.contains(&finding.requirement) {
                ids.push(finding.requirement);
            }
        }
    }
    broken
}

/// A word for a name: lower case letters, digits and dashes, beginning with a letter.
fn slug(text: &str, instead: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(40) {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    let out = out.trim_end_matches('-');
    if out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.to_owned()
    } else {
        instead.to_owned()
    }
}

/// A room that somebody was in.
#[derive(Debug, Default)]
struct Stage {
    key: String,
    auditorium: bool,
    members: BTreeSet<String>,
    managers: BTreeSet<String>,
    presenters: BTreeSet<String>,
}

/// Who and what the scenario needs of the target.
struct Cast {
    /// User URI in lower case → name.
    users: BTreeMap<String, String>,
    /// Room URI as written → what is known of it.
    rooms: BTreeMap<String, Stage>,
}

impl Cast {
    fn of(story: &Story) -> Cast {
        let mut users: BTreeMap<String, String> = BTreeMap::new();
        for uri in story.endpoints.values() {
            let local = uri.trim_start_matches("sip:").split('@').next();
            let base = slug(local.unwrap_or_default(), "user");
            let taken = |name: &String| users.values().any(|n| n == name);
            let name = std::iter::once(base.clone())
                .chain((2..).map(|n| format!("{base}{n}")))
                .find(|name| !taken(name))
                .unwrap_or(base);
            users.entry(uri.to_lowercase()).or_insert(name);
        }
        let mut cast = Cast {
            users,
            rooms: BTreeMap::new(),
        };
        for beat in &story.beats {
            for came in &beat.came {
                cast.learn(story, beat, came);
            }
        }
        cast
    }

    /// What a reply tells about rooms and roles.
    fn learn(&mut self, story: &Story, beat: &Beat, came: &Came) {
        let What::Primitive(reply) = &came.what else {
            return;
        };
        let Some(user) = self.user_of(story, &came.endpoint) else {
            return;
        };
        let id = reply.get("id").unwrap_or_default();
        let granted = reply.first("resp").and_then(|r| r.get("code")) == Some("200");
        if matches!(id, "rpl:join" | "rpl:bjoin") && granted {
            let rooms = reply
                .first("data")
                .into_iter()
                .flat_map(|d| d.all("chanib"));
            for room in rooms {
                let Some(uri) = room.get("uri") else { continue };
                let key = self.room_name(uri, room.get("name").unwrap_or_default());
                let stage = self.rooms.entry(uri.to_owned()).or_default();
                stage.key = key;
                stage.auditorium |= room.get("behavior") == Some("AUDITORIUM");
                stage.members.insert(user.clone());
            }
            return;
        }
        let managing = matches!(
            id,
            "rpl:updatenode" | "rpl:chanmodify" | "rpl:sacemem" | "rpl:sacemgr" | "rpl:sacevoiced"
        );
        let said = match &beat.act {
            Act::Say(said) => said.iter().find(|s| Some(&s.name) == came.answers.as_ref()),
            _ => None,
        };
        let Some(said) = said else { return };
        if managing && granted {
            let data = said.element.first("data");
            let room = data
                .and_then(|d| d.first("chanib"))
                .and_then(|c| c.get("uri"));
            if let Some(stage) = room.and_then(|uri| self.rooms.get_mut(uri)) {
                stage.managers.insert(user);
            }
        } else if reply.name == "grpchat"
            && let Some(stage) = said
                .element
                .get("chanUri")
                .and_then(|uri| self.rooms.get_mut(uri))
        {
            stage.presenters.insert(user);
        }
    }

    fn user_of(&self, story: &Story, endpoint: &str) -> Option<String> {
        let uri = story.endpoints.get(endpoint)?;
        self.users.get(&uri.to_lowercase()).cloned()
    }

    /// A name for a room that no other room has.
    fn room_name(&self, uri: &str, name: &str) -> String {
        if let Some(stage) = self.rooms.get(uri) {
            return stage.key.clone();
        }
        let base = slug(name, "room");
        let taken = |name: &String| self.rooms.values().any(|s| &s.key == name);
        std::iter::once(base.clone())
            .chain((2..).map(|n| format!("{base}{n}")))
            .find(|name| !taken(name))
            .unwrap_or(base)
    }

    fn file(&self, story: &Story, name: &str) -> String {
        let mut out = String::new();
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(
            out,
            "# Made from the recording {name}: it does what the clients did, and expects what came back.\n\
             # To make it a test: give it a title, say in `decides:` which requirements an expectation proves\n\
             # (`parlance list requirements`), and take out what does not matter. docs/scenarios.md explains the words."
        );
        for what in &story.left_out {
            let _ = writeln!(out, "# Not in it: {what}.");
        }
        pair(
            0,
            "title",
            &format!("As recorded in {name}").into(),
            &mut out,
        );
        pair(0, "tags", &Yaml::List(vec!["recorded".into()]), &mut out);
        pair(0, "target", &"server".into(), &mut out);
        pair(0, "needs", &self.needs(), &mut out);
        let endpoints = story.endpoints.keys().map(|name| {
            let user = self.user_of(story, name).unwrap_or_default();
            (name.clone(), one("user", user))
        });
        pair(0, "endpoints", &Yaml::Map(endpoints.collect()), &mut out);
        out.push_str("steps:\n");
        for beat in &story.beats {
            self.act(story, beat).item(2, &mut out);
            if !beat.came.is_empty() {
                let items: Vec<Yaml> = beat.came.iter().map(|came| self.expect(came)).collect();
                out.push_str("  - expect:\n");
                for item in items {
                    item.item(6, &mut out);
                }
            }
        }
        out
    }

    fn needs(&self) -> Yaml {
        let names =
            |set: &BTreeSet<String>| Yaml::List(set.iter().map(|n| n.as_str().into()).collect());
        let users: BTreeSet<String> = self.users.values().cloned().collect();
        let mut needs = vec![("users".to_owned(), names(&users))];
        let rooms: Vec<(String, Yaml)> = self
            .rooms
            .values()
            .map(|stage| {
                let behavior = if stage.auditorium {
                    "AUDITORIUM"
                } else {
                    "NORMAL"
                };
                let mut need = vec![
                    ("members".to_owned(), names(&stage.members)),
                    ("behavior".to_owned(), behavior.into()),
                ];
                if !stage.managers.is_empty() {
                    need.push(("managers".to_owned(), names(&stage.managers)));
                }
                if stage.auditorium && !stage.presenters.is_empty() {
                    need.push(("presenters".to_owned(), names(&stage.presenters)));
                }
                (stage.key.clone(), Yaml::Map(need))
            })
            .collect();
        if !rooms.is_empty() {
            needs.push(("rooms".to_owned(), Yaml::Map(rooms)));
        }
        Yaml::Map(needs)
    }

    fn act(&self, story: &Story, beat: &Beat) -> Yaml {
        let who = beat.endpoint.as_str();
        match &beat.act {
            Act::Open => Yaml::Map(vec![
                ("use".to_owned(), "common/open".into()),
                (
                    "with".to_owned(),
                    one("endpoints", Yaml::List(vec![who.into()])),
                ),
            ]),
            Act::Dial => Yaml::Map(vec![
                ("use".to_owned(), "common/dial-server".into()),
                ("with".to_owned(), one("endpoint", who)),
            ]),
            Act::HangUp => one("hang_up", who),
            Act::Drop => one("drop", who),
            Act::Body(name, body) => {
                let why = match beat.breaks.is_empty() {
                    true => "as recorded".to_owned(),
                    false => format!("as recorded: {}", beat.breaks.join(", ")),
                };
                let send = vec![
                    ("from".to_owned(), who.into()),
                    ("invalid".to_owned(), why.into()),
                    ("body".to_owned(), self.named(body).into()),
                    ("as".to_owned(), name.as_str().into()),
                ];
                one("send", Yaml::Map(send))
            }
            Act::Say(said) => {
                let user = story.endpoints.get(who).map_or("", String::as_str);
                let exact = !beat.breaks.is_empty();
                let mut send = vec![("from".to_owned(), who.into())];
                if exact {
                    let why = format!("as recorded: {}", beat.breaks.join(", "));
                    send.push(("invalid".to_owned(), why.into()));
                }
                let mut parts: Vec<Vec<(String, Yaml)>> =
                    said.iter().map(|s| self.part(s, user, exact)).collect();
                match (parts.pop(), parts.is_empty()) {
                    (Some(only), true) => send.extend(only),
                    (last, _) => {
                        let items = parts.into_iter().chain(last).map(Yaml::Map).collect();
                        send.push(("envelope".to_owned(), Yaml::List(items)));
                    }
                }
                one("send", Yaml::Map(send))
            }
        }
    }

    /// A primitive to send, and its name.
    fn part(&self, said: &Said, user: &str, exact: bool) -> Vec<(String, Yaml)> {
        let element = &said.element;
        let id = element.get("id").unwrap_or_default();
        let mut content = match self.element(element, &["id", "seqid"]) {
            Yaml::Map(pairs) => pairs,
            _ => Vec::new(),
        };
        let key = match Class::of(&element.name) {
            Some(Class::Grpchat) => {
                // What every chat has is filled in by the player; only what is special is told.
                let usual = |name: &str, value: &str| match name {
                    "author" => value.eq_ignore_ascii_case(user),
                    "alert" => value == "false",
                    "chatId" => value == "0",
                    "authdisp" | "ts" => true,
                    _ => false,
                };
                content.retain(|(key, _)| {
                    let name = key.trim_start_matches('@');
                    exact || !usual(name, element.get(name).unwrap_or_default())
                });
                for name in ["author", "authdisp", "alert", "chatId", "ts"] {
                    if element.get(name).is_none() {
                        content.insert(0, (format!("@{name}"), Yaml::Null));
                    }
                }
                "grpchat".to_owned()
            }
            _ if id.starts_with(&format!("{}:", element.name)) => id.to_owned(),
            _ => {
                if let Some(id) = element.get("id") {
                    content.insert(0, ("@id".to_owned(), id.into()));
                }
                element.name.clone()
            }
        };
        vec![
            (key, Yaml::Map(content)),
            ("as".to_owned(), said.name.as_str().into()),
        ]
    }

    /// An element to send: attributes, text, children by name.
    fn element(&self, element: &Element, without: &[&str]) -> Yaml {
        let mut pairs: Vec<(String, Yaml)> = element
            .attrs
            .iter()
            .filter(|a| !without.contains(&a.name.as_str()))
            .map(|a| (format!("@{}", a.name), self.named(&a.value).into()))
            .collect();
        let text = element.content();
        let children: Vec<&Element> = element
            .children
            .iter()
            .filter_map(|node| match node {
                Node::Element(child) => Some(child),
                Node::Text(_) => None,
            })
            .collect();
        if children.is_empty() && !text.is_empty() {
            if pairs.is_empty() {
                return literal(&text).into();
            }
            pairs.push(("text()".to_owned(), literal(&text).into()));
        }
        let mut grouped: Vec<(String, Vec<Yaml>)> = Vec::new();
        for child in children {
            let value = self.element(child, &[]);
            match grouped.iter_mut().find(|(name, _)| *name == child.name) {
                Some((_, list)) => list.push(value),
                None => grouped.push((child.name.clone(), vec![value])),
            }
        }
        for (name, mut list) in grouped {
            let value = match (list.len(), list.pop()) {
                (1, Some(only)) => only,
                (_, last) => Yaml::List(list.into_iter().chain(last).collect()),
            };
            pairs.push((name, value));
        }
        Yaml::Map(pairs)
    }

    fn expect(&self, came: &Came) -> Yaml {
        let mut item = vec![("at".to_owned(), came.endpoint.as_str().into())];
        if let Some(name) = &came.answers {
            item.push(("answers".to_owned(), name.as_str().into()));
        }
        match &came.what {
            What::Status(status) => {
                let status = one("status", Yaml::Plain(status.to_string()));
                item.push(("sip".to_owned(), status));
            }
            What::Primitive(element) => {
                let id = element.get("id").unwrap_or_default();
                let (key, pattern) = match Class::of(&element.name) {
                    Some(Class::Grpchat) => ("grpchat".to_owned(), self.chat(element)),
                    Some(Class::Err) => ("err".to_owned(), self.reply(element)),
                    _ if id.starts_with(&format!("{}:", element.name)) => {
                        (id.to_owned(), self.reply(element))
                    }
                    _ => (element.name.clone(), Yaml::Map(Vec::new())),
                };
                item.push((key, pattern));
            }
        }
        Yaml::Map(item)
    }

    fn chat(&self, element: &Element) -> Yaml {
        let mut pairs = Vec::new();
        for name in ["chanUri", "author"] {
            if let Some(value) = element.get(name) {
                pairs.push((format!("@{name}"), self.named(value).into()));
            }
        }
        if let Some(text) = element.first("chat").map(Element::content)
            && !text.is_empty()
        {
            pairs.push(("chat".to_owned(), literal(&text).into()));
        }
        Yaml::Map(pairs)
    }

    /// What stays the same from run to run: the code, and whom and which room it is about.
    fn reply(&self, element: &Element) -> Yaml {
        let mut pairs = Vec::new();
        if let Some(code) = element.first("resp").and_then(|r| r.get("code"))
            && code.bytes().all(|b| b.is_ascii_digit())
        {
            let code = Yaml::Plain(code.to_owned());
            pairs.push(("resp".to_owned(), one("@code", code)));
        }
        if let Some(busy) = element.first("status").and_then(|s| s.get("busy")) {
            pairs.push(("status".to_owned(), one("@busy", busy)));
        }
        let of = |parent: &Element, name: &str| -> Option<Yaml> {
            let mut all = parent.all(name);
            let (only, more) = (all.next()?, all.next());
            let uri = only.get("uri").filter(|_| more.is_none())?;
            let known = self.named(uri);
            (known != literal(uri)).then(|| one("@uri", known))
        };
        if let Some(data) = element.first("data") {
            let mut about = Vec::new();
            let room = of(data, "chanib").map(|room| match (room, data.first("chanib")) {
                (Yaml::Map(mut pairs), Some(chanib)) => {
                    pairs.extend(of(chanib, "uib").map(|user| ("uib".to_owned(), user)));
                    Yaml::Map(pairs)
                }
                (room, _) => room,
            });
            about.extend(room.map(|room| ("chanib".to_owned(), room)));
            // A join reply lists everybody, and who that is depends on the day.
            if element.name == "ntc" {
                about.extend(of(data, "uib").map(|user| ("uib".to_owned(), user)));
            }
            if !about.is_empty() {
                pairs.push(("data".to_owned(), Yaml::Map(about)));
            }
        }
        Yaml::Map(pairs)
    }

    /// A value with the names of users and rooms in it.
    fn named(&self, text: &str) -> String {
        let mut out = literal(text);
        for (uri, stage) in &self.rooms {
            out = replaced(&out, uri, &format!("${{rooms.{}.uri}}", stage.key));
            if let Some((_, guid)) = uri.rsplit_once('/') {
                out = replaced(&out, guid, &format!("${{rooms.{}.guid}}", stage.key));
            }
        }
        for (uri, name) in &self.users {
            out = replaced(&out, uri, &format!("${{users.{name}.uri}}"));
        }
        let domains = self.rooms.keys().filter_map(|uri| uri.split('/').nth(2));
        for domain in domains {
            if out == domain {
                return "${domain}".to_owned();
            }
        }
        out
    }
}

/// Text that means itself.
fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// Every whole `what` in a text, whatever its case, by something else.
fn replaced(text: &str, what: &str, by: &str) -> String {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let lower = text.to_ascii_lowercase();
    let what = what.to_ascii_lowercase();
    let (mut out, mut at) = (String::new(), 0);
    while let Some(found) = lower.get(at..).and_then(|rest| rest.find(&what)) {
        let (start, end) = (at + found, at + found + what.len());
        let apart = !lower[..start].ends_with(inside) && !lower[end..].starts_with(inside);
        out.push_str(&text[at..start]);
        out.push_str(if apart { by } else { &text[start..end] });
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
