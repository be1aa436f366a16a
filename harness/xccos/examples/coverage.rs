//! Prints which requirements the always-on rules can decide, per level, against all that can be observed.
//!
//! `cargo run -p xccos --example coverage [--missing | --map]`

use std::collections::BTreeMap;

use judge::{Level, Observable};

fn main() {
    let wish = std::env::args().nth(1).unwrap_or_default();
    let catalogue = xccos::catalogue();
    let mut by_id: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, rule) in xccos::rules::checks() {
        by_id.entry(id).or_default().push(rule);
    }
    if wish == "--map" {
        let map: BTreeMap<_, Vec<_>> = by_id
            .iter()
            .map(|(id, rules)| (*id, rules.iter().map(|r| format!("rule:{r}")).collect()))
            .collect();
        println!("{}", serde_json::to_string_pretty(&map).unwrap_or_default());
        return;
    }
    let levels = [
        Level::Must,
        Level::MustNot,
        Level::Should,
        Level::ShouldNot,
        Level::May,
    ];
    println!(
        "{:<12} {:>9} {:>11} {:>7}",
        "level", "by rules", "observable", ""
    );
    for level in levels {
        let seen: Vec<_> = catalogue
            .iter()
            .filter(|r| r.level == level)
            .filter(|r| matches!(r.observable, Observable::Wire | Observable::Schema))
            .collect();
        let covered = seen
            .iter()
            .filter(|r| by_id.contains_key(r.id.as_str()))
            .count();
        println!(
            "{:<12} {:>9} {:>11} {:>6.1}%",
            level.to_string(),
            covered,
            seen.len(),
            100.0 * covered as f64 / seen.len().max(1) as f64
        );
        if wish == "--missing" {
            for r in seen.iter().filter(|r| !by_id.contains_key(r.id.as_str())) {
                println!("    {} {:?} {}", r.id, r.role, r.statement);
            }
        }
    }
}
