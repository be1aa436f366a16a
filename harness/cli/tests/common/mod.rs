//! Running the real program in a folder of its own.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A temporary folder to run the program in.
pub struct Place {
    dir: tempfile::TempDir,
}

/// What a command printed and how it ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Place {
        Place {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The program with these arguments (split at blanks), in an environment that means nothing to it.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
        command
            .args(line.split_whitespace())
            .current_dir(self.path());
        for (name, _) in std::env::vars() {
            let tells = ["PARLANCE_", "GITHUB_", "NO_COLOR", "CI", "SSLKEYLOGFILE"];
            if tells.iter().any(|t| name.starts_with(t)) {
                command.env_remove(name);
            }
        }
        command
            .env("COLUMNS", "100")
            .env("TERM", "dumb")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, line: &str) -> Ran {
        ran(self.command(line).output().unwrap())
    }
}

pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Asserts the exit code, showing everything when it is another.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Ran {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.out, self.err
        );
        self
    }

    /// Asserts that stderr has this text.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Ran {
        assert!(self.err.contains(text), "`{text}` is not in:\n{}", self.err);
        self
    }
}

/// A `parlance mock` in the background; killed when dropped.
pub struct Mock {
    child: Child,
    lines: mpsc::Receiver<String>,
    pub target: PathBuf,
}

impl Mock {
    /// Starts it on a free port and waits for its target file.
    pub fn start(place: &Place, name: &str, more: &str) -> Mock {
        let target = place.path().join(name).join("target.yaml");
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        let line = format!(
            "mock --listen 127.0.0.1:0 --write-target {} --seed 1 {more}",
            target.display()
        );
        let mut child = place
            .command(&line)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (to, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        let deadline = Instant::now() + Duration::from_secs(20);
        while !target.exists() {
            assert!(
                child.try_wait().unwrap().is_none() && Instant::now() < deadline,
                "the mock did not come up: {:?}",
                lines.try_iter().collect::<Vec<_>>()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Mock {
            child,
            lines,
            target,
        }
    }

    /// Ends it with SIGTERM; gives its exit code and everything it printed.
    pub fn end(mut self) -> (i32, String) {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let printed: Vec<String> = self.lines.iter().collect();
        (code, printed.join("\n"))
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until somebody listens on a port of this machine.
pub fn wait_for(port: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "nobody listens on port {port}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
