/*! Driving a chat client: the upper tester.

A [`Driver`] takes requests of the upper-tester table and gives responses. Two
exist: [`Child`] speaks JSON lines with an adapter somebody wrote for his own
client; [`Reference`] is our own client, in this process, on any stream.
[`serve`] puts a driver behind standard input and output, which makes the
reference client an adapter like any other.

What an adapter says is data of the implementation under test: nothing it sends
can stop the harness, and what is no response is told with its line.
*/

mod child;
mod connect;
mod endpoint;
mod follow;
mod lines;
mod reference;
mod session;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_mock;

use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value, json};
use xccos::client::Failure;

pub use child::Child;
pub use connect::{Connect, Connecting, Disturbed, Network, Target};
pub use endpoint::{Endpoint, Step};
pub use lines::serve;
pub use reference::{Options, Reference, SignIn, VERBS};

/// A response that is on its way.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

/// A client that can be asked to do things. Calls may overlap; that is what `cancel` is for.
pub trait Driver: Send + Sync {
    /// Asks for one thing and waits for its end. Never hangs longer than the client's own timers.
    fn call(&self, request: Request) -> Calling<'_>;

    /// Ends it: the client signs out and, when it is a process, is ended.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A request: one line to an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its number, not used before with this driver.
    pub id: u64,
    /// What to do: the `do` of the upper-tester table.
    pub verb: String,
    /// The parameters, `user` among them when there are several.
    pub params: Map<String, Value>,
}

impl Request {
    /// A request with the parameters of a JSON object; other values count as none.
    pub fn new(id: u64, verb: impl Into<String>, params: Value) -> Request {
        Request {
            id,
            verb: verb.into(),
            params: match params {
                Value::Object(map) => map,
                _ => Map::new(),
            },
        }
    }

    /// The user it is for, when it says so.
    pub fn user(&self) -> Option<&str> {
        self.params.get("user").and_then(Value::as_str)
    }

    /// As the object of one line.
    pub fn to_json(&self) -> Value {
        let mut line = Map::new();
        line.insert("id".to_owned(), self.id.into());
        line.insert("do".to_owned(), self.verb.as_str().into());
        line.extend(self.params.clone());
        Value::Object(line)
    }

    /// From the object of one line; the error says what is wrong with it.
    pub fn from_json(value: Value) -> Result<Request, String> {
        let Value::Object(mut params) = value else {
            return Err("a request is a JSON object".to_owned());
        };
        let id = match params.remove("id") {
            Some(id) => id
                .as_u64()
                .ok_or("\"id\" is a whole number from 0 upwards")?,
            None => return Err("\"id\" is missing".to_owned()),
        };
        let verb = match params.remove("do") {
            Some(Value::String(verb)) => verb,
            Some(_) => return Err("\"do\" is a string".to_owned()),
            None => return Err("\"do\" is missing".to_owned()),
        };
        Ok(Request { id, verb, params })
    }
}

/// A response: one line from an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Number of the request; none when it could not be read.
    pub id: Option<u64>,
    /// The `result` object, or the error.
    pub result: Result<Value, Refusal>,
}

/// The error of a response. Its code is free text here: adapters of others may have codes of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Code of the upper-tester table.
    pub code: String,
    /// Response code or SIP status.
    pub status: Option<u32>,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// With a code and words.
    pub fn new(code: &str, message: impl Into<String>) -> Refusal {
        Refusal {
            code: code.to_owned(),
            status: None,
            message: message.into(),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        let code = match serde_json::to_value(failure.code) {
            Ok(Value::String(code)) => code,
            _ => "failed".to_owned(),
        };
        Refusal {
            code,
            status: failure.status,
            message: failure.message,
        }
    }
}

impl Response {
    /// A response with a result.
    pub fn ok(id: u64, result: Value) -> Response {
        Response {
            id: Some(id),
            result: Ok(result),
        }
    }

    /// A response with an error.
    pub fn refused(id: Option<u64>, refusal: Refusal) -> Response {
        Response {
            id,
            result: Err(refusal),
        }
    }

    /// As the object of one line.
    pub fn to_json(&self) -> Value {
        match &self.result {
            Ok(Value::Object(result)) if result.is_empty() => json!({"id": self.id, "ok": true}),
            Ok(result) => json!({"id": self.id, "ok": true, "result": result}),
            Err(refusal) => {
                let mut error = json!({"code": refusal.code, "message": refusal.message});
                if let Some(status) = refusal.status {
                    error["status"] = status.into();
                }
                json!({"id": self.id, "ok": false, "error": error})
            }
        }
    }

    /// From the object of one line; the error says what is wrong with it.
    pub fn from_json(value: &Value) -> Result<Response, String> {
        let Value::Object(object) = value else {
            return Err("a response is a JSON object".to_owned());
        };
        let id = match object.get("id") {
            None | Some(Value::Null) => None,
            Some(id) => Some(
                id.as_u64()
                    .ok_or("\"id\" is a whole number from 0 upwards")?,
            ),
        };
        let result = match object.get("ok").and_then(Value::as_bool) {
            Some(true) => Ok(object.get("result").cloned().unwrap_or_else(|| json!({}))),
            Some(false) => {
                let error = object.get("error").unwrap_or(&Value::Null);
                let text = |name: &str| error.get(name).and_then(Value::as_str);
                Err(Refusal {
                    code: text("code").ok_or("an error has a \"code\"")?.to_owned(),
                    status: error
                        .get("status")
                        .and_then(Value::as_u64)
                        .and_then(|s| u32::try_from(s).ok()),
                    message: text("message").unwrap_or("").to_owned(),
                })
            }
            None => return Err("\"ok\" is true or false".to_owned()),
        };
        Ok(Response { id, result })
    }
}
