//! JUnit output against the schema that strict readers use, and its sums.

mod sample;

use report::Run;

fn render(events: &[judge::RunEvent]) -> String {
    report::junit::render(&Run::fold(events), &sample::catalogue())
}

/// Validates with xmllint where it is installed.
#[test]
fn fits_the_jenkins_schema() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/junit-10.xsd");
    for events in [
        sample::variety(),
        sample::interrupted(),
        sample::large(30),
        Vec::new(),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("junit.xml");
        std::fs::write(&file, render(&events)).unwrap();
        let run = std::process::Command::new("xmllint")
            .args(["--noout", "--schema", schema])
            .arg(&file)
            .output();
        match run {
            Ok(output) => assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            ),
            Err(e) => println!("not checked with xmllint: {e}"),
        }
    }
}

/// Validates with our own engine, which needs nothing installed.
#[test]
fn fits_the_jenkins_schema_by_our_own_engine() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/junit-10.xsd");
    let source = xsd::Source::new("junit-10.xsd", std::fs::read_to_string(path).unwrap());
    let schema = xsd::Schema::compile(vec![source]).expect("the schema compiles");
    for events in [
        sample::variety(),
        sample::interrupted(),
        sample::large(30),
        Vec::new(),
    ] {
        let text = render(&events);
        let document = roxmltree::Document::parse(&text).unwrap();
        let violations = schema.validate(&document);
        assert!(violations.is_empty(), "{violations:?}");
    }
    let bad = render(&sample::variety()).replacen(" tests=", " uuid=\"1\" tests=", 1);
    assert!(
        !schema
            .validate(&roxmltree::Document::parse(&bad).unwrap())
            .is_empty()
    );
}

#[test]
fn counts_add_up_and_names_are_unique() {
    for events in [sample::variety(), sample::interrupted(), sample::large(30)] {
        let text = render(&events);
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        let number = |n: roxmltree::Node, name: &str| -> usize {
            n.attribute(name).unwrap().parse().unwrap()
        };
        let mut names = std::collections::HashSet::new();
        let (mut tests, mut failures, mut errors) = (0, 0, 0);
        for suite in root.children().filter(|n| n.is_element()) {
            let cases: Vec<_> = suite
                .children()
                .filter(|n| n.has_tag_name("testcase"))
                .collect();
            let with = |tag: &str| {
                cases
                    .iter()
                    .filter(|c| c.children().any(|n| n.has_tag_name(tag)))
                    .count()
            };
            assert_eq!(number(suite, "tests"), cases.len());
            assert_eq!(number(suite, "failures"), with("failure"));
            assert_eq!(number(suite, "errors"), with("error"));
            assert_eq!(number(suite, "skipped"), with("skipped"));
            tests += cases.len();
            failures += with("failure");
            errors += with("error");
            for case in &cases {
                assert!(names.insert((
                    case.attribute("classname").unwrap().to_owned(),
                    case.attribute("name").unwrap().to_owned()
                )));
            }
        }
        assert_eq!(number(root, "tests"), tests);
        assert_eq!(number(root, "failures"), failures);
        assert_eq!(number(root, "errors"), errors);
    }
}
