/*! A real client behind its adapter: what `target.yaml` describes when it implements the client.

The harness is the server, holding the world the target file describes; the
adapter is started anew for each scenario.
*/

use std::path::{Path, PathBuf};
use std::sync::Arc;

use judge::Unproven;
use peer::driver::Child;
use scenario::engine::{Site, Stage};
use scenario::play::link::Later;
use scenario::play::{Hosting, Reach};
use scenario::{Scenario, Target};
use serde_json::{Map, Value, json};
use sip::net::NetError;
use xccos::server::{Options, Server};
use xccos::world::World;

use super::host::{Host, sign_in};

/// A chat client driven by its adapter, or by the person in front of it.
pub struct Adapter {
    target: Target,
    /// Where the adapter runs.
    folder: PathBuf,
    world: World,
    host: Host,
}

impl Adapter {
    /// `file` is the target file; `reports` is where the CA's file goes. The error is for people.
    pub fn new(target: Target, file: &Path, reports: &Path) -> Result<Adapter, String> {
        let folder = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let transport = &target.transport;
        let address = match transport.address.as_str() {
            "" => "127.0.0.1:0",
            address => address,
        };
        let host =
            Host::new(address, transport.tls, reports).map_err(|e: NetError| super::words(&e))?;
        Ok(Adapter {
            world: world(&target)?,
            folder,
            host,
            target,
        })
    }

    async fn stage(&self, seed: u64) -> Result<Stage, Unproven> {
        let (listener, address) = self.host.listen().await?;
        let options = Options {
            seed,
            ..Options::default()
        };
        let mut hosting = Hosting::new(Server::new(self.world.clone(), options));
        hosting.listener = Some(Box::new(listener));
        hosting.sign_in = sign_in(&self.host, &address);
        if !self.target.driver.is_empty() {
            let child = Child::start(&self.target.driver, &self.folder).map_err(|e| {
                Unproven::Environment(format!(
                    "the adapter `{}` cannot be started: {e}",
                    self.target.driver.join(" ")
                ))
            })?;
            hosting.driver = Some(Arc::new(child));
        }
        Ok(Stage {
            target: self.target.clone(),
            reach: Reach::Server(Box::new(hosting)),
            keep: Box::new(()),
        })
    }
}

impl Site for Adapter {
    fn open<'a>(&'a self, _: &'a Scenario, seed: u64) -> Later<'a, Result<Stage, Unproven>> {
        Box::pin(self.stage(seed))
    }
}

/// The world a target file describes.
fn world(target: &Target) -> Result<World, String> {
    let filled = |pairs: Vec<(&str, Value)>| -> Value {
        let kept = pairs.into_iter().filter(|(_, value)| match value {
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Bool(set) => *set,
            _ => true,
        });
        Value::Object(kept.map(|(k, v)| (k.to_owned(), v)).collect())
    };
    let users: Map<String, Value> = target
        .users
        .iter()
        .map(|(name, u)| {
            let user = filled(vec![
                ("uri", json!(u.uri)),
                ("name", json!(u.name)),
                ("guid", json!(u.guid)),
                ("email", json!(u.email)),
                ("company", json!(u.company)),
                ("path", json!(u.path)),
                ("disabled", json!(u.disabled)),
            ]);
            (name.clone(), user)
        })
        .collect();
    let rooms: Map<String, Value> = target
        .rooms
        .iter()
        .map(|(name, r)| {
            let room = filled(vec![
                ("uri", json!(r.uri)),
                ("name", json!(r.name)),
                ("description", json!(r.description)),
                ("category", json!(r.parent)),
                ("behavior", json!(r.behavior)),
                ("visibility", json!(r.visibility)),
                ("disabled", json!(r.disabled)),
                ("members", json!(r.members)),
                ("managers", json!(r.managers)),
                ("presenters", json!(r.presenters)),
            ]);
            (name.clone(), room)
        })
        .collect();
    let categories: Map<String, Value> = target
        .categories
        .iter()
        .map(|(name, c)| {
            let category = filled(vec![
                ("uri", json!(c.uri)),
                ("name", json!(c.name)),
                ("description", json!(c.description)),
            ]);
            (name.clone(), category)
        })
        .collect();
    let mut world = Map::new();
    world.insert("domain".to_owned(), json!(target.domain));
    for (key, uri) in [
        ("lookup_uri", &target.lookup_uri),
        ("server_uri", &target.server_uri),
    ] {
        if let Some(uri) = uri {
            world.insert(key.to_owned(), json!(uri));
        }
    }
    world.insert("users".to_owned(), users.into());
    world.insert("rooms".to_owned(), rooms.into());
    world.insert("categories".to_owned(), categories.into());
    // JSON is YAML, so the world's own reader does the checking.
    World::parse(&Value::Object(world).to_string())
        .map_err(|e| format!("the target's users and rooms make no world: {}", e.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenario::Source;

    #[test]
    fn a_target_file_makes_a_world() {
        let text = include_str!("../commands/new/client.yaml");
        let target = Target::parse(&Source::new("client.yaml", text), Path::new("")).unwrap();
        let world = world(&target).unwrap();
        assert_eq!(world.rooms.len(), 3);
        assert_eq!(world.users.len(), 3);
        assert_eq!(world.lookup_uri, "sip:ocschat@example.com");
    }
}
