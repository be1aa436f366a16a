/*! A driver in another process: the adapter an implementer wrote for his client.

Takes a command; writes requests to its standard input and reads responses from
its standard output. The process is the implementation under test: whatever it
writes that is no response is kept as a complaint, and when it ends, every
request under way is answered `disconnected`.
*/

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child as Process, ChildStdin, Command};
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use super::lines::{Line, read_line};
use super::{Calling, Driver, Refusal, Request, Response};

/// How long an adapter may take for one request: far more than the client's own timers.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an adapter may take to end after its input ended.
const FAREWELL: Duration = Duration::from_secs(5);
/// Most complaints kept.
const COMPLAINTS: usize = 100;

/// A client behind an adapter process.
pub struct Child {
    input: AsyncMutex<Option<ChildStdin>>,
    process: AsyncMutex<Process>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    waiting: HashMap<u64, oneshot::Sender<Response>>,
    complaints: Vec<String>,
    ended: bool,
}

impl Child {
    /// Starts the adapter `command` (program and arguments) in `directory`. Its standard error is ours.
    /// Must be called inside a tokio runtime.
    pub fn start(command: &[String], directory: &Path) -> io::Result<Child> {
        let (program, arguments) = command
            .split_first()
            .ok_or_else(|| io::Error::other("driver.command is empty"))?;
        let mut process = Command::new(program)
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let gone = || io::Error::other("the adapter has no standard streams");
        let output = process.stdout.take().ok_or_else(gone)?;
        let input = process.stdin.take().ok_or_else(gone)?;
        let shared = Arc::new(Mutex::new(Shared::default()));
        tokio::spawn(listen(BufReader::new(output), shared.clone()));
        Ok(Child {
            input: AsyncMutex::new(Some(input)),
            process: AsyncMutex::new(process),
            shared,
        })
    }

    /// What the adapter wrote that is no response, by line, since the last call.
    pub fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared).complaints)
    }

    /// Whether the adapter's output has ended.
    pub fn has_ended(&self) -> bool {
        lock(&self.shared).ended
    }

    async fn write(&self, request: &Request) -> io::Result<()> {
        let mut line = request.to_json().to_string();
        line.push('\n');
        let mut input = self.input.lock().await;
        let input = input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(line.as_bytes()).await?;
        input.flush().await
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(mut output: impl tokio::io::AsyncBufRead + Unpin, shared: Arc<Mutex<Shared>>) {
    let mut line = Vec::new();
    let mut number = 0u64;
    loop {
        number += 1;
        let response = match read_line(&mut output, &mut line).await {
            Ok(Line::End) | Err(_) => break,
            Ok(Line::TooLong) => Err("too long".to_owned()),
            Ok(Line::Whole) if line.iter().all(u8::is_ascii_whitespace) => {
                line.clear();
                continue;
            }
            Ok(Line::Whole) => serde_json::from_slice::<Value>(&line)
                .map_err(|e| format!("not JSON: {e}"))
                .and_then(|v| Response::from_json(&v)),
        };
        line.clear();
        let mut shared = lock(&shared);
        let complaint = match response {
            Ok(response) => match response.id.and_then(|id| shared.waiting.remove(&id)) {
                Some(waiting) => {
                    // Whoever asked may have given up.
                    let _ = waiting.send(response);
                    continue;
                }
                None => format!("a response to nothing asked: {}", response.to_json()),
            },
            Err(why) => why,
        };
        if shared.complaints.len() < COMPLAINTS {
            let complaint = format!("adapter output, line {number}: {complaint}");
            shared.complaints.push(complaint);
        }
    }
    let mut shared = lock(&shared);
    shared.ended = true;
    shared.waiting.clear();
}

impl Driver for Child {
    fn call(&self, request: Request) -> Calling<'_> {
        Box::pin(async move {
            let id = request.id;
            let refused =
                |code, words: String| Response::refused(Some(id), Refusal::new(code, words));
            let (sender, response) = oneshot::channel();
            {
                let mut shared = lock(&self.shared);
                if shared.ended {
                    return refused("disconnected", "the adapter has ended".to_owned());
                }
                shared.waiting.insert(id, sender);
            }
            if let Err(error) = self.write(&request).await {
                lock(&self.shared).waiting.remove(&id);
                return refused(
                    "disconnected",
                    format!("the adapter takes no input: {error}"),
                );
            }
            match tokio::time::timeout(PATIENCE, response).await {
                Ok(Ok(response)) => response,
                Ok(Err(_)) => refused("disconnected", "the adapter has ended".to_owned()),
                Err(_) => {
                    lock(&self.shared).waiting.remove(&id);
                    refused("timeout", format!("no response within {PATIENCE:?}"))
                }
            }
        })
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            self.input.lock().await.take();
            let mut process = self.process.lock().await;
            if tokio::time::timeout(FAREWELL, process.wait())
                .await
                .is_err()
            {
                // It had its time; it may be gone by now.
                let _ = process.kill().await;
            }
        })
    }
}
