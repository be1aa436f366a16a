/*! Patterns of what is no payload: JSON of a driver, SIP messages. */

use crate::lang::value::Scope;
use crate::plan::*;

use super::forms::clip;
use super::matching::{Matcher, Mismatch, Outcome};

impl<S: Scope> Matcher<'_, S> {
    /// Whether JSON fits.
    pub fn json(
        &mut self,
        value: Option<&serde_json::Value>,
        pattern: &JsonPattern,
        path: &str,
    ) -> Outcome {
        use serde_json::Value as V;
        match pattern {
            JsonPattern::Null => match value {
                None | Some(V::Null) => Ok(()),
                Some(other) => self.differ(
                    path,
                    None,
                    format!("is {}, wanted null", clip(&other.to_string())),
                ),
            },
            JsonPattern::Test(test) => {
                let counts = test
                    .conditions
                    .iter()
                    .any(|c| matches!(c, Condition::Items(_)));
                let text = match value {
                    None | Some(V::Null) => None,
                    Some(V::Array(list)) if counts => Some(list.len().to_string()),
                    Some(V::String(s)) => Some(s.clone()),
                    Some(other) => Some(other.to_string()),
                };
                self.value(text.as_deref(), test, path, None)
            }
            JsonPattern::Map(entries) => {
                let nothing = serde_json::Map::new();
                let map = match value {
                    Some(V::Object(map)) => map,
                    // An error has no result: whatever is tested in it is not there.
                    None if path == "result" && !entries.is_empty() => &nothing,
                    _ => return self.differ(path, None, "is no object".to_owned()),
                };
                for (key, pattern) in entries {
                    self.json(map.get(key), pattern, &format!("{path}/{key}"))?;
                    self.depth += 1;
                }
                Ok(())
            }
            JsonPattern::List(items) => {
                let Some(V::Array(list)) = value else {
                    return self.differ(path, None, "is no list".to_owned());
                };
                if items.is_empty() && !list.is_empty() {
                    return self.differ(
                        path,
                        None,
                        format!("has {} items, wanted none", list.len()),
                    );
                }
                let mut taken = vec![false; list.len()];
                for pattern in items {
                    let mut nearest: Option<Box<Mismatch>> = None;
                    let mut found = false;
                    let depth = self.depth;
                    for (i, item) in list.iter().enumerate() {
                        if taken[i] {
                            continue;
                        }
                        self.depth = depth;
                        let saved = self.saved.len();
                        match self.json(Some(item), pattern, &format!("{path}/{i}")) {
                            Ok(()) => {
                                taken[i] = true;
                                found = true;
                                break;
                            }
                            Err(mismatch) => {
                                self.saved.truncate(saved);
                                Mismatch::keep(&mut nearest, mismatch);
                            }
                        }
                    }
                    if !found {
                        return match nearest {
                            Some(mismatch) => Err(mismatch),
                            None => self.differ(path, None, "has too few items".to_owned()),
                        };
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether a SIP message fits.
    pub fn sip(&mut self, message: &sip::Message, pattern: &SipPattern) -> Outcome {
        if let Some(number) = &pattern.status {
            let Some(status) = message.status() else {
                return self.differ("", None, "is a request, wanted a response".to_owned());
            };
            if !self.number(&status.to_string(), number)? {
                let wanted = self.wanted(number);
                return self.differ("", None, format!("has status {status}, wanted {wanted}"));
            }
            self.depth += 1;
        }
        if let Some(method) = &pattern.method {
            let have = match message.method() {
                Some(method) if pattern.status.is_none() => method.to_owned(),
                Some(_) => String::new(),
                None if pattern.status.is_some() => {
                    message.cseq().map(|c| c.method).unwrap_or_default()
                }
                None => return self.differ("", None, "is a response, wanted a request".to_owned()),
            };
            if !have.eq_ignore_ascii_case(method) {
                return self.differ("", None, format!("has method {have}, wanted {method}"));
            }
            self.depth += 1;
        }
        for (name, test, _) in &pattern.headers {
            let value = message.value(name);
            self.value(value.as_deref(), test, name, None)?;
        }
        if let Some((test, _)) = &pattern.body {
            let body = String::from_utf8_lossy(message.body());
            self.value(Some(&body), test, "body", None)?;
        }
        Ok(())
    }
}
