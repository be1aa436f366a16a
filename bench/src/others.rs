//! Other validators, each a child process that measures one slice of time whenever it gets a line.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Best;

/// A validator that may be installed.
pub struct Rival {
    pub name: &'static str,
    pub best: Best,
    pub missing: String,
    talk: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

/// Starts those that are installed.
pub fn all(schema: &Path, document: &Path) -> Vec<Rival> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut lxml = Command::new(python);
    lxml.arg(here.join("lxml_bench.py")).arg(schema).arg(document);
    let mut jdk = Command::new("java");
    jdk.arg(here.join("JdkBench.java")).arg(schema).arg(document);
    vec![Rival::start("libxml2 (lxml)", lxml), Rival::start("Xerces (JDK)", jdk)]
}

impl Rival {
    fn start(name: &'static str, mut command: Command) -> Rival {
        let mut rival = Rival {
            name,
            best: Best::default(),
            missing: "it does not answer".to_owned(),
            talk: None,
        };
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Err(error) => rival.missing = error.to_string(),
            Ok(mut child) => {
                if let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) {
                    rival.talk = Some((child, input, BufReader::new(output)));
                }
            }
        }
        rival
    }

    /// Asks for one slice of each measurement.
    pub fn round(&mut self) {
        let Some((_, input, output)) = &mut self.talk else { return };
        let mut line = String::new();
        let asked = writeln!(input, "go").and_then(|()| input.flush());
        if asked.is_err() || output.read_line(&mut line).is_err() {
            self.talk = None;
            return;
        }
        let numbers: Vec<f64> = line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
        match numbers.as_slice() {
            [parse, both] => self.best.take(*parse, *both),
            _ => self.talk = None,
        }
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        if let Some((mut child, input, _)) = self.talk.take() {
            // It ends at the end of its input.
            drop(input);
            let _ = child.wait();
        }
    }
}
