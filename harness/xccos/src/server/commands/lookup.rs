/*! `requri` (3.1.3) and `getserverinfo` (3.1.4, 3.2.2). */

use crate::defect::Slip;
use crate::payload::Element;
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server, access};
use crate::world::{Settings, derived_guid};

/// `cmd:requri` and `cmd:requi`: where the channel server is, as the `uri` of a uib.
pub fn request_uri(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    if !access::known(&server.world, &ask.user) {
        return Err(Refusal::new(
            Cause::UnknownUser,
            "You are not enabled for persistent chat",
        ));
    }
    let uri = &server.world.server_uri;
    let name = &server.world.settings.name;
    Ok(Done::with([Element::new("uib")
        .with("uri", uri)
        .with("guid", derived_guid(uri).to_string().to_uppercase())
        .with("type", "5")
        .with("uname", name)
        .with("disabled", "false")
        .with("dispname", name)]))
}

/// A piece of server information: its bit in infoType (2.2.2.1.10), its attribute, its value.
type Piece = (u64, &'static str, fn(&Settings) -> Option<String>);

/// The pieces that are settings; serverTime (1) and rootUri (16) are not.
const PIECES: &[Piece] = &[
    (2, "searchLimit", |s| Some(s.search_limit.to_string())),
    (4, "pingInterval", |s| s.ping_interval.clone()),
    (8, "dbVersion", |s| s.pool_id.clone()),
    (32, "messageSizeLimit", |s| {
        Some(s.message_size_limit.to_string())
    }),
    (64, "storySizeLimit", |s| {
        Some(s.story_size_limit.to_string())
    }),
    (128, "serverVersion", |s| Some(s.version.clone())),
    (512, "displayName", |s| Some(s.name.clone())),
    (1024, "roomManagementUrl", |s| s.room_management_url.clone()),
];

/// `cmd:getserverinfo`: exactly the pieces whose bits were asked for and that there are; unknown bits are cleared.
pub fn server_info(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let asked = ask
        .data
        .first("sib")
        .and_then(|sib| sib.get("infoType"))
        .and_then(|v| v.trim().parse::<i64>().ok())
        .ok_or_else(|| Refusal::new(Cause::Malformed, "`sib/@infoType` is no bitmap"))?
        as u64;
    let asked = if server.options.defects.has(Slip::ServerInfoAlwaysAll) {
        u64::MAX
    } else {
        asked
    };
    let mut sib = Element::new("sib")
        .with("domain", &server.world.domain)
        .with("infoType", "0");
    let mut given = 0u64;
    let mut give = |sib: &mut Element, bit: u64, name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|_| asked & bit != 0) {
            sib.set(name, value);
            given |= bit;
        }
    };
    give(&mut sib, 1, "serverTime", Some(ask.now.stamp()));
    let root = server.world.root().map(|c| c.uri.clone());
    give(&mut sib, 16, "rootUri", root);
    for (bit, name, value) in PIECES {
        give(&mut sib, *bit, name, value(&server.world.settings));
    }
    sib.set("infoType", given.to_string());
    Ok(Done::with([sib]))
}
