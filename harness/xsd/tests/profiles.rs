//! The errata ledger on the published XCCOS schema: the verdicts of `fixtures/spec/verdicts.tsv` under each profile.

use std::fs;
use std::path::PathBuf;

use xsd::doc::{self, Limits};
use xsd::patch::Ledger;
use xsd::{Schema, Source, Violation};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn profile(name: &str) -> Schema {
    let ledger = Ledger::parse(&read("schemas/xccos/errata.yaml")).unwrap();
    let text = ledger
        .apply(&read("schemas/xccos/published.xsd"), name)
        .unwrap();
    Schema::compile(vec![Source::new(name, text)])
        .unwrap_or_else(|errors| panic!("{name}: {errors:?}"))
}

/// `None` when the document is not well-formed.
fn violations(schema: &Schema, file: &str) -> Option<Vec<Violation>> {
    let text = doc::parse(read(file).as_bytes(), &Limits::default()).unwrap();
    let document = text.document().ok()?;
    Some(schema.validate(&document))
}

#[test]
fn the_published_text_does_not_compile_and_says_why() {
    let text = read("schemas/xccos/published.xsd");
    let errors = Schema::compile(vec![Source::new("published.xsd", text)]).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!((errors[0].code, errors[0].line), ("src-resolve", 251));
    assert!(errors[0].message.contains("UserSettingField"));
}

#[test]
fn examples_have_the_recorded_verdicts() {
    let schemas = [profile("published"), profile("interop"), profile("lenient")];
    let table = read("fixtures/spec/verdicts.tsv");
    let mut wrong = Vec::new();
    let mut counts = [0; 3];
    for line in table.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        for (index, schema) in schemas.iter().enumerate() {
            let found = violations(schema, &format!("fixtures/spec/{}", cells[0]));
            let verdict = found
                .as_ref()
                .map_or("xml".to_owned(), |found| found.len().to_string());
            if !cells[0].starts_with("corrected/") {
                counts[index] += found.as_ref().map_or(1, Vec::len);
            }
            if verdict != cells[index + 1] {
                wrong.push(format!(
                    "{} column {index}: {} expected, {found:#?}",
                    cells[0],
                    cells[index + 1]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        counts,
        [51, 8, 8],
        "violations in the examples as converted"
    );
}

/// Cross-check with the same schema made by hand, where it is at hand.
#[test]
fn interop_agrees_with_the_hand_made_schema() {
    let Ok(text) = fs::read_to_string(root().join("../shared/schema/interop.xsd")) else {
        eprintln!("skipped: ../shared/schema is not here");
        return;
    };
    let theirs = Schema::compile(vec![Source::new("interop.xsd", text)]).unwrap();
    let ours = profile("interop");
    for folder in [
        "fixtures/spec",
        "fixtures/spec/corrected",
        "fixtures/spec/not-xccos",
    ] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "xml") {
                continue;
            }
            let text = doc::parse(&fs::read(&path).unwrap(), &Limits::default()).unwrap();
            let Ok(document) = text.document() else {
                continue;
            };
            let codes = |schema: &Schema| -> Vec<(String, &str)> {
                let found = schema.validate(&document);
                found
                    .into_iter()
                    .map(|each| (each.path, each.code))
                    .collect()
            };
            assert_eq!(codes(&ours), codes(&theirs), "{}", path.display());
        }
    }
}

#[test]
fn every_erratum_shows_its_changes() {
    let ledger = Ledger::parse(&read("schemas/xccos/errata.yaml")).unwrap();
    let text = read("schemas/xccos/published.xsd");
    assert_eq!(ledger.profiles(), ["published", "interop", "lenient"]);
    assert_eq!(ledger.errata().len(), 19);
    for erratum in ledger.errata() {
        for change in ledger.changes(erratum, &text).unwrap() {
            assert_ne!(change.before, change.after, "{}", erratum.id);
        }
    }
}
