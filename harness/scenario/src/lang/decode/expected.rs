//! What a step waits for: tests of values, patterns, expectations.

use super::*;

impl Decoder<'_> {
    pub(super) fn test(&mut self, node: &Node) -> Test {
        let mut test = Test::default();
        if !matches!(node.value, Value::Map(_)) {
            test.conditions = vec![Condition::Equals(self.text(node))];
            return test;
        }
        for (key, value) in node.entries() {
            let holds = node.get(&key.text).is_some_and(Node::is_true);
            let negate = |c: Condition| {
                if holds {
                    c
                } else {
                    Condition::Not(Box::new(Test {
                        conditions: vec![c],
                        save: None,
                    }))
                }
            };
            let condition = match key.text.as_str() {
                "equals" => Condition::Equals(self.text(value)),
                "integer" => Condition::Integer(self.number(value)),
                "items" => Condition::Items(self.number(value)),
                "time" => Condition::Time(self.time(value)),
                "regex" => {
                    let text = value.text().unwrap_or_default();
                    match regex::Regex::new(text) {
                        Ok(regex) if !text.contains("${") => Condition::Regex(regex),
                        _ => Condition::RegexText(self.text(value)),
                    }
                }
                "one_of" => Condition::OneOf(value.items().iter().map(|i| self.test(i)).collect()),
                "not" => Condition::Not(Box::new(self.test(value))),
                "absent" => negate(Condition::Absent),
                "present" => negate(Condition::Present),
                "boolean" => Condition::Boolean(holds),
                "guid" => negate(Condition::Guid),
                "contains" => {
                    let text = self.text(value);
                    Condition::Contains(text, truth(node, "is") != Some(false))
                }
                "has_bits" => Condition::HasBits(integer(node, "has_bits").unwrap_or(0) as u32),
                "lacks_bits" => {
                    Condition::LacksBits(integer(node, "lacks_bits").unwrap_or(0) as u32)
                }
                "has" => Condition::Has(value.one_or_many().iter().map(|v| self.text(v)).collect()),
                "lacks" => {
                    Condition::Lacks(value.one_or_many().iter().map(|v| self.text(v)).collect())
                }
                "save" => {
                    test.save = self.give(value);
                    continue;
                }
                _ => continue,
            };
            test.conditions.push(condition);
        }
        test
    }

    pub(super) fn time(&mut self, node: &Node) -> TimeTest {
        match node.text().unwrap_or_default().split_once(' ') {
            None if node.text() == Some("utc") => TimeTest::Utc,
            None if node.text() == Some("any") => TimeTest::Any,
            Some(("now", tolerance)) if duration(tolerance.trim()).is_some() => {
                TimeTest::Near(duration(tolerance.trim()).unwrap_or_default())
            }
            _ => {
                self.error(node.span, "a time is `any`, `utc` or `now 5m`");
                TimeTest::Any
            }
        }
    }

    pub(super) fn pattern(&mut self, node: &Node) -> Pattern {
        let mut pattern = Pattern::default();
        if node.text().is_some() || is_test(node) {
            pattern.text = Some((self.test(node), node.span));
            return pattern;
        }
        for (key, value) in node.entries() {
            if let Some(name) = key.text.strip_prefix('@') {
                let test = self.test(value);
                pattern.attrs.push((name.to_owned(), test, key.span));
            } else if key.text == "text()" {
                pattern.text = Some((self.test(value), key.span));
            } else if matches!(key.text.as_str(), "absent" | "count" | "each" | "first") {
                // The parent reads these.
            } else if value.value == Value::Null {
                pattern.children.push(ChildPattern {
                    name: key.text.clone(),
                    span: key.span,
                    quantity: Quantity::Some,
                    pattern: Pattern::default(),
                });
            } else {
                for item in value.one_or_many() {
                    let quantity = match (item.get("absent"), item.get("count"), item.get("each")) {
                        _ if is_test(item) => Quantity::Some,
                        _ if truth(item, "first") == Some(true) => Quantity::First,
                        (Some(absent), _, _) if absent.is_true() => Quantity::None,
                        (_, Some(count), _) => Quantity::Count(self.number(count)),
                        (_, _, Some(each)) if each.is_true() => Quantity::Each,
                        _ => Quantity::Some,
                    };
                    let child = self.pattern(item);
                    pattern.children.push(ChildPattern {
                        name: key.text.clone(),
                        span: key.span,
                        quantity,
                        pattern: child,
                    });
                }
            }
        }
        pattern
    }

    pub(super) fn primitive_patterns(&mut self, record: &Node) -> Vec<PrimitivePattern> {
        let mut patterns = Vec::new();
        for (key, value) in record.entries() {
            if let Some((class, id)) = primitive(&key.text) {
                let pattern = self.pattern(value);
                patterns.push(PrimitivePattern { class, id, pattern });
            }
        }
        patterns
    }

    pub(super) fn sip_pattern(&mut self, node: Option<&Node>) -> Option<SipPattern> {
        let node = node?;
        let mut headers = Vec::new();
        for (key, value) in node.get("headers").into_iter().flat_map(Node::entries) {
            let test = self.test(value);
            headers.push((key.text.clone(), test, key.span));
        }
        Some(SipPattern {
            status: node.get("status").map(|n| self.number(n)),
            method: self.plain(node, "method"),
            headers,
            body: node.get("body").map(|n| (self.test(n), n.span)),
        })
    }

    pub(super) fn what(&mut self, node: &Node, span: Span) -> Option<What> {
        let mut found = Vec::new();
        let sip = self.sip_pattern(node.get("sip"));
        for pattern in self.primitive_patterns(node) {
            found.push(What::Primitive(pattern, sip.clone()));
        }
        if found.is_empty()
            && let Some(sip) = sip
        {
            found.push(What::Sip(sip));
        }
        if truth(node, "closed") == Some(true) {
            found.push(What::Closed);
        }
        if truth(node, "anything") == Some(true) || truth(node, "any") == Some(true) {
            found.push(What::Anything);
        }
        if let Some(alternatives) = node.get("any_of") {
            let at = self.at(node);
            let mut items = Vec::new();
            for item in alternatives.items() {
                self.expect(item, at.first(), &mut items);
            }
            found.push(What::AnyOf(items));
        }
        if found.len() != 1 {
            let place = if node.span.line > 0 { node.span } else { span };
            self.error(
                place,
                "exactly one thing is looked for: a primitive, sip, closed or any_of",
            );
        }
        found.into_iter().next()
    }

    pub(super) fn expect(&mut self, node: &Node, outer_at: Option<&String>, out: &mut Vec<Expect>) {
        let mut at = self.at(node);
        if at.is_empty() {
            match outer_at {
                Some(outer) => at.push(outer.clone()),
                None if node.get("any_of").is_some() => at.push(String::new()),
                None => {
                    if node.get("at").is_none() {
                        self.error(
                            node.span,
                            "this expectation does not say where: `at: endpoint`",
                        );
                    }
                    return;
                }
            }
        }
        let answers = self.used(node, "answers");
        let since = self.used(node, "since");
        let decides = self.decides_of(Some(node));
        let violates = texts(node.get("violates"));
        self.decides.extend(violates.iter().cloned());
        let Some(what) = self.what(node, node.span) else {
            return;
        };
        let mut checks = Vec::new();
        for item in node.get("check").map(Node::one_or_many).unwrap_or_default() {
            let mut forms = self.primitive_patterns(item);
            for form in item.get("any_of").map(Node::items).unwrap_or_default() {
                forms.extend(self.primitive_patterns(form));
            }
            let sip = self.sip_pattern(item.get("sip"));
            if forms.is_empty() && sip.is_none() {
                self.error(item.span, "this check looks at nothing");
            }
            checks.push(Check {
                span: item.span,
                decides: self.decides_of(Some(item)),
                forms,
                sip,
                reason: self.plain(item, "reason"),
            });
        }
        let name = node.get("as").and_then(|n| self.give(n));
        let first = at.first().cloned().unwrap_or_default();
        for at in at {
            let mut what = what.clone();
            // Alternatives without a place of their own were read for the first one; what they leave open is
            // as the expectation says.
            if let What::AnyOf(alternatives) = &mut what {
                for alternative in alternatives {
                    if alternative.at == first {
                        alternative.at.clone_from(&at);
                    }
                    if alternative.since.is_none() {
                        alternative.since.clone_from(&since);
                    }
                    if alternative.answers.is_none() {
                        alternative.answers.clone_from(&answers);
                    }
                }
            }
            out.push(Expect {
                span: node.span,
                at,
                within: self.within(node),
                what,
                answers: answers.clone(),
                optional: truth(node, "optional") == Some(true),
                since: since.clone(),
                decides: decides.clone(),
                violates: violates.clone(),
                checks: checks.clone(),
                reason: self.plain(node, "reason"),
                name: name.clone(),
            });
        }
    }
}
