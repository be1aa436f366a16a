//! `parlance new`: a commented file to start from.

use std::io::BufRead;
use std::path::Path;

use judge::exit;
use scenario::skeleton::{Skeleton, skeleton};

use crate::args::{New, NewWhat, Seat, value};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;

const SCENARIO: &str = include_str!("new/scenario.yaml");
const SERVER: &str = include_str!("new/server.yaml");
const CLIENT: &str = include_str!("new/client.yaml");

/// Writes one.
pub fn new(args: &New, terminal: &Terminal) -> Done {
    match &args.what {
        NewWhat::Target {
            output,
            name,
            implements,
            address,
            domain,
            ask,
            force,
        } => {
            let mut wanted = Wanted {
                name: name.clone(),
                implements: *implements,
                address: address.clone(),
                domain: domain.clone(),
            };
            if *ask || terminal.interactive && wanted.is_open() {
                wanted.ask(&mut std::io::stdin().lock())?;
            }
            write(output, &wanted.file(), *force)
        }
        NewWhat::Scenario {
            from: None,
            output,
            force,
        } => write(output, SCENARIO, *force),
        NewWhat::Scenario {
            from: Some(from),
            output,
            force,
        } => {
            let made = recorded(from)?;
            for what in &made.left_out {
                super::warn(&format!("not in the scenario: {what}"));
            }
            write(output, &made.text, *force)
        }
        NewWhat::World { output, force } => write(output, xccos::world::SAMPLE, *force),
    }
}

/// A recording as a scenario.
fn recorded(path: &Path) -> Result<Skeleton, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|e| Failure::environment(format!("{} cannot be read: {e}", path.display())))?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let wrong = |why: String| Failure::usage(format!("{}: {why}", path.display()));
    let reading = trace::read::read_bytes(&name, &bytes).map_err(|e| wrong(e.to_string()))?;
    skeleton(reading.trace.events(), &name).map_err(wrong)
}

/// What a target file is to say.
struct Wanted {
    name: Option<String>,
    implements: Option<Seat>,
    address: Option<String>,
    domain: Option<String>,
}

impl Wanted {
    /// Whether nothing was said yet.
    fn is_open(&self) -> bool {
        self.name.is_none()
            && self.implements.is_none()
            && self.address.is_none()
            && self.domain.is_none()
    }

    /// Asks for what was not said; an empty answer takes what stands in brackets.
    fn ask(&mut self, input: &mut dyn BufRead) -> Result<(), Failure> {
        if self.name.is_none() {
            self.name = question(input, "Name in reports", "my-chat", |_| Ok(()))?;
        }
        if self.implements.is_none() {
            let seat = question(
                input,
                "Is it a server or a client?",
                "server",
                |a| match a {
                    "server" | "client" => Ok(()),
                    _ => Err("server or client".to_owned()),
                },
            )?;
            self.implements = seat.map(|s| match s.as_str() {
                "client" => Seat::Client,
                _ => Seat::Server,
            });
        }
        if self.implements != Some(Seat::Client) && self.address.is_none() {
            let check = |a: &str| value::address(a).map(|_| ());
            self.address = question(input, "Where does it listen?", "127.0.0.1:5061", check)?;
        }
        if self.domain.is_none() {
            self.domain = question(input, "SIP domain", "example.com", |a| {
                match a.contains(['@', ':', '/', ' ']) {
                    true => Err("a domain, like chat.example.com".to_owned()),
                    false => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    fn file(&self) -> String {
        let mut text = match self.implements {
            Some(Seat::Client) => CLIENT,
            _ => SERVER,
        }
        .to_owned();
        if let Some(domain) = &self.domain {
            text = text.replace("example.com", domain);
        }
        for (was, is) in [("my-chat", &self.name), ("127.0.0.1:5061", &self.address)] {
            if let Some(is) = is {
                text = text.replace(was, &serde_json::Value::from(is.as_str()).to_string());
            }
        }
        text
    }
}

/// Asks until the answer fits; none when the default was taken or the input ended.
fn question(
    input: &mut dyn BufRead,
    text: &str,
    default: &str,
    fits: impl Fn(&str) -> Result<(), String>,
) -> Result<Option<String>, Failure> {
    loop {
        anstream::eprint!("{text} [{default}] ");
        let mut line = String::new();
        let read = input.read_line(&mut line).map_err(Failure::environment)?;
        let answer = line.trim();
        if read == 0 || answer.is_empty() {
            if read == 0 {
                anstream::eprintln!();
            }
            return Ok(None);
        }
        match fits(answer) {
            Ok(()) => return Ok(Some(answer.to_owned())),
            Err(why) => anstream::eprintln!("  {why}"),
        }
    }
}

fn write(path: &Path, text: &str, force: bool) -> Done {
    if path.exists() && !force {
        return Err(Failure::usage(format!(
            "{} exists already; --force replaces it",
            path.display()
        )));
    }
    report::files::put(path, text.as_bytes()).map_err(Failure::environment)?;
    anstream::eprintln!("written: {}", path.display());
    Ok(exit::CONFORMANT)
}
