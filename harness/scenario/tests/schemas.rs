//! The committed editor schemas are what the grammar gives. `UPDATE_SCHEMAS=1` writes them.

use std::path::Path;

use scenario::lang::{grammar, schema};

#[test]
fn committed_schemas_are_generated_from_the_grammar() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    for (name, record, title) in [
        ("scenario", &grammar::SCENARIO, "Parlance scenario"),
        ("template", &grammar::TEMPLATE, "Parlance scenario template"),
        ("target", &grammar::TARGET, "Parlance target"),
    ] {
        let path = folder.join(format!("{name}.schema.json"));
        let wanted = schema::text(record, title);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let have = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            have == wanted,
            "{} is stale: UPDATE_SCHEMAS=1 cargo test -p scenario --test schemas",
            path.display()
        );
    }
}

#[test]
fn built_in_scenarios_name_requirements_that_exist() {
    let library = scenario::Library::built_in();
    let catalogue = xccos::catalogue();
    let mut unknown = Vec::new();
    for scenario in &library.scenarios {
        for id in scenario.covers.iter().chain(&scenario.decides) {
            let web = id.starts_with("OCGCWEB-");
            if !web && !catalogue.iter().any(|r| judge::glob(id, &r.id)) {
                unknown.push(format!("{}: {id}", scenario.id));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
