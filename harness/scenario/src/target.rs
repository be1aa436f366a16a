/*! The target file: the implementation under test (`contracts.md`).

Takes `target.yaml`, gives a [`Target`]; or complaints with carets, in the same
strictness as scenarios. It also binds what a scenario needs to what the target
has: the scenario's `lobby` is the target's room of that name when it fits, else
any room that does.
*/

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use judge::Waiver;
use trace::Seat;

use crate::lang::check::check;
use crate::lang::diag::{Diagnostic, Problems, Source};
use crate::lang::grammar::{Shape, TARGET};
use crate::lang::yaml::{self, Node};
use crate::plan::{Needs, RoomNeed};

/// Capabilities a target has only when its file says so: notices that the document lists without saying when
/// they are sent, and what leaves something behind for good.
pub const ON_REQUEST: &[&str] = &["create-rooms", "ntc:pl", "ntc:usermodify"];

/// An implementation under test.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// What reports call it.
    pub name: String,
    /// Its seat; none when the harness tests itself in both.
    pub implements: Option<Seat>,
    /// How to reach it.
    pub transport: Transport,
    /// Its SIP domain.
    pub domain: String,
    /// Where the first INVITE goes.
    pub lookup_uri: Option<String>,
    /// A known chat server.
    pub server_uri: Option<String>,
    /// Users by name.
    pub users: IndexMap<String, User>,
    /// Rooms by name.
    pub rooms: IndexMap<String, Room>,
    /// Categories by name.
    pub categories: IndexMap<String, Category>,
    /// Capabilities it declares.
    pub supported: Vec<String>,
    /// Capabilities it does not have.
    pub unsupported: Vec<String>,
    /// Known values of getserverinfo.
    pub server_info: IndexMap<String, String>,
    /// Program and arguments of the adapter.
    pub driver: Vec<String>,
    /// Known violations.
    pub waivers: Vec<Waiver>,
}

/// How to reach a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transport {
    /// TLS or plain TCP.
    pub tls: bool,
    /// Host and port.
    pub address: String,
    /// Name for SNI and certificate check.
    pub server_name: Option<String>,
    /// PEM file of certificate authorities, resolved against the target file's folder.
    pub ca: Option<PathBuf>,
    /// PEM file of the harness's certificate.
    pub cert: Option<PathBuf>,
    /// PEM file of its key.
    pub key: Option<PathBuf>,
    /// Accepts any certificate.
    pub insecure: bool,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// SIP URI.
    pub uri: String,
    /// Display name.
    pub name: String,
    /// GUID.
    pub guid: String,
    /// Mail address.
    pub email: String,
    /// Company.
    pub company: String,
    /// Distinguished name.
    pub path: String,
    /// Whether the account is disabled.
    pub disabled: bool,
}

/// A room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Room {
    /// `ma-chan://domain/guid`.
    pub uri: String,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Category, by name.
    pub parent: String,
    /// `NORMAL` or `AUDITORIUM`.
    pub behavior: String,
    /// `OPEN`, `SCOPED` or `PRIVATE`.
    pub visibility: String,
    /// Whether it is disabled.
    pub disabled: bool,
    /// Whether members get invitations.
    pub invite: bool,
    /// Who may join.
    pub members: Vec<String>,
    /// Who manages it.
    pub managers: Vec<String>,
    /// Who may chat in an auditorium.
    pub presenters: Vec<String>,
}

impl Room {
    /// The part of the URI behind the domain.
    pub fn guid(&self) -> &str {
        self.uri.rsplit('/').next().unwrap_or_default()
    }

    /// The domain of the URI.
    pub fn domain(&self) -> &str {
        let rest = self.uri.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }
}

/// A category.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Category {
    /// `ma-cat://domain/guid`.
    pub uri: String,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: String,
}

impl Target {
    /// Reads a target file.
    pub fn read(path: &Path) -> Result<Target, Problems> {
        let source = crate::library::read(path)?;
        Target::parse(&source, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a target from text; relative file names in it start at `folder`.
    pub fn parse(source: &Arc<Source>, folder: &Path) -> Result<Target, Problems> {
        let root = yaml::parse(source)?;
        let mut problems = Vec::new();
        check(&root, &Shape::Record(&TARGET), source, &mut problems);
        if problems.iter().any(|p| p.fatal) {
            return Err(Problems(problems));
        }
        let target = build(&root, folder);
        target.check(source, &root, &mut problems);
        if problems.iter().any(|p| p.fatal) {
            return Err(Problems(problems));
        }
        Ok(target)
    }

    /// Names that point nowhere, URIs that are none.
    fn check(&self, source: &Arc<Source>, root: &Node, out: &mut Vec<Diagnostic>) {
        let users: Vec<&str> = self.users.keys().map(String::as_str).collect();
        for (key, room) in root.get("rooms").into_iter().flat_map(Node::entries) {
            for list in ["members", "managers", "presenters"] {
                for item in room.get(list).map(Node::items).unwrap_or_default() {
                    let name = item.text().unwrap_or_default();
                    if !users.contains(&name) {
                        let message = format!("room `{}` lists `{name}`, who is no user", key.text);
                        let d = Diagnostic::error(source, item.span, message);
                        out.push(d.suggest(name, users.iter().copied()));
                    }
                }
            }
            uri(source, room, "ma-chan://", out);
        }
        for (_, category) in root.get("categories").into_iter().flat_map(Node::entries) {
            uri(source, category, "ma-cat://", out);
        }
        for (_, user) in root.get("users").into_iter().flat_map(Node::entries) {
            uri(source, user, "sip", out);
        }
        let transport = root.get("transport");
        if self.implements == Some(Seat::Server)
            && transport.and_then(|t| t.get("address")).is_none()
        {
            let message = "a server target needs a `transport` with an `address`";
            out.push(
                Diagnostic::error(source, transport.unwrap_or(root).span, message).help(
                    "write transport: { protocol: tls, address: 127.0.0.1:5061, ca: ca.pem }",
                ),
            );
        }
        if let Some(address) = transport.and_then(|t| t.get("address"))
            && !address
                .text()
                .and_then(|a| a.rsplit_once(':'))
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        {
            out.push(
                Diagnostic::error(source, address.span, "this is no address")
                    .help("write host:port, like 127.0.0.1:5061"),
            );
        }
        if let (Some(seat), None) = (root.get("implements"), root.get("driver"))
            && seat.text() == Some("client")
        {
            out.push(Diagnostic::warning(
                source,
                seat.span,
                "a client without `driver` can only be watched: scenarios that act for its user are skipped",
            ));
        }
        for (waiver, node) in self
            .waivers
            .iter()
            .zip(root.get("waivers").map(Node::items).unwrap_or_default())
        {
            if let Some(problem) = waiver.problem() {
                out.push(Diagnostic::error(source, node.span, problem));
            }
        }
    }

    /// Whether it has a capability: declared as missing it has not, else it is taken to have it. What no
    /// statement of the document makes a target do ([`ON_REQUEST`]) has to be declared.
    pub fn can(&self, capability: &str) -> bool {
        match capability {
            "lookup" => return self.server_uri.is_none() && self.lookup_uri.is_some(),
            "slow-command" => return self.server_info.contains_key("slow_command"),
            _ if ON_REQUEST.contains(&capability) => {
                return self
                    .supported
                    .iter()
                    .any(|pattern| judge::glob(pattern, capability));
            }
            _ => {}
        }
        !self
            .unsupported
            .iter()
            .any(|pattern| judge::glob(pattern, capability))
    }

    /// Binds a scenario's needs; the error says what is missing, for the skip's reason.
    pub fn bind(&self, needs: &Needs) -> Result<Binding, String> {
        for capability in &needs.capabilities {
            if !self.can(capability) {
                let on_request =
                    capability == "slow-command" || ON_REQUEST.contains(&capability.as_str());
                return Err(match on_request {
                    _ if capability == "lookup" => {
                        "the target file gives a server_uri, so nothing is looked up".to_owned()
                    }
                    true => format!("the target does not declare `{capability}`"),
                    false => format!("the target declares `{capability}` as unsupported"),
                });
            }
        }
        for name in &needs.categories {
            if !self.categories.contains_key(name) {
                return Err(format!("the target has no category `{name}`"));
            }
        }
        for (roles, disabled, what) in [
            (&needs.users, false, "users"),
            (&needs.disabled, true, "disabled users"),
        ] {
            let there = self.users.values().filter(|u| u.disabled == disabled);
            let there = there.count();
            if roles.len() > there {
                return Err(format!(
                    "{} {what} are needed, the target has {there}",
                    roles.len()
                ));
            }
        }
        let mut search = Search {
            target: self,
            needs,
            binding: Binding::default(),
            budget: 200_000,
            missing: None,
        };
        if search.user(0) {
            return Ok(search.binding);
        }
        Err(match search.missing {
            Some(name) => format!("the target has no room that fits `{name}`"),
            None => "the target has no users and rooms that fit together".to_owned(),
        })
    }
}

/// Scenario names → the target's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binding {
    /// Users.
    pub users: IndexMap<String, String>,
    /// Rooms.
    pub rooms: IndexMap<String, String>,
}

struct Search<'a> {
    target: &'a Target,
    needs: &'a Needs,
    binding: Binding,
    budget: u32,
    missing: Option<String>,
}

impl Search<'_> {
    /// Binds users from the `n`th on, then rooms; the same name first.
    fn user(&mut self, n: usize) -> bool {
        let needs = self.needs;
        let Some(role) = needs.users.iter().chain(&needs.disabled).nth(n) else {
            return self.room(0);
        };
        let disabled = n >= needs.users.len();
        let target = self.target;
        let same = target.users.get_key_value(role);
        let others = target.users.iter().filter(|(name, _)| *name != role);
        for (name, _) in same.into_iter().chain(others) {
            if self.budget == 0 || self.binding.users.values().any(|taken| taken == name) {
                continue;
            }
            if target.users.get(name).is_some_and(|u| u.disabled) != disabled {
                continue;
            }
            // A name that another role has by right is left to it.
            if name != role && needs.users.contains(name) && target.users.contains_key(role) {
                continue;
            }
            self.budget -= 1;
            self.binding.users.insert(role.clone(), name.clone());
            if self.user(n + 1) {
                return true;
            }
            self.binding.users.shift_remove(role);
        }
        false
    }

    fn room(&mut self, n: usize) -> bool {
        let needs = self.needs;
        let Some((role, need)) = needs.rooms.get_index(n) else {
            return true;
        };
        let target = self.target;
        let same = target.rooms.get_key_value(role);
        let others = target.rooms.iter().filter(|(name, _)| *name != role);
        for (name, room) in same.into_iter().chain(others) {
            if self.binding.rooms.values().any(|taken| taken == name) || !self.fits(room, need) {
                continue;
            }
            self.binding.rooms.insert(role.clone(), name.clone());
            if self.room(n + 1) {
                return true;
            }
            self.binding.rooms.shift_remove(role);
        }
        self.missing.get_or_insert_with(|| role.clone());
        false
    }

    fn fits(&self, room: &Room, need: &RoomNeed) -> bool {
        let name = |role: &String| self.binding.users.get(role);
        let all = |roles: &[String], list: &[String]| {
            roles
                .iter()
                .all(|r| name(r).is_some_and(|n| list.contains(n)))
        };
        let none = |roles: &[String], list: &[String]| {
            !roles
                .iter()
                .any(|r| name(r).is_some_and(|n| list.contains(n)))
        };
        let word = |want: &Option<String>, have: &str| {
            want.as_deref().is_none_or(|w| w.eq_ignore_ascii_case(have))
        };
        all(&need.members, &room.members)
            && all(&need.managers, &room.managers)
            && all(&need.presenters, &room.presenters)
            && none(&need.strangers, &room.members)
            && none(&need.strangers, &room.managers)
            && none(&need.strangers, &room.presenters)
            && none(&need.not_managers, &room.managers)
            && none(&need.not_presenters, &room.presenters)
            && word(&need.behavior, &room.behavior)
            && word(&need.visibility, &room.visibility)
            && need.disabled == room.disabled
            && (!need.invite || room.invite)
    }
}

fn uri(source: &Arc<Source>, node: &Node, scheme: &str, out: &mut Vec<Diagnostic>) {
    if let Some(value) = node.get("uri")
        && !value.text().is_some_and(|t| t.starts_with(scheme))
    {
        let message = format!("a URI that starts with `{scheme}` is wanted here");
        out.push(Diagnostic::error(source, value.span, message));
    }
}

fn build(root: &Node, folder: &Path) -> Target {
    let text = |node: &Node, key: &str| {
        node.get(key)
            .and_then(Node::text)
            .unwrap_or_default()
            .to_owned()
    };
    let maybe = |node: &Node, key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let list = |node: Option<&Node>| -> Vec<String> {
        node.map(Node::one_or_many)
            .unwrap_or_default()
            .iter()
            .filter_map(|n| n.text().map(str::to_owned))
            .collect()
    };
    let truth = |node: &Node, key: &str| node.get(key).is_some_and(Node::is_true);
    let or = |value: String, default: &str| {
        if value.is_empty() {
            default.to_owned()
        } else {
            value
        }
    };
    let entries = |key: &str| root.get(key).into_iter().flat_map(Node::entries);
    let transport = root
        .get("transport")
        .map(|t| {
            let file = |key: &str| maybe(t, key).map(|p| folder.join(p));
            Transport {
                tls: text(t, "protocol") == "tls",
                address: text(t, "address"),
                server_name: maybe(t, "server_name"),
                ca: file("ca"),
                cert: file("cert"),
                key: file("key"),
                insecure: truth(t, "insecure"),
            }
        })
        .unwrap_or_else(|| Transport {
            tls: true,
            ..Transport::default()
        });
    let capabilities = root.get("capabilities");
    Target {
        name: text(root, "name"),
        implements: match text(root, "implements").as_str() {
            "client" => Some(Seat::Client),
            _ => Some(Seat::Server),
        },
        transport,
        domain: text(root, "domain"),
        lookup_uri: maybe(root, "lookup_uri"),
        server_uri: maybe(root, "server_uri"),
        users: entries("users")
            .map(|(key, u)| {
                let user = User {
                    uri: text(u, "uri"),
                    name: or(text(u, "name"), &key.text),
                    guid: text(u, "guid"),
                    email: text(u, "email"),
                    company: text(u, "company"),
                    path: text(u, "path"),
                    disabled: truth(u, "disabled"),
                };
                (key.text.clone(), user)
            })
            .collect(),
        rooms: entries("rooms")
            .map(|(key, r)| {
                let room = Room {
                    uri: text(r, "uri"),
                    name: or(text(r, "name"), &key.text),
                    description: text(r, "description"),
                    parent: text(r, "parent"),
                    behavior: or(text(r, "behavior"), "NORMAL"),
                    visibility: or(text(r, "visibility"), "SCOPED"),
                    disabled: truth(r, "disabled"),
                    invite: truth(r, "invite"),
                    members: list(r.get("members")),
                    managers: list(r.get("managers")),
                    presenters: list(r.get("presenters")),
                };
                (key.text.clone(), room)
            })
            .collect(),
        categories: entries("categories")
            .map(|(key, c)| {
                let category = Category {
                    uri: text(c, "uri"),
                    name: or(text(c, "name"), &key.text),
                    description: text(c, "description"),
                };
                (key.text.clone(), category)
            })
            .collect(),
        supported: list(capabilities.and_then(|c| c.get("supported"))),
        unsupported: list(capabilities.and_then(|c| c.get("unsupported"))),
        server_info: entries("server_info")
            .filter_map(|(k, v)| Some((k.text.clone(), v.text()?.to_owned())))
            .collect(),
        driver: list(root.get("driver").and_then(|d| d.get("command"))),
        waivers: root
            .get("waivers")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .map(|w| Waiver {
                requirement: text(w, "requirement"),
                reason: text(w, "reason"),
                until: maybe(w, "until"),
                message: maybe(w, "message"),
                scenario: maybe(w, "scenario"),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "name: t\nimplements: server\ntransport: { protocol: tcp, address: 127.0.0.1:1 }\ndomain: x\nusers:\n  u1: { uri: sip:u1@x }\n  u2: { uri: sip:u2@x }\n  alice: { uri: sip:alice@x }\nrooms:\n  one: { uri: ma-chan://x/1, members: [u1] }\n  two: { uri: ma-chan://x/2, members: [u1, u2], managers: [u2] }\n";

    #[test]
    fn needs_are_bound_by_what_fits_and_by_name_first() {
        let target = Target::parse(&Source::new("t", TARGET), Path::new("")).unwrap();
        let mut needs = Needs {
            users: vec!["alice".into(), "bob".into(), "carol".into()],
            ..Needs::default()
        };
        let need = RoomNeed {
            members: vec!["bob".into(), "carol".into()],
            managers: vec!["bob".into()],
            strangers: vec!["alice".into()],
            ..RoomNeed::default()
        };
        needs.rooms.insert("lobby".into(), need);
        let binding = target.bind(&needs).unwrap();
        assert_eq!(binding.users["alice"], "alice");
        assert_eq!(binding.users["bob"], "u2");
        assert_eq!(binding.rooms["lobby"], "two");
        needs.rooms[0].disabled = true;
        assert_eq!(
            target.bind(&needs).unwrap_err(),
            "the target has no room that fits `lobby`"
        );
    }

    #[test]
    fn a_target_with_slips_is_refused() {
        let text = TARGET
            .replace("members: [u1]", "members: [u3]")
            .replace("127.0.0.1:1", "localhost");
        let problems = Target::parse(&Source::new("t", text), Path::new("")).unwrap_err();
        insta::assert_snapshot!(problems.to_string(), @r"
        t:10:40: room `one` lists `u3`, who is no user (did you mean `u1`?)
        t:3:38: this is no address (write host:port, like 127.0.0.1:5061)
        ");
    }
}
