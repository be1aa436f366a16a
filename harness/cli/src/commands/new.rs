//! `parlance new`: a commented file to start from.

use std::path::Path;

use judge::exit;
use scenario::skeleton::{Skeleton, skeleton};

use crate::args::{New, NewWhat, Seat};
use crate::failure::{Done, Failure};

const SCENARIO: &str = include_str!("new/scenario.yaml");
const SERVER: &str = include_str!("new/server.yaml");
const CLIENT: &str = include_str!("new/client.yaml");

/// Writes one.
pub fn new(args: &New) -> Done {
    match &args.what {
        NewWhat::Target {
            output,
            name,
            implements,
            address,
            domain,
            force,
        } => {
            let mut text = match implements {
                Seat::Server => SERVER,
                Seat::Client => CLIENT,
            }
            .to_owned();
            if let Some(domain) = domain {
                text = text.replace("example.com", domain);
            }
            for (was, is) in [("my-chat", name), ("127.0.0.1:5061", address)] {
                if let Some(is) = is {
                    text = text.replace(was, &serde_json::Value::from(is.as_str()).to_string());
                }
            }
            write(output, &text, *force)
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
