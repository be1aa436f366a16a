/*! The server's edits, made to the exchange: each is named by the rules alone. */

use std::cell::Cell;
use std::rc::Rc;

use judge::Verdict;
use trace::Seat;

use super::exchange::play;
use super::stage::{Stage, judge};
use super::{Target, live};
use crate::defect::{How, defects};
use crate::edit::Edit;
use crate::payload::{Class, Envelope};

/// Edits whose requirement shows only to somebody who knows more than the exchange tells.
const BEYOND: &[&str] = &[
    // One role in one room: any number will do.
    "server/join-role-numbers",
    // What else the user may do is not seen.
    "server/perms-all-granted",
];

fn changed(xml: &str, edits: &[Edit]) -> Option<String> {
    let mut envelope = Envelope::parse(xml.as_bytes()).ok()?;
    let server = envelope.primitives().any(|p| {
        p.class != Class::Cmd && !(p.class == Class::Grpchat && p.originating().is_none())
    });
    if !server {
        return None;
    }
    let reference = envelope
        .primitives()
        .find_map(|p| p.commandid().or(p.originating()));
    let envid = envelope.envid();
    let fill = move |name: &str| -> Option<String> {
        let at = name[1..].find(['+', '-']).map(|i| i + 1);
        let (name, by) = match at {
            Some(at) => (&name[..at], name[at..].parse::<i64>().ok()?),
            None => (name, 0),
        };
        let value = match name {
            "cmdenv" => reference?.envid,
            "cmdseq" => reference?.seqid,
            "envid" => envid?,
            "-envid" => 1_000_000 - envid?,
            "guid" => return Some("5f0c2a6e-8a52-4c0e-9a43-0d6a1f6f7a11".to_owned()),
            _ => return None,
        };
        Some((value as i64 + by).to_string())
    };
    let hits: usize = edits
        .iter()
        .map(|e| e.apply(&mut envelope.root, &fill))
        .sum();
    (hits > 0).then(|| String::from_utf8(envelope.to_bytes()).unwrap_or_default())
}

#[test]
fn edits_of_a_server_are_named() {
    let (mut tried, mut survived) = (0, Vec::new());
    for defect in defects().filter(|d| d.seat == Seat::Server) {
        let How::Edit(edits) = defect.how else {
            continue;
        };
        let hit = Rc::new(Cell::new(false));
        let mut stage = Stage::new({
            let hit = hit.clone();
            move |xml: &str| match changed(xml, edits) {
                Some(out) if out != xml => {
                    hit.set(true);
                    out
                }
                _ => xml.to_owned(),
            }
        });
        play(&mut stage);
        stage.wait(40.0);
        if !hit.get() {
            continue;
        }
        tried += 1;
        let found = judge(
            stage.trace.events(),
            live(Target::Seat(Seat::Server)),
            stage.at,
        );
        let broken: Vec<_> = found
            .iter()
            .filter(|f| matches!(f.verdict, Verdict::Fail | Verdict::Warn))
            .map(|f| f.requirement.as_str())
            .collect();
        if !broken.contains(&defect.requirement) && !BEYOND.contains(&defect.id) {
            let mut broken = broken.clone();
            broken.sort();
            broken.dedup();
            survived.push(format!(
                "{} wanted {}, got {broken:?}",
                defect.id, defect.requirement
            ));
        }
    }
    assert!(tried > 50, "only {tried} edits touch the exchange");
    assert!(
        survived.is_empty(),
        "{} of {tried}:\n{}",
        survived.len(),
        survived.join("\n")
    );
}
