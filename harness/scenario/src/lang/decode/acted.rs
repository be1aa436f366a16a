//! What the harness's server does otherwise, what a client's user does and is told.

use super::*;

impl Decoder<'_> {
    pub(super) fn serve(&mut self, node: &Node, span: Span) -> Option<Action> {
        let at = self.at(node);
        let name = node.get("as").and_then(|n| self.give(n));
        let what = self.what(node, span)?;
        let hold = node.get("hold").and_then(|n| self.give(n));
        let mut edit = Vec::new();
        for (key, value) in node.get("edit").into_iter().flat_map(Node::entries) {
            let text = (value.value != Value::Null).then(|| self.text(value));
            edit.push((key.text.clone(), text));
        }
        let effect = Effect {
            hold,
            delay: node.get("delay").and_then(Node::text).and_then(duration),
            drop: truth(node, "drop") == Some(true),
            mute: truth(node, "mute") == Some(true),
            twice: truth(node, "twice") == Some(true),
            status: integer(node, "status").and_then(|s| u16::try_from(s).ok()),
            headers: self.pairs(node.get("headers")),
            bye: truth(node, "bye") == Some(true),
            close: truth(node, "close") == Some(true),
            edit,
            reply: node.get("reply").map(|n| self.primitive_list(n)),
            body: node.get("body").map(|n| self.text(n)),
            before: node
                .get("before")
                .map(|n| self.primitive_list(n))
                .unwrap_or_default(),
        };
        self.serves += 1;
        Some(Action::Serve(Box::new(Serve {
            order: self.serves,
            at,
            what,
            times: match integer(node, "times") {
                None => Some(1),
                Some(0) => None,
                Some(n) => Some(n as u32),
            },
            effect,
            invalid: self.plain(node, "invalid"),
            name,
        })))
    }

    pub(super) fn act(&mut self, node: &Node, span: Span) -> Option<Action> {
        let at = self.endpoint(node.get("at")?)?;
        let actions: Vec<_> = node
            .entries()
            .filter(|(k, _)| ACTIONS.contains(&k.text.as_str()))
            .collect();
        let [(action, arguments)] = actions.as_slice() else {
            self.error(span, "the user does exactly one thing");
            return None;
        };
        let arguments = self.build_json(arguments);
        Some(Action::Do(Do {
            at,
            action: action.text.clone(),
            arguments,
            name: node.get("as").and_then(|n| self.give(n)),
            within: self.within(node),
        }))
    }

    pub(super) fn build_json(&mut self, node: &Node) -> Json {
        match &node.value {
            Value::Null => Json::Null,
            Value::List(items) => Json::List(items.iter().map(|i| self.build_json(i)).collect()),
            Value::Map(entries) => Json::Map(
                entries
                    .iter()
                    .map(|(k, v)| (k.text.clone(), self.build_json(v)))
                    .collect(),
            ),
            _ => Json::Value(self.text(node)),
        }
    }

    pub(super) fn json_pattern(&mut self, node: &Node) -> JsonPattern {
        match &node.value {
            Value::Null => JsonPattern::Null,
            Value::List(items) => {
                JsonPattern::List(items.iter().map(|i| self.json_pattern(i)).collect())
            }
            Value::Map(entries) => {
                let absent = entries.len() == 1 && entries[0].0.text == "absent";
                if absent || is_test(node) {
                    return JsonPattern::Test(self.test(node));
                }
                JsonPattern::Map(
                    entries
                        .iter()
                        .map(|(k, v)| (k.text.clone(), self.json_pattern(v)))
                        .collect(),
                )
            }
            _ => JsonPattern::Test(self.test(node)),
        }
    }

    pub(super) fn answered(&mut self, node: &Node) -> Option<Answered> {
        let to = self.used(node, "to")?;
        let mut checks = Vec::new();
        for item in node.get("check").map(Node::one_or_many).unwrap_or_default() {
            checks.push(AnswerCheck {
                decides: self.decides_of(Some(item)),
                result: item.get("result").map(|n| self.json_pattern(n)),
                error: item.get("error").map(|n| self.json_pattern(n)),
                reason: self.plain(item, "reason"),
            });
        }
        Some(Answered {
            to,
            within: self.within(node).unwrap_or(Duration::from_secs(15)),
            ok: truth(node, "ok"),
            error: node.get("error").map(|n| self.json_pattern(n)),
            result: node.get("result").map(|n| self.json_pattern(n)),
            never: node.get("never").and_then(Node::text).and_then(duration),
            decides: self.decides_of(Some(node)),
            checks,
            reason: self.plain(node, "reason"),
        })
    }
}
