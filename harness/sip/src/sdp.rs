/*! The session descriptions chat clients and servers exchange.

They carry no media: one `m=message … sip null` line says that messages travel
inside the SIP dialog. Gives offers, answers (RFC 3264) and nothing more.
*/

use std::net::IpAddr;

/// The media types a chat session accepts, as the field's clients list them.
pub const ACCEPT_TYPES: &str = "text/plain text/html image/gif application/im-iscomposing+xml \
     application/ms-imdn+xml text/x-msmsgsinvite";

/// A description of a message session at `host:port`: an offer, or the body of a 200 to an INVITE without offer.
pub fn offer(host: &str, port: u16) -> Vec<u8> {
    session(host, &message_line(port))
}

/// The answer to `offer`: message sessions over SIP are accepted at `host:port`, other media refused with port 0.
pub fn answer(offer: &[u8], host: &str, port: u16) -> Vec<u8> {
    let text = String::from_utf8_lossy(offer);
    let mut media = String::new();
    let mut accepted = false;
    for line in text.lines().filter_map(|l| l.strip_prefix("m=")) {
        let mut words = line.split_ascii_whitespace();
        let kind = words.next().unwrap_or("");
        let rest: Vec<&str> = words.skip(1).collect();
        if kind == "message" && !accepted {
            media += &message_line(port);
            accepted = true;
        } else {
            media += &format!("m={kind} 0 {}\r\n", rest.join(" "));
        }
    }
    session(host, &media)
}

/// Whether a description offers or accepts a message session over SIP.
pub fn has_message_session(description: &[u8]) -> bool {
    String::from_utf8_lossy(description).lines().any(|line| {
        let mut words = line.split_ascii_whitespace();
        words.next() == Some("m=message")
            && words.next().is_some_and(|port| port != "0")
            && words.next().is_some_and(|p| p.eq_ignore_ascii_case("sip"))
    })
}

fn message_line(port: u16) -> String {
    format!("m=message {port} sip null\r\na=accept-types:{ACCEPT_TYPES}\r\n")
}

fn session(host: &str, media: &str) -> Vec<u8> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let family = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => "IP6",
        _ => "IP4",
    };
    format!(
        "v=0\r\no=- 0 0 IN {family} {host}\r\ns=session\r\nc=IN {family} {host}\r\nt=0 0\r\n{media}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offer_and_answer() {
        let offer = offer("[::1]", 5061);
        assert!(has_message_session(&offer));
        assert!(offer.starts_with(b"v=0\r\no=- 0 0 IN IP6 ::1\r\n"));
        let two = [&offer[..], b"m=audio 4000 RTP/AVP 0\r\n"].concat();
        let text = String::from_utf8(answer(&two, "10.0.0.1", 5062)).unwrap();
        assert!(text.contains("m=message 5062 sip null\r\n"), "{text}");
        assert!(text.contains("m=audio 0 RTP/AVP 0\r\n"), "{text}");
        assert!(!has_message_session(b"m=message 0 sip null\r\n"));
    }
}
