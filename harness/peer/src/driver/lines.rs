/*! A driver behind lines: what `parlance client --driver` does.

Takes one JSON object a line, gives one JSON object a line. A line that is no
request gets an error line that names it; the end of input signs everybody out.
*/

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Driver, Refusal, Request, Response};

/// The longest line taken.
const LINE: u64 = 4 * 1024 * 1024;
/// The most requests under way; further lines wait.
const UNDER_WAY: usize = 1_000;

/// Serves requests from `input` until it ends. Errors only when `output` is gone.
pub async fn serve(
    driver: Arc<dyn Driver>,
    input: impl AsyncRead + Send + Unpin,
    mut output: impl AsyncWrite + Send + Unpin,
) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let (responses, mut done) = mpsc::channel::<Response>(UNDER_WAY);
    let mut calls = JoinSet::new();
    let mut number = 0u64;
    let mut line = Vec::new();
    let mut ended = false;
    let result = loop {
        if ended && calls.is_empty() && done.is_empty() {
            break Ok(());
        }
        tokio::select! {
            read = read_line(&mut input, &mut line), if !ended && calls.len() < UNDER_WAY => {
                number += 1;
                let request = match read {
                    Ok(Line::End) => {
                        // Whoever closes its end wants no answers to what would still take long.
                        ended = true;
                        driver.close().await;
                        continue;
                    }
                    Ok(Line::Whole) if line.iter().all(u8::is_ascii_whitespace) => {
                        line.clear();
                        continue;
                    }
                    Ok(Line::Whole) => parse(&line),
                    Ok(Line::TooLong) => Err((None, format!("longer than {LINE} bytes"))),
                    Err(error) => break Err(error),
                };
                line.clear();
                match request {
                    Ok(request) => {
                        let (driver, responses) = (driver.clone(), responses.clone());
                        calls.spawn(async move {
                            let response = driver.call(request).await;
                            // The receiver lives as long as the loop.
                            let _ = responses.send(response).await;
                        });
                    }
                    Err((id, why)) => {
                        let refusal = Refusal::new("failed", format!("line {number}: {why}"));
                        let response = Response::refused(id, refusal);
                        if let Err(error) = write(&mut output, &response).await {
                            break Err(error);
                        }
                    }
                }
            }
            Some(response) = done.recv() => {
                if let Err(error) = write(&mut output, &response).await {
                    break Err(error);
                }
            }
            Some(_) = calls.join_next() => {}
        }
    };
    calls.abort_all();
    driver.close().await;
    result
}

async fn write(output: &mut (impl AsyncWrite + Unpin), response: &Response) -> io::Result<()> {
    let mut text = response.to_json().to_string();
    text.push('\n');
    output.write_all(text.as_bytes()).await?;
    output.flush().await
}

fn parse(line: &[u8]) -> Result<Request, (Option<u64>, String)> {
    let value: serde_json::Value =
        serde_json::from_slice(line).map_err(|e| (None, format!("not JSON: {e}")))?;
    let id = value.get("id").and_then(serde_json::Value::as_u64);
    Request::from_json(value).map_err(|why| (id, why))
}

/// What a read of one line gave; the line without its end stands in the buffer.
pub(super) enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads on to the end of a line. What came so far stays in `line` when the future is dropped.
pub(super) async fn read_line(
    input: &mut (impl AsyncBufReadExt + Unpin),
    line: &mut Vec<u8>,
) -> io::Result<Line> {
    let left = LINE.saturating_sub(line.len() as u64) + 1;
    let read = input.take(left).read_until(b'\n', line).await?;
    match line.last() {
        Some(b'\n') => {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            Ok(Line::Whole)
        }
        _ if line.len() as u64 > LINE => {
            // The rest of it is of no use.
            loop {
                let chunk = input.fill_buf().await?;
                if chunk.is_empty() {
                    break;
                }
                let end = chunk.iter().position(|&b| b == b'\n');
                let used = end.map_or(chunk.len(), |at| at + 1);
                input.consume(used);
                if end.is_some() {
                    break;
                }
            }
            Ok(Line::TooLong)
        }
        None if read == 0 => Ok(Line::End),
        // The last line without an end of its own.
        _ => Ok(Line::Whole),
    }
}
