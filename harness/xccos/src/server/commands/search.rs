/*! `chansrch` (3.1.9) by `qib` or `filtib` or both, and `usrsrch`. */

use crate::defect::{How, Slip};
use crate::payload::{Element, Node};
use crate::server::access::{self, bit};
use crate::server::blocks::{self, Detail};
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server, user_key};
use crate::world::{Behavior, Principal, Room, Visibility};

/// Numbers of visibilities in `filtib/@vis` (2.2.2.1.11.1).
const VISIBILITIES: &[(i64, Visibility)] = &[
    (2, Visibility::Private),
    (3, Visibility::Scoped),
    (6, Visibility::Open),
];
/// Numbers of behaviors in `filtib/@type` (2.2.2.1.11.1).
const BEHAVIORS: &[(i64, Behavior)] = &[(4, Behavior::Normal), (5, Behavior::Auditorium)];

/// How `criteria` is compared (2.2.2.1.11.1, 2.2.2.1.16).
pub(super) struct Matcher {
    terms: Vec<String>,
    all: bool,
}

impl Matcher {
    /// Reads `criteria`, `matchAll` and `matchExactPhrase`; both flags are true unless sent as false.
    pub fn read(block: &Element) -> Matcher {
        let on = |name: &str| {
            block
                .get(name)
                .is_none_or(|v| matches!(v.trim(), "true" | "1"))
        };
        let criteria = block.get("criteria").unwrap_or("").trim().to_lowercase();
        let terms = if on("matchExactPhrase") {
            vec![criteria]
        } else {
            criteria.split_whitespace().map(str::to_owned).collect()
        };
        Matcher {
            terms,
            all: on("matchAll"),
        }
    }

    /// Whether the fields together fit.
    pub fn fits(&self, fields: &[&str]) -> bool {
        let has = |term: &String| {
            fields
                .iter()
                .any(|f| f.to_lowercase().contains(term.as_str()))
        };
        match (self.terms.is_empty(), self.all) {
            (true, _) => true,
            (false, true) => self.terms.iter().all(has),
            (false, false) => self.terms.iter().any(has),
        }
    }
}

/// `qtype` must be BYNAME (2.2.2.1.16); a missing one means the only one there is.
pub(super) fn check_qtype(qib: &Element) -> Result<(), Refusal> {
    match qib.get("qtype").map(str::trim) {
        None | Some("BYNAME") => Ok(()),
        Some(other) => {
            let text = format!("`{other}` is no query type; BYNAME is");
            Err(Refusal::new(Cause::Malformed, text))
        }
    }
}

fn number(block: &Element, name: &str) -> Option<i64> {
    block.get(name)?.trim().parse().ok()
}

fn flag(block: &Element, name: &str) -> bool {
    block
        .get(name)
        .is_some_and(|v| matches!(v.trim(), "true" | "1"))
}

/// The most results a block and the server allow together.
pub(super) fn limit(server: &Server, block: Option<&Element>) -> usize {
    let most = server.world.settings.search_limit as usize;
    let most = if server.options.defects.has(Slip::SearchLimitExceeded) {
        usize::MAX
    } else {
        most
    };
    let asked = block.and_then(|b| number(b, "maxResults"));
    match asked {
        Some(n) if n >= 0 && !server.options.defects.has(Slip::MaxResultsIgnored) => {
            most.min(n as usize)
        }
        _ => most,
    }
}

/// `cmd:chansrch`: rooms that the user may see and that fit.
pub fn rooms(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let qib = ask.data.first("qib");
    let filter = ask.data.first("filtib");
    if qib.is_none() && filter.is_none() {
        return Err(Refusal::new(
            Cause::Missing,
            "cmd:chansrch needs a `qib` or a `filtib`",
        ));
    }
    if let Some(qib) = qib {
        check_qtype(qib)?;
    }
    let cap = limit(server, qib).min(limit(server, filter));
    let defects = &server.options.defects;
    let mut found: Vec<(&String, &Room)> = server
        .world
        .rooms
        .iter()
        .filter(|(_, room)| {
            access::chperms(&server.world, room, &ask.user) & bit::VIEW != 0
                || defects.has(Slip::PrivateRoomsShow)
        })
        .filter(|(_, room)| qib.is_none_or(|q| server.fits_query(q, room)))
        .filter(|(_, room)| match filter {
            Some(f) => server.fits_filter(f, room),
            None => !room.disabled || defects.has(Slip::DisabledRoomsShow),
        })
        .collect();
    found.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    let over = found.len() > cap;
    found.truncate(cap);
    let chanibs: Vec<Element> = found
        .iter()
        .map(|(key, room)| {
            let users = server.participants(key).len();
            blocks::chanib(&server.world, room, Detail::Listed, users, [])
        })
        .collect();
    let count = blocks::cnt(chanibs.len(), over);
    Ok(Done::with(chanibs.into_iter().chain(count)))
}

impl Server {
    fn fits_query(&self, qib: &Element, room: &Room) -> bool {
        let qib = &self.slipped_filter(qib);
        let deep = flag(qib, "extended") != self.options.defects.has(Slip::ExtendedInverted);
        let description = if deep { room.description.as_str() } else { "" };
        Matcher::read(qib).fits(&[&room.name, description]) && in_category(qib, room)
    }

    /// A query or filter without the parts that a defect does not look at.
    fn slipped_filter(&self, block: &Element) -> Element {
        let mut out = block.clone();
        for defect in self.options.defects.iter() {
            if let How::Slip(Slip::FilterIgnores(name)) = defect.how {
                out.unset(name);
                out.children
                    .retain(|n| !matches!(n, Node::Element(e) if e.name == name));
            }
        }
        out
    }

    fn fits_filter(&self, filter: &Element, room: &Room) -> bool {
        let filter = &self.slipped_filter(filter);
        let description = if flag(filter, "includeTopic") {
            room.description.as_str()
        } else {
            ""
        };
        let text = filter.get("criteria").is_none()
            || Matcher::read(filter).fits(&[&room.name, description]);
        let disabled = flag(filter, "disabled") == room.disabled
            || self.options.defects.has(Slip::DisabledRoomsShow);
        let addin = filter
            .get("addinGuid")
            .is_none_or(|guid| room.siopid.eq_ignore_ascii_case(guid.trim()));
        let vis =
            number(filter, "vis").is_none_or(|n| VISIBILITIES.contains(&(n, room.visibility)));
        let kind = number(filter, "type").is_none_or(|n| BEHAVIORS.contains(&(n, room.behavior)));
        let invites = !flag(filter, "searchInvites")
            || match filter.get("invites").map(str::trim).unwrap_or("inherit") {
                "inherit" => room.invite.is_none(),
                "false" | "0" => room.invite == Some(false),
                _ => room.invite == Some(true),
            };
        let member = self.has_principal(filter.first("member"), &room.members);
        let manager = self.has_principal(filter.first("manager"), &room.managers);
        text && disabled
            && addin
            && vis
            && kind
            && invites
            && member
            && manager
            && in_category(filter, room)
    }

    /// Whether a list has the single user or group of a filter element (2.2.2.1.11.2).
    fn has_principal(&self, element: Option<&Element>, list: &[Principal]) -> bool {
        let Some(element) = element else { return true };
        if let Some(uri) = element.first("uib").and_then(|u| u.get("uri")) {
            return access::listed(&self.world, list, &user_key(uri));
        }
        if let Some(gib) = element.first("gib") {
            return self
                .group_key(gib)
                .is_some_and(|key| list.contains(&Principal::Group(key)));
        }
        true
    }

    /// The group a gib names, by GUID, else by path or name.
    pub(super) fn group_key(&self, gib: &Element) -> Option<String> {
        let guid = gib.get("guid").map(str::to_lowercase).unwrap_or_default();
        if self.world.groups.contains_key(&guid) {
            return Some(guid);
        }
        let named = |g: &crate::world::Group| {
            gib.get("path")
                .is_some_and(|p| g.path.as_deref() == Some(p))
                || gib.get("name").is_some_and(|n| n == g.name)
        };
        self.world
            .groups
            .iter()
            .find(|(_, g)| guid.is_empty() && named(g))
            .map(|(key, _)| key.clone())
    }
}

fn in_category(block: &Element, room: &Room) -> bool {
    block
        .get("catUri")
        .is_none_or(|uri| uri.trim().is_empty() || uri.trim().to_lowercase() == room.category)
}

/// `cmd:usrsrch`: users of the directory by name or mail address.
pub fn users(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let qib = ask
        .data
        .first("qib")
        .ok_or_else(|| Refusal::new(Cause::Missing, "cmd:usrsrch needs a `qib`"))?;
    check_qtype(qib)?;
    let matcher = Matcher::read(qib);
    let cap = limit(server, Some(qib));
    let mut found: Vec<Element> = server
        .world
        .users
        .values()
        .filter(|u| !u.disabled)
        .filter(|u| matcher.fits(&[&u.name, u.email.as_deref().unwrap_or(""), &u.uri]))
        .map(blocks::uib)
        .collect();
    let over = found.len() > cap;
    found.truncate(cap);
    let count = blocks::cnt(found.len(), over);
    Ok(Done::with(found.into_iter().chain(count)))
}
