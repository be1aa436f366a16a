//! The constraints on schemas, one small schema each: which are broken, and under which name that is reported.
//!
//! The verdicts were compared with Xerces-J 2.12.2, libxml2 and the Python package xmlschema; where these differ the
//! Recommendation decided. `UPDATE_CONSTRAINTS=1` writes the second column anew, to be read before it is accepted.

use std::fmt::Write as _;

use xsd::{Schema, Source};

#[test]
fn every_constraint_is_reported_by_its_name() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/constraints.tsv");
    let table = std::fs::read_to_string(path).expect("the table is there");
    let mut wrong = String::new();
    let mut updated = String::new();
    for line in table.lines() {
        let cells: Vec<&str> = line.splitn(3, '\t').collect();
        let [name, expected, inside] = cells[..] else {
            let _ = writeln!(updated, "{line}");
            continue;
        };
        let text = format!(
            "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='urn:t' targetNamespace='urn:t' elementFormDefault='qualified'>{inside}</xs:schema>"
        );
        let (found, message) = match Schema::compile(vec![Source::new("t.xsd", text)]) {
            Ok(_) => ("valid", String::new()),
            Err(errors) => (errors[0].code, errors[0].message.clone()),
        };
        let _ = writeln!(updated, "{name}\t{found}\t{inside}");
        if found != expected {
            let _ = writeln!(
                wrong,
                "{name}: expected {expected}, found {found} {message}"
            );
        }
    }
    if std::env::var_os("UPDATE_CONSTRAINTS").is_some() {
        std::fs::write(path, updated).expect("the table can be written");
    } else {
        assert!(wrong.is_empty(), "\n{wrong}");
    }
}
