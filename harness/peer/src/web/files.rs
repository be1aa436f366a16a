use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use xccos::server::{Direction, TokenError};

use super::{Answer, parameters};
use crate::mock::Mock;
use crate::mock::chat::Chat;

/// Longest file.
const MOST: usize = 16 << 20;
/// Most bytes of all files together.
const MOST_TOGETHER: usize = 256 << 20;

/// The files that were uploaded, by room and name.
#[derive(Default)]
pub(super) struct Files {
    kept: Mutex<HashMap<(String, String), Bytes>>,
}

impl Files {
    pub(super) async fn answer(&self, mock: &Mock, request: Request<Incoming>) -> Answer {
        let direction = match *request.method() {
            Method::PUT | Method::POST => Direction::Upload,
            Method::GET | Method::HEAD => Direction::Download,
            _ => return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "PUT a file, or GET it."),
        };
        let query = parameters(request.uri().query().unwrap_or(""));
        let get = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.clone())
        };
        let (Some(token), Some(room), Some(file)) =
            (get("token"), get("channelUri"), get("fileUrl"))
        else {
            let text = "The parameters token, channelUri and fileUrl are needed.";
            return Answer::text(StatusCode::BAD_REQUEST, text);
        };
        // The body is read first: a token is not used up by an upload that never arrives.
        let body = match direction {
            Direction::Download => Bytes::new(),
            Direction::Upload => match Limited::new(request.into_body(), MOST).collect().await {
                Ok(body) => body.to_bytes(),
                Err(_) => {
                    let text =
                        format!("The file did not arrive whole, or has more than {MOST} bytes.");
                    return Answer::text(StatusCode::PAYLOAD_TOO_LARGE, text);
                }
            },
        };
        let key = (room.to_lowercase(), file.clone());
        let redeemed = mock.with(move |hub, now, _| {
            let chat = hub.model().as_any().downcast_mut::<Chat>()?;
            Some(chat.server().redeem(now, &token, direction, &room, &file))
        });
        match redeemed.await.flatten() {
            None => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "The chat server is gone."),
            Some(Err(error)) => Answer::text(StatusCode::FORBIDDEN, refusal(error)),
            Some(Ok(_)) => match direction {
                Direction::Upload => self.keep(key, body),
                Direction::Download => self.give(&key),
            },
        }
    }

    fn keep(&self, key: (String, String), body: Bytes) -> Answer {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let others: usize = kept
            .iter()
            .filter(|(k, _)| **k != key)
            .map(|(_, b)| b.len())
            .sum();
        if others + body.len() > MOST_TOGETHER {
            return Answer::text(
                StatusCode::INSUFFICIENT_STORAGE,
                "There is no room for more files.",
            );
        }
        let text = format!("{} bytes kept.", body.len());
        kept.insert(key, body);
        Answer::text(StatusCode::CREATED, text)
    }

    fn give(&self, key: &(String, String)) -> Answer {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(key) {
            None => Answer::text(StatusCode::NOT_FOUND, "Nobody uploaded this file."),
            Some(body) => Answer {
                status: StatusCode::OK,
                kind: "application/octet-stream",
                body: body.clone(),
                remarks: Vec::new(),
            },
        }
    }
}

fn refusal(error: TokenError) -> &'static str {
    match error {
        TokenError::Unknown => "This token was never given out.",
        TokenError::Expired => "This token's time is over.",
        TokenError::Used => "This token was used already.",
        TokenError::Mismatch => "This token is for another file, room or direction.",
    }
}
