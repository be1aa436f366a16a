/*! What a client does over HTTPS after the chat server told it an address: transfer a file (3.1.19), open
the room-management page ([MS-OCGCWEB]).

Takes an address, a method and a body; makes one request on a connection of its own and gives status and
body. It trusts the CA the user signed in with and no other, and follows no redirection.
*/

use std::path::PathBuf;
use std::time::Duration;

use sip::net::{Connector, Pem, Target, TlsClient};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Longest answer that is read.
const MOST: u64 = 32 << 20;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// Makes one request to an `https:` address; the error says in words why there is no answer.
pub async fn follow(
    method: &str,
    url: &str,
    body: &[u8],
    ca: Option<PathBuf>,
) -> Result<Followed, String> {
    let all = async {
        let rest = url
            .strip_prefix("https://")
            .ok_or_else(|| format!("{url} is no https address"))?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let slash = if path.starts_with('/') { "" } else { "/" };
        if path.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!("{url} is no address"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
            _ => (authority, "443"),
        };
        let tls = TlsClient {
            server_name: Some(host.trim_matches(['[', ']']).to_owned()),
            ca: ca.into_iter().map(Pem::File).collect(),
            ..TlsClient::default()
        };
        let connector = Connector::new(Target::tls(&format!("{host}:{port}"), tls))
            .map_err(|e| e.to_string())?;
        let mut stream = connector.open().await.map_err(|e| e.to_string())?.stream;
        let head = format!(
            "{method} {slash}{path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: parlance\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let broke = |e: std::io::Error| e.to_string();
        stream.write_all(head.as_bytes()).await.map_err(broke)?;
        stream.write_all(body).await.map_err(broke)?;
        stream.flush().await.map_err(broke)?;
        let mut answer = Vec::new();
        stream
            .take(MOST)
            .read_to_end(&mut answer)
            .await
            .map_err(broke)?;
        parse(&answer).ok_or_else(|| "the answer is not HTTP/1.1".to_owned())
    };
    match tokio::time::timeout(PATIENCE, all).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}

/// An answer on a connection that is closed behind it.
fn parse(answer: &[u8]) -> Option<Followed> {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    Some(Followed {
        status: status.parse().ok()?,
        body: answer.get(end + 4..)?.to_vec(),
    })
}

/// Parameters appended to an address, written so that they arrive as they are.
pub fn with_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let mut out = url.to_owned();
    for (name, value) in parameters {
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(byte as char);
                }
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_queries() {
        let answer = parse(b"HTTP/1.1 201 Created\r\nA: b\r\n\r\nkept").unwrap();
        assert_eq!((answer.status, answer.body), (201, b"kept".to_vec()));
        for bad in [&b""[..], b"HTTP/1.1 201", b"SIP/2.0 200 OK\r\n\r\n"] {
            assert_eq!(parse(bad), None);
        }
        let url = with_query("https://x/f?a=1", &[("u", "ma-chan://ä")]);
        assert_eq!(url, "https://x/f?a=1&u=ma-chan%3A%2F%2F%C3%A4");
    }

    #[tokio::test]
    async fn only_https() {
        let why = follow("GET", "http://localhost/", b"", None).await;
        assert!(why.unwrap_err().contains("no https address"));
    }
}
