/*! The target file that describes a mock: what `--write-target` writes.

Takes a world and where it is served, gives `target.yaml` as text, and writes
it so that nobody ever reads half of it.
*/

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use xccos::server::access::invites;
use xccos::world::{Behavior, Principal, Visibility, World};

/// Where and how a mock listens.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The target's name in reports.
    pub name: &'a str,
    /// `tls` or `tcp`.
    pub protocol: &'a str,
    /// `host:port` that clients can reach.
    pub address: &'a str,
    /// The name in the certificate.
    pub server_name: Option<&'a str>,
    /// CA file, relative to the target file.
    pub ca: Option<&'a str>,
}

/// The target file's text.
pub fn describe(world: &World, place: &Place<'_>) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# Written by `parlance mock`: it describes the world that is served there."
    );
    let _ = writeln!(out, "name: {}", word(place.name));
    let _ = writeln!(out, "implements: server");
    let _ = write!(
        out,
        "transport: {{ protocol: {}, address: {}",
        place.protocol,
        word(place.address)
    );
    if let Some(name) = place.server_name {
        let _ = write!(out, ", server_name: {}", word(name));
    }
    if let Some(ca) = place.ca {
        let _ = write!(out, ", ca: {}", word(ca));
    }
    let _ = writeln!(out, " }}");
    let _ = writeln!(out, "domain: {}", word(&world.domain));
    let _ = writeln!(out, "lookup_uri: {}", word(&world.lookup_uri));

    let mut names = Names::default();
    let _ = writeln!(out, "users:");
    for (key, user) in &world.users {
        let local = user
            .uri
            .trim_start_matches("sip:")
            .split('@')
            .next()
            .unwrap_or("user");
        let name = names.take(key, local);
        let _ = writeln!(
            out,
            "  {name}: {{ uri: {}, name: {}, guid: {}{} }}",
            word(&user.uri),
            word(&user.name),
            word(&user.guid),
            if user.disabled {
                ", disabled: true"
            } else {
                ""
            }
        );
    }
    section(&mut out, "rooms", world.rooms.is_empty());
    for (key, room) in &world.rooms {
        let name = names.take(key, &room.name);
        let _ = write!(
            out,
            "  {name}: {{ uri: {}, name: {}",
            word(&room.uri),
            word(&room.name)
        );
        if !room.description.is_empty() {
            let _ = write!(out, ", description: {}", word(&room.description));
        }
        if room.behavior == Behavior::Auditorium {
            let _ = write!(out, ", behavior: AUDITORIUM");
        }
        match room.visibility {
            Visibility::Private => out.push_str(", visibility: PRIVATE"),
            Visibility::Open => out.push_str(", visibility: OPEN"),
            Visibility::Scoped => {}
        }
        if room.disabled {
            let _ = write!(out, ", disabled: true");
        }
        if invites(world, room) {
            let _ = write!(out, ", invite: true");
        }
        for (list, who) in [
            ("members", &room.members),
            ("managers", &room.managers),
            ("presenters", &room.presenters),
        ] {
            let who = users(world, who, &names);
            if !who.is_empty() {
                let _ = write!(out, ", {list}: [{}]", who.join(", "));
            }
        }
        let _ = writeln!(out, " }}");
    }
    section(&mut out, "categories", world.categories.is_empty());
    for (key, category) in &world.categories {
        let name = names.take(key, &category.name);
        let _ = writeln!(
            out,
            "  {name}: {{ uri: {}, name: {} }}",
            word(&category.uri),
            word(&category.name)
        );
    }
    let settings = &world.settings;
    let _ = writeln!(
        out,
        "capabilities: {{ supported: [create-rooms, \"ntc:pl\", \"ntc:usermodify\"] }}"
    );
    let _ = write!(
        out,
        "server_info: {{ search_limit: {}, message_size_limit: {}, story_size_limit: {}",
        settings.search_limit, settings.message_size_limit, settings.story_size_limit
    );
    if let Some(command) = &settings.slow_command {
        let _ = write!(out, ", slow_command: {}", word(command));
    }
    let _ = writeln!(out, " }}");
    out
}

/// Writes a file in one go: whoever waits for it to appear finds it whole.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    std::fs::write(&part, text)?;
    std::fs::rename(&part, path).inspect_err(|_| {
        let _ = std::fs::remove_file(&part);
    })
}

fn section(out: &mut String, name: &str, empty: bool) {
    let _ = writeln!(out, "{name}:{}", if empty { " {}" } else { "" });
}

/// Names for keys: short, unique, plain words.
#[derive(Default)]
struct Names {
    by_key: HashMap<String, String>,
    taken: HashMap<String, u32>,
}

impl Names {
    fn take(&mut self, key: &str, wanted: &str) -> String {
        let mut name: String = wanted
            .chars()
            .map(|c| match c {
                'A'..='Z' => c.to_ascii_lowercase(),
                'a'..='z' | '0'..='9' => c,
                _ => '-',
            })
            .collect();
        name = name.trim_matches('-').to_owned();
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            name.insert(0, 'x');
        }
        // YAML reads these as something else than a name.
        if matches!(
            name.as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        ) {
            name.push('-');
        }
        let count = self.taken.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            name = format!("{name}-{count}");
        }
        self.by_key.insert(key.to_owned(), name.clone());
        name
    }
}

/// Names of the users a list means, groups taken apart.
fn users(world: &World, who: &[Principal], names: &Names) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let keys = who.iter().flat_map(|principal| match principal {
        Principal::User(key) => vec![key],
        Principal::Group(key) => world
            .groups
            .get(key)
            .map(|group| group.members.iter().collect())
            .unwrap_or_default(),
    });
    for key in keys {
        if let Some(name) = names.by_key.get(key)
            && !out.contains(name)
        {
            out.push(name.clone());
        }
    }
    out
}

/// A YAML scalar; JSON's quoting is YAML's too.
fn word(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(':')
        && !text.contains(": ")
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.:/@".contains(c))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_world() {
        let text = describe(
            &World::sample(),
            &Place {
                name: "mock",
                protocol: "tls",
                address: "127.0.0.1:5061",
                server_name: Some("localhost"),
                ca: Some("ca.pem"),
            },
        );
        for line in [
            "transport: { protocol: tls, address: \"127.0.0.1:5061\", server_name: localhost, ca: ca.pem }",
            "  alice: { uri: sip:alice@example.com, name: Alice, guid: \"93109AFC-D91D-45A1-96F4-6DCBBB31B640\" }",
            "members: [alice, bob], managers: [alice] }",
            "  town-hall: {",
            "behavior: AUDITORIUM",
            "visibility: PRIVATE",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn odd_names_stay_apart_and_plain() {
        let mut names = Names::default();
        assert_eq!(names.take("1", "Room A"), "room-a");
        assert_eq!(names.take("2", "room a"), "room-a-2");
        assert_eq!(names.take("3", "42"), "x42");
        assert_eq!(names.take("4", "No"), "no-");
        assert_eq!(names.take("5", "…"), "x");
        assert_eq!(word("a: b"), "\"a: b\"");
        assert_eq!(word("no"), "\"no\"");
    }
}
