//! Defects by id: those of our own peers.

use std::fmt::Write as _;

use judge::exit;
use serde_json::json;
use xccos::defect::{Defect, Defects, defects};

use crate::args::Format;
use crate::failure::{Done, Failure};

/// The defects with these ids.
pub fn named(ids: &[String]) -> Result<Defects, Failure> {
    Defects::named(ids.iter().map(String::as_str)).map_err(|e| match e.suggestion {
        Some(_) => Failure::usage(e),
        None => Failure::usage(format!("{e}; `parlance list defects` shows them")),
    })
}

/// Lists defects whose id or requirement fits.
pub fn list(patterns: &[String], format: Format) -> Done {
    let fits = |d: &Defect| {
        patterns.is_empty()
            || patterns.iter().any(|p| {
                judge::glob(p, d.id)
                    || d.id.starts_with(p.as_str())
                    || judge::glob(p, d.requirement)
                    || d.section() == p
            })
    };
    let chosen: Vec<Defect> = defects().filter(fits).collect();
    match format {
        Format::Json => {
            let items: Vec<_> = chosen
                .iter()
                .map(|d| {
                    json!({ "id": d.id, "seat": d.seat, "requirement": d.requirement, "title": d.title })
                })
                .collect();
            super::json(&json!({ "defects": items }))?;
        }
        Format::Human => {
            let wide = chosen.iter().map(|d| d.id.len()).max().unwrap_or(0);
            let long = chosen
                .iter()
                .map(|d| d.requirement.len())
                .max()
                .unwrap_or(0);
            let mut out = String::new();
            for d in &chosen {
                let seat = match d.seat {
                    trace::Seat::Client => "client",
                    trace::Seat::Server => "server",
                };
                let _ = writeln!(
                    out,
                    "{:<wide$}  {seat}  {:<long$}  {}",
                    d.id, d.requirement, d.title
                );
            }
            super::print(&out)?;
        }
    }
    Ok(if chosen.is_empty() {
        exit::NOTHING_RAN
    } else {
        exit::CONFORMANT
    })
}
