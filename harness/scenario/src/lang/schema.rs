/*! The grammar as JSON Schema (draft 2020-12), for completion in editors.

Generated from [`super::grammar`]; the committed files under `schemas/` are
compared with it by a test, so they cannot go stale.
*/

use serde_json::{Map, Value, json};

use super::grammar::{ACTIONS, Open, QUANTIFIERS, Record, Shape, TESTS};

/// Schema of a file whose root is this record.
pub fn of(record: &'static Record, title: &str) -> Value {
    let mut defs = Map::new();
    let root = self::record(record, &mut defs);
    let mut schema = Map::new();
    schema.insert(
        "$schema".into(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".into(), json!(title));
    if let Value::Object(root) = root {
        schema.extend(root);
    }
    defs.sort_keys();
    schema.insert("$defs".into(), Value::Object(defs));
    Value::Object(schema)
}

/// The schema as text, as committed.
pub fn text(record: &'static Record, title: &str) -> String {
    let mut text = serde_json::to_string_pretty(&of(record, title)).unwrap_or_default();
    text.push('\n');
    text
}

fn expression() -> Value {
    json!({ "type": "string", "pattern": "^\\$\\{.*\\}$" })
}

fn scalar() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

fn shape(shape: &'static Shape, defs: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Any | Shape::Json => json!({}),
        Shape::Text => scalar(),
        Shape::Bool => json!({ "anyOf": [{ "type": "boolean" }, expression()] }),
        Shape::Integer => json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, expression()] }),
        Shape::Duration => {
            json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d)|\\$\\{.*\\})$" })
        }
        Shape::Word(words) => json!({ "anyOf": [{ "enum": words }, expression()] }),
        Shape::List(item) => {
            json!({ "anyOf": [{ "type": "array", "items": self::shape(item, defs) }, expression()] })
        }
        Shape::OneOrMany(item) => {
            let item = self::shape(item, defs);
            json!({ "anyOf": [item, { "type": "array", "items": item }] })
        }
        Shape::MapOf(item) => {
            let item = self::shape(item, defs);
            json!({ "type": "object", "additionalProperties": { "anyOf": [item, { "type": "null" }] } })
        }
        Shape::Either(a, b) => json!({ "anyOf": [self::shape(a, defs), self::shape(b, defs)] }),
        Shape::Record(record) => {
            let name = record.name.replace(' ', "-");
            if !defs.contains_key(&name) {
                // Marks it as begun: records contain one another.
                defs.insert(name.clone(), json!({}));
                let body = self::record(record, defs);
                defs.insert(name.clone(), body);
            }
            json!({ "$ref": format!("#/$defs/{name}") })
        }
        Shape::Element => {
            defs.entry("element").or_insert_with(|| {
                json!({
                    "description": "An XML element: `@name` sets an attribute, `name` adds a child (a list: several), `text()` the text. `~` leaves out an attribute.",
                    "type": ["object", "string", "number", "boolean", "null"],
                    "patternProperties": {
                        "^(@.+|text\\(\\))$": { "type": ["string", "number", "boolean", "null"] },
                        "^[A-Za-z_]": { "anyOf": [{ "$ref": "#/$defs/element" }, { "type": "array", "items": { "$ref": "#/$defs/element" } }] },
                    },
                    "additionalProperties": false,
                })
            });
            json!({ "$ref": "#/$defs/element" })
        }
        Shape::Pattern => {
            if !defs.contains_key("pattern") {
                defs.insert("pattern".into(), json!({}));
                let test = self::shape(&Shape::Test, defs);
                let mut quantifiers = Map::new();
                for (name, s, about) in QUANTIFIERS {
                    quantifiers.insert((*name).into(), described(self::shape(s, defs), about));
                }
                let child = json!({ "anyOf": [
                    { "$ref": "#/$defs/pattern" }, { "$ref": "#/$defs/test" }, { "type": "null" },
                    { "type": "array", "items": { "anyOf": [{ "$ref": "#/$defs/pattern" }, { "$ref": "#/$defs/test" }] } },
                ] });
                defs.insert("pattern".into(), json!({
                    "description": "An XML element to recognise: what is named has to fit, the rest is free.",
                    "type": ["object", "string", "number", "boolean", "null"],
                    "properties": quantifiers,
                    "patternProperties": { "^(@.+|text\\(\\))$": test, "^[A-Za-z_]": child },
                    "additionalProperties": false,
                }));
            }
            json!({ "$ref": "#/$defs/pattern" })
        }
        Shape::Test => {
            if !defs.contains_key("test") {
                defs.insert("test".into(), json!({}));
                let mut tests = Map::new();
                for (name, s, about) in TESTS {
                    tests.insert((*name).into(), described(self::shape(s, defs), about));
                }
                defs.insert(
                    "test".into(),
                    json!({
                        "description": "A value, or tests that all have to hold.",
                        "type": ["object", "string", "number", "boolean"],
                        "properties": tests,
                        "additionalProperties": false,
                    }),
                );
            }
            json!({ "$ref": "#/$defs/test" })
        }
        Shape::JsonPattern => {
            json!({ "description": "JSON to recognise: what is named has to fit, the rest is free." })
        }
    }
}

fn described(mut schema: Value, about: &str) -> Value {
    if let Value::Object(map) = &mut schema {
        map.insert("description".into(), json!(about));
    }
    schema
}

fn record(record: &'static Record, defs: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in record.fields {
        properties.insert(
            field.key.into(),
            described(shape(&field.shape, defs), field.about),
        );
        if field.required {
            required.push(field.key);
        }
    }
    let mut patterns = Map::new();
    let family = "^((cmd|rpl|ntc|sys):.+|cmd|rpl|ntc|err|sys|grpchat)$";
    match record.open {
        Open::No => {}
        Open::Primitives => {
            patterns.insert(family.into(), shape(&Shape::Element, defs));
        }
        Open::PrimitivePatterns => {
            patterns.insert(family.into(), shape(&Shape::Pattern, defs));
        }
        Open::Actions => {
            for action in ACTIONS {
                properties.insert(
                    (*action).into(),
                    json!({ "description": "Arguments of the action." }),
                );
            }
        }
    }
    let mut schema = Map::new();
    schema.insert("description".into(), json!(record.about));
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), Value::Object(properties));
    if !patterns.is_empty() {
        schema.insert("patternProperties".into(), Value::Object(patterns));
    }
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    if !record.choice.is_empty() {
        let each: Vec<Value> = record
            .choice
            .iter()
            .map(|k| json!({ "required": [k] }))
            .collect();
        schema.insert("oneOf".into(), Value::Array(each));
    }
    schema.insert("additionalProperties".into(), json!(false));
    Value::Object(schema)
}
