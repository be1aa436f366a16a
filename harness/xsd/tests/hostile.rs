//! Schemas and documents made to hurt: each ends in a clear verdict or error, soon.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use xsd::doc::{self, Limits, XmlErrorKind};
use xsd::{Schema, SchemaError, Source};

/// Generous, since tests run unoptimised on busy machines; what these bombs cost without limits is minutes.
const SOON: Duration = Duration::from_secs(20);

fn schema(body: &str) -> String {
    format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>{body}</xs:schema>")
}

fn compile(body: &str) -> Result<Schema, Vec<SchemaError>> {
    let start = Instant::now();
    let result = Schema::compile(vec![Source::new("bomb.xsd", schema(body))]);
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    result
}

/// The code of the only kind of error a bomb may end in.
fn refused(body: &str) -> &'static str {
    let errors = compile(body).expect_err("refused");
    assert!(!errors[0].message.is_empty());
    errors[0].code
}

fn validate(schema: &Schema, document: &str) -> usize {
    let start = Instant::now();
    let document = doc::parse_str(document, &Limits::default()).expect("well-formed");
    let count = schema.validate(&document).len();
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    count
}

#[test]
fn deep_schemas() {
    let body = format!(
        "<xs:complexType name='t'>{}{}</xs:complexType>",
        "<xs:sequence>".repeat(100_000),
        "</xs:sequence>".repeat(100_000)
    );
    assert_eq!(refused(&body), "xml");
}

#[test]
fn long_chains_of_derivation() {
    let mut body = String::from(
        "<xs:complexType name='t0'/><xs:simpleType name='s0'><xs:restriction base='xs:int'/></xs:simpleType>",
    );
    for n in 1..20_000 {
        let _ = write!(
            body,
            "<xs:complexType name='t{n}'><xs:complexContent><xs:extension base='t{}'/></xs:complexContent></xs:complexType>",
            n - 1
        );
    }
    assert_eq!(refused(&body), "limit");
    let mut body = String::from("<xs:element name='e0'/>");
    for n in 1..20_000 {
        let _ = write!(
            body,
            "<xs:element name='e{n}' substitutionGroup='e{}'/>",
            n - 1
        );
    }
    assert_eq!(refused(&body), "limit");
}

#[test]
fn definitions_that_double() {
    let mut groups = String::from(
        "<xs:group name='g0'><xs:sequence><xs:element name='a'/></xs:sequence></xs:group>",
    );
    for n in 1..60 {
        let inner = n - 1;
        let _ = write!(
            groups,
            "<xs:group name='g{n}'><xs:sequence><xs:group ref='g{inner}'/><xs:group ref='g{inner}'/></xs:sequence></xs:group>"
        );
    }
    let body = format!("{groups}<xs:complexType name='t'><xs:group ref='g59'/></xs:complexType>");
    assert_eq!(refused(&body), "limit");
    let restriction = format!(
        "{groups}<xs:complexType name='t'><xs:group ref='g59'/></xs:complexType>\
         <xs:complexType name='u'><xs:complexContent><xs:restriction base='t'><xs:group ref='g59'/></xs:restriction></xs:complexContent></xs:complexType>"
    );
    assert!(compile(&restriction).is_err());

    let mut unions =
        String::from("<xs:simpleType name='u0'><xs:restriction base='xs:int'/></xs:simpleType>");
    for n in 1..60 {
        let inner = n - 1;
        let _ = write!(
            unions,
            "<xs:simpleType name='u{n}'><xs:union memberTypes='u{inner} u{inner}'><xs:simpleType><xs:union memberTypes='u{inner}'/></xs:simpleType></xs:union></xs:simpleType>"
        );
    }
    let schema = compile(&format!("{unions}<xs:element name='r' type='u59'/>")).expect("harmless");
    assert_eq!(validate(&schema, "<r>x</r>"), 1);

    let mut attributes = String::from("<xs:attributeGroup name='g0'/>");
    for n in 1..60 {
        let inner = n - 1;
        let _ = write!(
            attributes,
            "<xs:attributeGroup name='g{n}'><xs:attributeGroup ref='g{inner}'/><xs:attributeGroup ref='g{inner}'/></xs:attributeGroup>"
        );
    }
    compile(&attributes).expect("harmless");
}

#[test]
fn unions_with_facets_that_double() {
    let mut unions =
        String::from("<xs:simpleType name='u0'><xs:restriction base='xs:int'/></xs:simpleType>");
    for n in 1..60 {
        let inner = n - 1;
        let _ = write!(
            unions,
            "<xs:simpleType name='v{n}'><xs:union memberTypes='u{inner}'><xs:simpleType><xs:restriction base='u{inner}'><xs:pattern value='.*|{n}'/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>\
             <xs:simpleType name='u{n}'><xs:restriction base='v{n}'><xs:pattern value='.*'/></xs:restriction></xs:simpleType>"
        );
    }
    if let Ok(schema) = compile(&format!("{unions}<xs:element name='r' type='u59'/>")) {
        validate(&schema, "<r>x</r>");
    }
}

#[test]
fn huge_occurrence_bounds() {
    let body = "<xs:element name='r'><xs:complexType>
      <xs:sequence minOccurs='2' maxOccurs='4294967295'>
        <xs:choice minOccurs='0' maxOccurs='1000000'>
          <xs:element name='a' minOccurs='100000' maxOccurs='999999999999999999999'/>
          <xs:sequence maxOccurs='70000'><xs:element name='b' maxOccurs='80000'/><xs:element name='c' minOccurs='0' maxOccurs='90000'/></xs:sequence>
        </xs:choice>
        <xs:element name='d'/>
      </xs:sequence>
    </xs:complexType></xs:element>";
    match compile(body) {
        Ok(schema) => {
            assert_eq!(validate(&schema, "<r><d/><d/></r>"), 0);
            assert_eq!(
                validate(
                    &schema,
                    &format!("<r><d/>{}<d/></r>", "<b/><b/><c/>".repeat(300))
                ),
                0
            );
            assert_ne!(validate(&schema, "<r><a/><d/><d/></r>"), 0);
        }
        Err(errors) => assert!(
            matches!(errors[0].code, "limit" | "cos-nonambig"),
            "{errors:?}"
        ),
    }
}

#[test]
fn documents_that_include_each_other() {
    let one = schema("<xs:include schemaLocation='two.xsd'/><xs:element name='one' type='T'/>");
    let two = schema(
        "<xs:include schemaLocation='one.xsd'/><xs:include schemaLocation='two.xsd'/><xs:simpleType name='T'><xs:restriction base='xs:int'/></xs:simpleType>",
    );
    let schema = Schema::compile(vec![
        Source::new("one.xsd", one),
        Source::new("two.xsd", two),
    ])
    .expect("circular includes are fine");
    assert!(schema.declares(None, "one"));
}

#[test]
fn patterns_that_explode() {
    for pattern in [
        "(((a{1000}){1000}){1000}){1000}",
        "(\\p{L}|\\c|.){5000,9999}",
        "((a*)*)*{9999}b{99999999}",
    ] {
        let body = format!(
            "<xs:simpleType name='t'><xs:restriction base='xs:string'><xs:pattern value='{pattern}'/></xs:restriction></xs:simpleType>"
        );
        if let Err(errors) = compile(&body) {
            assert!(matches!(errors[0].code, "limit" | "pattern"), "{errors:?}");
        }
    }
    let body = "<xs:element name='r'><xs:simpleType><xs:restriction base='xs:string'><xs:pattern value='(a*)*b'/></xs:restriction></xs:simpleType></xs:element>";
    let schema = compile(body).expect("harmless here");
    assert_eq!(
        validate(&schema, &format!("<r>{}</r>", "a".repeat(200_000))),
        1
    );
}

#[test]
fn big_documents() {
    let body = "<xs:element name='r'><xs:complexType><xs:sequence><xs:any processContents='lax' minOccurs='0' maxOccurs='unbounded'/></xs:sequence>
      <xs:attribute name='a' type='xs:token'/></xs:complexType>
      <xs:unique name='u'><xs:selector xpath='.//x'/><xs:field xpath='@k'/></xs:unique></xs:element>";
    let schema = compile(body).expect("a schema");
    assert_eq!(
        validate(&schema, &format!("<r a='{}'/>", " x".repeat(500_000))),
        0
    );
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=''")).collect();
    let error = doc::parse_str(&format!("<r{attributes}/>"), &Limits::default()).unwrap_err();
    assert_eq!(error.kind, XmlErrorKind::Limit);
    let deep = format!("{}{}", "<x>".repeat(100_000), "</x>".repeat(100_000));
    let error = doc::parse_str(&deep, &Limits::default()).unwrap_err();
    assert_eq!(error.kind, XmlErrorKind::Limit);
    // Whoever parses without limits is still safe from the validator.
    let document = roxmltree::Document::parse(&deep).expect("well-formed");
    assert_eq!(schema.validate(&document).len(), 1);
    let keys: String = (0..20_000)
        .map(|n| format!("<x k='{}'/>", n % 10_000))
        .collect();
    assert_eq!(validate(&schema, &format!("<r>{keys}</r>")), 100, "capped");
    let wrong = "<y/>text".repeat(50_000);
    let strict = compile("<xs:element name='r'><xs:complexType/></xs:element>").expect("a schema");
    assert!(validate(&strict, &format!("<r>{wrong}</r>")) <= 100);
}

#[test]
fn rubbish_instead_of_a_schema() {
    for text in [
        "",
        "<",
        "x",
        "<a/>",
        "<xs:schema/>",
        "<!DOCTYPE a><a/>",
        "\u{0}",
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element/></xs:schema>",
    ] {
        let errors = Schema::compile(vec![Source::new("x", text)]).expect_err(text);
        assert!(!errors.is_empty());
    }
    assert!(Schema::compile(Vec::new()).is_ok_and(|schema| !schema.declares(None, "a")));
}
