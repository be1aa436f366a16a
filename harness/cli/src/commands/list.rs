//! `parlance list`: what exists, with ids.

use std::fmt::Write as _;
use std::sync::Arc;

use judge::{Catalogue, Requirement, exit};
use scenario::Scenario;
use serde_json::{Value, json};

use super::print;
use crate::args::{Format, List, Select, What};
use crate::failure::{Done, Failure};
use crate::pick;
use crate::terminal::Terminal;

/// Lists.
pub fn list(args: &List, terminal: &Terminal) -> Done {
    match args.what {
        What::Scenarios => {
            let library = pick::library(&args.select, terminal)?;
            let chosen = pick::choose(&args.select, &library, None, None, terminal)?;
            print_scenarios(&chosen, args.format, terminal)
        }
        What::Requirements => {
            let catalogue = xccos::catalogue();
            let chosen = requirements(&catalogue, &args.select)?;
            print_requirements(&chosen, args.format)
        }
        What::Defects => super::defects::list(&args.select.select, args.format),
    }
}

/// Prints scenarios; exit code 4 when there is none.
pub fn print_scenarios(scenarios: &[Arc<Scenario>], format: Format, terminal: &Terminal) -> Done {
    match format {
        Format::Json => {
            let items: Vec<Value> = scenarios
                .iter()
                .map(|s| {
                    json!({
                        "id": s.id, "title": s.title, "file": s.source.name, "line": s.line,
                        "target": format!("{:?}", s.target).to_lowercase(),
                        "tags": s.tags, "sections": s.sections, "covers": s.covers, "decides": s.decides,
                    })
                })
                .collect();
            super::json(&json!({ "scenarios": items }))?;
        }
        Format::Human => {
            let wide = scenarios
                .iter()
                .map(|s| s.id.len())
                .max()
                .unwrap_or(0)
                .min(60);
            let mut out = String::new();
            for s in scenarios {
                let _ = writeln!(out, "{:<wide$}  {}", s.id, s.title);
            }
            print(&out)?;
            if !terminal.is_quiet() {
                anstream::eprintln!("{}", report::text::count(scenarios.len(), "scenario"));
            }
        }
    }
    Ok(if scenarios.is_empty() {
        exit::NOTHING_RAN
    } else {
        exit::CONFORMANT
    })
}

/// Requirements by id, glob, id prefix or section.
fn requirements<'a>(
    catalogue: &'a Catalogue,
    select: &Select,
) -> Result<Vec<&'a Requirement>, Failure> {
    let fits = |pattern: &str, r: &Requirement| {
        judge::glob(pattern, &r.id)
            || r.id.starts_with(pattern)
            || r.section == pattern
            || r.section.starts_with(&format!("{pattern}."))
    };
    let wanted: Vec<&String> = select.select.iter().chain(&select.req).collect();
    for pattern in &wanted {
        if !catalogue.iter().any(|r| fits(pattern, r)) {
            return Err(Failure::usage(format!(
                "no requirement has the id, or stands in the section, `{pattern}`"
            )));
        }
    }
    Ok(catalogue
        .iter()
        .filter(|r| wanted.is_empty() || wanted.iter().any(|p| fits(p, r)))
        .collect())
}

fn print_requirements(requirements: &[&Requirement], format: Format) -> Done {
    match format {
        Format::Json => super::json(&json!({ "requirements": requirements }))?,
        Format::Human => {
            let wide = requirements.iter().map(|r| r.id.len()).max().unwrap_or(0);
            let mut out = String::new();
            for r in requirements {
                let _ = writeln!(
                    out,
                    "{:<wide$} {:<10} {}",
                    r.id,
                    r.level.to_string(),
                    r.statement
                );
            }
            print(&out)?;
        }
    }
    Ok(exit::CONFORMANT)
}
