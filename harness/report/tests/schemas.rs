//! The published schemas fit what is written, and refuse what is not.

mod sample;

use report::Run;
use serde_json::{Value, json};

fn schema(name: &str) -> Value {
    let path = format!("{}/../../schemas/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The part of JSON Schema that our schemas use; a keyword it does not know is an error, so that
/// none is silently ignored.
fn check(root: &Value, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        let fits = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value, path, faults);
                true
            }
            "type" => {
                let is = |t: &Value| match t.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("type {other}"),
                };
                match rule {
                    Value::Array(types) => types.iter().any(is),
                    one => is(one),
                }
            }
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_none_or(|n| n >= rule.as_i64().unwrap()),
            "minProperties" => value
                .as_object()
                .is_none_or(|o| o.len() as u64 >= rule.as_u64().unwrap()),
            "maxProperties" => value
                .as_object()
                .is_none_or(|o| o.len() as u64 <= rule.as_u64().unwrap()),
            "anyOf" => rule.as_array().unwrap().iter().any(|s| {
                let mut inner = Vec::new();
                check(root, s, value, path, &mut inner);
                inner.is_empty()
            }),
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        faults.push(format!("{path}: {name} is missing"));
                    }
                }
                true
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        check(root, rule, inner, &format!("{path}/{name}"), faults);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (name, inner) in value.as_object().into_iter().flatten() {
                    if known.is_some_and(|k| k.contains_key(name)) {
                        continue;
                    }
                    match rule {
                        Value::Bool(false) => faults.push(format!("{path}: {name} is not known")),
                        rule => check(root, rule, inner, &format!("{path}/{name}"), faults),
                    }
                }
                true
            }
            "items" => {
                for (i, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, inner, &format!("{path}[{i}]"), faults);
                }
                true
            }
            other => panic!("the keyword {other} is not known here"),
        };
        if !fits {
            faults.push(format!("{path}: {keyword} {rule} does not fit {value}"));
        }
    }
}

fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "", &mut faults);
    faults
}

#[test]
fn results_fit_their_schema() {
    let schema = schema("results.schema.json");
    for events in [
        sample::variety(),
        sample::interrupted(),
        sample::large(5),
        Vec::new(),
    ] {
        let value: Value =
            serde_json::from_str(&report::json::render(&Run::fold(&events))).unwrap();
        assert_eq!(faults(&schema, &value), Vec::<String>::new());
    }
    let mut bad: Value =
        serde_json::from_str(&report::json::render(&Run::fold(&sample::variety()))).unwrap();
    bad["scenarios"][1]["findings"][0]["verdict"] = json!("failed");
    bad["summary"]["passed"] = json!(1);
    bad["scenarios"][0]
        .as_object_mut()
        .unwrap()
        .remove("snapshot");
    assert_eq!(
        faults(&schema, &bad).len(),
        3,
        "{:?}",
        faults(&schema, &bad)
    );
}

#[test]
fn events_fit_their_schema() {
    let schema = schema("events.schema.json");
    for events in [sample::variety(), sample::large(2)] {
        for line in report::ndjson::to_string(&events).lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!(faults(&schema, &value), Vec::<String>::new(), "{line}");
        }
    }
    assert!(!faults(&schema, &json!({"run-began": {}})).is_empty());
}
