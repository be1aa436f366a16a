//! One fault, one error: after an unexpected child the rest of the content is judged as if nothing had happened.

use xsd::doc::{self, Limits};
use xsd::{Schema, Source};

fn violations(model: &str, inside: &str) -> Vec<String> {
    let text = format!(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='r'><xs:complexType>{model}</xs:complexType></xs:element></xs:schema>"
    );
    let schema = Schema::compile(vec![Source::new("t.xsd", text)]).expect("a schema");
    let text = format!("<r>{inside}</r>");
    let document = doc::parse_str(&text, &Limits::default()).expect("well-formed");
    let all = schema.validate(&document);
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn a_fault_does_not_repeat_itself() {
    let sequence = "<xs:sequence><xs:element name='a'/><xs:element name='b' minOccurs='0' maxOccurs='2'/><xs:element name='c'/><xs:element name='d' minOccurs='0'/></xs:sequence>";
    let counted = "<xs:sequence><xs:element name='a' minOccurs='3000' maxOccurs='9000'/><xs:element name='b'/><xs:element name='c' type='xs:int'/><xs:element name='d' minOccurs='0'/></xs:sequence>";
    let rounds = "<xs:sequence><xs:sequence minOccurs='2000' maxOccurs='3000'><xs:element name='a'/><xs:element name='b'/></xs:sequence><xs:element name='c'/></xs:sequence>";
    let all = "<xs:all><xs:element name='a'/><xs:element name='b' minOccurs='0'/><xs:element name='c'/></xs:all>";
    for (model, inside) in [
        (sequence, "<a/><b/><b/><b/><c/><d/>"),
        (sequence, "<b/><c/>"),
        (sequence, "<a/><x/><c/>"),
        (sequence, "<a/><c/><b/><d/>"),
        (sequence, "<a/><C/><d/>"),
        (counted, "<a/><a/><b/><c>1</c><d/>"),
        (counted, "<b/><c>1</c>"),
        (counted, "<a/>"),
        (rounds, "<a/><b/><a/><b/><c/>"),
        (rounds, "<a/><b/><a/><c/>"),
        (all, "<a/><a/><c/>"),
        (all, "<a/><x/><c/>"),
        (all, "<b/><A/><c/>"),
        (all, "<b/><c/>"),
    ] {
        let found = violations(model, inside);
        assert_eq!(found.len(), 1, "{inside}: {found:#?}");
    }
    // Two faults are two errors: the value of a later child is still looked at.
    let found = violations(counted, "<a/><b/><c>x</c>");
    assert_eq!(found.len(), 2, "{found:#?}");
}
