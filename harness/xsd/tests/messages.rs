//! Golden messages: what the engine says about documents and about schemas, word for word.
//!
//! Each case is small enough to judge its message by eye; the snapshots under `snapshots/` are the review.

use std::fmt::Write as _;

use xsd::doc::{self, Limits};
use xsd::tool::{Job, run};
use xsd::{Schema, Source};

/// A schema with the target namespace `urn:t`, prefix `t`, local elements qualified.
fn schema(body: &str) -> String {
    format!(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='urn:t' targetNamespace='urn:t' \
         elementFormDefault='qualified'>\n{body}\n</xs:schema>"
    )
}

/// A root element `r` in `urn:t` with this inside its tags.
fn root(attributes: &str, inside: &str) -> String {
    format!(
        "<r xmlns='urn:t' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'{attributes}>{inside}</r>"
    )
}

fn instance(out: &mut String, title: &str, body: &str, document: &str) {
    let schema = Schema::compile(vec![Source::new("t.xsd", schema(body))])
        .unwrap_or_else(|errors| panic!("{title}: {errors:?}"));
    let document = doc::parse_str(document, &Limits::default())
        .unwrap_or_else(|error| panic!("{title}: {error}"));
    let _ = writeln!(out, "# {title}");
    let violations = schema.validate(&document);
    assert!(!violations.is_empty(), "{title}: nothing found");
    for each in violations {
        let _ = writeln!(out, "{each}");
        let _ = writeln!(
            out,
            "  span {:?}",
            &document.input_text()[each.span.clone()]
        );
        if let Some(found) = &each.found {
            let _ = writeln!(out, "  found {found}");
        }
        if !each.expected.is_empty() {
            let _ = writeln!(out, "  expected {}", each.expected.join(" | "));
        }
        if let Some(place) = &each.schema {
            let _ = writeln!(out, "  schema {place}");
        }
        if let Some(hint) = &each.hint {
            let _ = writeln!(out, "  hint: {hint}");
        }
    }
    out.push('\n');
}

const SEQUENCE: &str = "<xs:element name='r'><xs:complexType><xs:sequence>
  <xs:element name='one' type='xs:string'/>
  <xs:element name='two' type='xs:string' minOccurs='0' maxOccurs='2'/>
  <xs:element name='three' type='xs:string'/>
 </xs:sequence></xs:complexType></xs:element>";

#[test]
fn content() {
    let mut out = String::new();
    let mut case =
        |title: &str, inside: &str| instance(&mut out, title, SEQUENCE, &root("", inside));
    case("something required is missing before", "<three/>");
    case("something required is missing at the end", "<one/><two/>");
    case("too many", "<one/><two/><two/><two/><three/>");
    case("out of order", "<one/><three/><two/>");
    case("wrong capitals", "<One/><three/>");
    case("a near name", "<one/><tree/>");
    case("wrong namespace", "<one/><three xmlns=''/>");
    case("unknown", "<one/><zebra/><three/>");
    case("text between elements", "<one/>and<three/>");
    case("an element in text", "<one><two/></one><three/>");
    let empty = "<xs:element name='r'><xs:complexType><xs:attribute name='a'/></xs:complexType></xs:element>";
    instance(
        &mut out,
        "an element in an empty type",
        empty,
        &root("", "<x/>"),
    );
    instance(&mut out, "text in an empty type", empty, &root("", "x"));
    instance(&mut out, "blanks in an empty type", empty, &root("", " "));
    let choice = "<xs:element name='r'><xs:complexType><xs:choice><xs:element name='a'/><xs:element name='b'/></xs:choice></xs:complexType></xs:element>";
    instance(&mut out, "both of a choice", choice, &root("", "<a/><b/>"));
    instance(&mut out, "none of a choice", choice, &root("", ""));
    let all = "<xs:element name='r'><xs:complexType><xs:all><xs:element name='a'/><xs:element name='b'/><xs:element name='c' minOccurs='0'/></xs:all></xs:complexType></xs:element>";
    instance(&mut out, "twice in xs:all", all, &root("", "<a/><a/><b/>"));
    instance(&mut out, "missing in xs:all", all, &root("", "<c/><a/>"));
    let many = "<xs:element name='r'><xs:complexType><xs:sequence><xs:element name='a' minOccurs='3000' maxOccurs='5000'/></xs:sequence></xs:complexType></xs:element>";
    instance(
        &mut out,
        "too few of many",
        many,
        &root("", &"<a/>".repeat(2999)),
    );
    instance(
        &mut out,
        "too many of many",
        many,
        &root("", &"<a/>".repeat(5001)),
    );
    let nested = "<xs:element name='r'><xs:complexType><xs:sequence>
  <xs:element name='head'><xs:complexType><xs:sequence><xs:element name='user' minOccurs='0'/></xs:sequence></xs:complexType></xs:element>
  <xs:element name='body'><xs:complexType><xs:sequence><xs:element name='room' minOccurs='0'/></xs:sequence></xs:complexType></xs:element>
 </xs:sequence></xs:complexType></xs:element>";
    instance(
        &mut out,
        "the right element in the wrong place",
        nested,
        &root("", "<head/><body><user/></body>"),
    );
    insta::assert_snapshot!(out);
}

#[test]
fn wildcards_and_roots() {
    let mut out = String::new();
    let open = "<xs:element name='r'><xs:complexType><xs:sequence><xs:any namespace='##targetNamespace' maxOccurs='2'/></xs:sequence><xs:anyAttribute namespace='##other'/></xs:complexType></xs:element><xs:element name='known'/>";
    instance(
        &mut out,
        "a wildcard's element is not declared",
        open,
        &root("", "<known/><unknown/>"),
    );
    instance(
        &mut out,
        "a wildcard does not admit the namespace",
        open,
        &root("", "<known/><known xmlns='urn:x'/>"),
    );
    instance(
        &mut out,
        "a wildcard's attribute is not declared",
        open,
        &root(" a:b='' xmlns:a='urn:a'", "<known/>"),
    );
    instance(&mut out, "unknown root", SEQUENCE, "<x xmlns='urn:t'/>");
    instance(&mut out, "root in the wrong namespace", SEQUENCE, "<r/>");
    instance(
        &mut out,
        "root with wrong capitals",
        SEQUENCE,
        "<R xmlns='urn:t'/>",
    );
    let group = "<xs:element name='r'><xs:complexType><xs:sequence><xs:element ref='t:head'/></xs:sequence></xs:complexType></xs:element>
<xs:element name='head' abstract='true'/><xs:element name='member' substitutionGroup='t:head'/>";
    instance(&mut out, "an abstract element", group, &root("", "<head/>"));
    instance(
        &mut out,
        "only members may stand for an abstract head",
        group,
        &root("", "<tail/>"),
    );
    insta::assert_snapshot!(out);
}

#[test]
fn attributes() {
    let mut out = String::new();
    let body = "<xs:element name='r'><xs:complexType><xs:sequence><xs:element name='child' minOccurs='0'/></xs:sequence>
  <xs:attribute name='number' type='xs:int' use='required'/>
  <xs:attribute name='kind'><xs:simpleType><xs:restriction base='xs:string'><xs:enumeration value='AND'/><xs:enumeration value='OR'/></xs:restriction></xs:simpleType></xs:attribute>
  <xs:attribute name='version' fixed='1'/>
  <xs:attribute name='flag' type='xs:boolean'/>
 </xs:complexType></xs:element>";
    let mut case =
        |title: &str, attributes: &str| instance(&mut out, title, body, &root(attributes, ""));
    case("required and missing", "");
    case("required, under a near name", " nunber='1'");
    case("required, with wrong capitals", " Number='1'");
    case("required, in a namespace", " t:number='1' xmlns:t='urn:t'");
    case("required, as an element", "");
    case("not declared", " number='1' zebra=''");
    case("an element's name", " number='1' child=''");
    case(
        "xml:lang is not declared either",
        " number='1' xml:lang='en'",
    );
    case("not a number", " number='x'");
    case("out of range", " number='2147483648'");
    case("not among the values", " number='1' kind='XOR'");
    case("wrong capitals in a value", " number='1' kind='and'");
    case("blanks around a value", " number='1' kind=' OR'");
    case("not the fixed value", " number='1' version='2'");
    case("not a boolean", " number='1' flag='True'");
    instance(
        &mut out,
        "an attribute on a simple type",
        "<xs:element name='r' type='xs:string'/>",
        &root(" a=''", ""),
    );
    insta::assert_snapshot!(out);
}

#[test]
fn values() {
    let mut out = String::new();
    let mut case = |title: &str, base: &str, facets: &str, text: &str| {
        let body = format!(
            "<xs:element name='r'>\n<xs:simpleType><xs:restriction base='xs:{base}'>{facets}</xs:restriction></xs:simpleType></xs:element>"
        );
        instance(&mut out, title, &body, &root("", text));
    };
    case("length", "string", "<xs:length value='3'/>", "äb");
    case("minLength", "string", "<xs:minLength value='1'/>", "");
    case(
        "maxLength of octets",
        "hexBinary",
        "<xs:maxLength value='1'/>",
        "ABCD",
    );
    case(
        "pattern",
        "string",
        "<xs:pattern value='[a-z]+'/><xs:pattern value='\\d'/>",
        "A",
    );
    case(
        "minInclusive",
        "int",
        "<xs:minInclusive value='100'/>",
        "99",
    );
    case(
        "maxExclusive",
        "decimal",
        "<xs:maxExclusive value='7.5'/>",
        "7.50",
    );
    case(
        "minExclusive",
        "date",
        "<xs:minExclusive value='2026-01-01'/>",
        "2026-01-01",
    );
    case(
        "maxInclusive",
        "double",
        "<xs:maxInclusive value='1e3'/>",
        "1e4",
    );
    case(
        "totalDigits",
        "decimal",
        "<xs:totalDigits value='3'/>",
        "12.34",
    );
    case(
        "fractionDigits",
        "decimal",
        "<xs:fractionDigits value='1'/>",
        "0.12",
    );
    case(
        "enumeration in the value space",
        "decimal",
        "<xs:enumeration value='1.0'/>",
        "2",
    );
    case("not a date", "date", "", "2026-02-29");
    case(
        "a dateTime without T",
        "dateTime",
        "",
        "2026-01-31 12:00:00",
    );
    case("a decimal comma", "decimal", "", "1,5");
    case("an empty number", "int", "", "");
    case("a prefix that is not bound", "QName", "", "p:x");
    let list = "<xs:element name='r'><xs:simpleType><xs:list itemType='xs:int'/></xs:simpleType></xs:element>";
    instance(&mut out, "an item of a list", list, &root("", "1 two 3"));
    let union = "<xs:element name='r'><xs:simpleType><xs:union memberTypes='xs:int xs:boolean'/></xs:simpleType></xs:element>";
    instance(&mut out, "no member of a union", union, &root("", "maybe"));
    let fixed = "<xs:element name='r' type='xs:int' fixed='7'/>";
    instance(&mut out, "a fixed element", fixed, &root("", "8"));
    insta::assert_snapshot!(out);
}

#[test]
fn types_and_nil() {
    let mut out = String::new();
    let body = "<xs:complexType name='Base' abstract='true'><xs:attribute name='a'/></xs:complexType>
<xs:complexType name='Derived'><xs:complexContent><xs:extension base='t:Base'/></xs:complexContent></xs:complexType>
<xs:complexType name='Other'/>
<xs:element name='r'><xs:complexType><xs:choice minOccurs='0' maxOccurs='unbounded'>
  <xs:element name='base' type='t:Base'/>
  <xs:element name='blocked' type='t:Derived' block='extension'/>
  <xs:element name='nil' type='xs:int' nillable='true'/>
  <xs:element name='never' type='xs:int'/>
  <xs:element name='fixed' type='xs:int' nillable='true' fixed='1'/>
 </xs:choice></xs:complexType></xs:element>";
    let mut case = |title: &str, inside: &str| instance(&mut out, title, body, &root("", inside));
    case("an abstract type", "<base/>");
    case("xsi:type names nothing", "<base xsi:type='Derivd'/>");
    case(
        "xsi:type in the wrong namespace",
        "<base xmlns:x='urn:x' xsi:type='x:Derived'/>",
    );
    case("xsi:type does not derive", "<base xsi:type='Other'/>");
    case("nil and not empty", "<nil xsi:nil='true'>1</nil>");
    case("not nillable", "<never xsi:nil='false'>1</never>");
    case("nil and fixed", "<fixed xsi:nil='1'/>");
    case("nil is no boolean", "<nil xsi:nil='yes'>1</nil>");
    insta::assert_snapshot!(out);
}

#[test]
fn identities() {
    let mut out = String::new();
    let body = "<xs:element name='r'><xs:complexType><xs:choice minOccurs='0' maxOccurs='unbounded'>
  <xs:element name='room'><xs:complexType><xs:attribute name='id' type='xs:decimal'/><xs:attribute name='self' type='xs:ID'/></xs:complexType></xs:element>
  <xs:element name='seat'><xs:complexType><xs:attribute name='room' type='xs:decimal'/><xs:attribute name='see' type='xs:IDREF'/></xs:complexType></xs:element>
 </xs:choice></xs:complexType>
 <xs:key name='rooms'><xs:selector xpath='t:room'/><xs:field xpath='@id'/></xs:key>
 <xs:keyref name='seats' refer='t:rooms'><xs:selector xpath='t:seat'/><xs:field xpath='@room'/></xs:keyref>
</xs:element>";
    let mut case = |title: &str, inside: &str| instance(&mut out, title, body, &root("", inside));
    case(
        "a key twice, equal in the value space",
        "<room id='1'/><room id='1.0'/>",
    );
    case("a key without its field", "<room/>");
    case("a keyref without its key", "<room id='1'/><seat room='2'/>");
    case(
        "an ID twice",
        "<room id='1' self='a'/><room id='2' self='a'/>",
    );
    case("an IDREF to nothing", "<seat see='b'/>");
    insta::assert_snapshot!(out);
}

#[test]
fn schemas() {
    let mut out = String::new();
    let mut case = |title: &str, body: &str| {
        let errors = Schema::compile(vec![Source::new("t.xsd", schema(body))]).expect_err(title);
        let _ = writeln!(out, "# {title}");
        for error in errors {
            let _ = writeln!(out, "{error}");
        }
        out.push('\n');
    };
    case("unresolved type", "<xs:element name='a' type='t:Nothing'/>");
    case(
        "unresolved prefix",
        "<xs:element name='a' type='q:Nothing'/>",
    );
    case(
        "a namespace that is not imported",
        "<xs:element name='a' xmlns:q='urn:q' type='q:T'/>",
    );
    case(
        "defined twice",
        "<xs:element name='a'/><xs:element name='a'/>",
    );
    case(
        "circular types",
        "<xs:complexType name='A'><xs:complexContent><xs:extension base='t:B'/></xs:complexContent></xs:complexType><xs:complexType name='B'><xs:complexContent><xs:extension base='t:A'/></xs:complexContent></xs:complexType>",
    );
    case(
        "circular groups",
        "<xs:group name='g'><xs:sequence><xs:group ref='t:g'/></xs:sequence></xs:group>",
    );
    case(
        "circular attribute groups",
        "<xs:attributeGroup name='g'><xs:attributeGroup ref='t:g'/></xs:attributeGroup>",
    );
    case(
        "ambiguous content",
        "<xs:complexType name='A'><xs:sequence><xs:element name='x' minOccurs='0'/><xs:element name='x'/></xs:sequence></xs:complexType>",
    );
    case(
        "ambiguous with a wildcard",
        "<xs:complexType name='A'><xs:sequence><xs:any minOccurs='0'/><xs:element name='x'/></xs:sequence></xs:complexType>",
    );
    case(
        "one name, two types",
        "<xs:complexType name='A'><xs:sequence><xs:element name='x' type='xs:int'/><xs:element name='x' type='xs:string'/></xs:sequence></xs:complexType>",
    );
    case(
        "facets against each other",
        "<xs:simpleType name='A'><xs:restriction base='xs:string'><xs:minLength value='3'/><xs:maxLength value='2'/></xs:restriction></xs:simpleType>",
    );
    case(
        "facets against the base",
        "<xs:simpleType name='A'><xs:restriction base='xs:byte'><xs:maxInclusive value='128'/></xs:restriction></xs:simpleType>",
    );
    case(
        "a facet the type does not have",
        "<xs:simpleType name='A'><xs:restriction base='xs:int'><xs:length value='3'/></xs:restriction></xs:simpleType>",
    );
    case(
        "an enumeration outside the base",
        "<xs:simpleType name='A'><xs:restriction base='xs:int'><xs:enumeration value='x'/></xs:restriction></xs:simpleType>",
    );
    case(
        "a bad pattern",
        "<xs:simpleType name='A'><xs:restriction base='xs:string'><xs:pattern value='[a-'/></xs:restriction></xs:simpleType>",
    );
    case(
        "a pattern that explodes",
        "<xs:simpleType name='A'><xs:restriction base='xs:string'><xs:pattern value='((\\p{L}{999}){999}){999}'/></xs:restriction></xs:simpleType>",
    );
    case(
        "a default that does not fit",
        "<xs:element name='a' type='xs:int' default='x'/>",
    );
    case(
        "a restriction that widens",
        "<xs:complexType name='A'><xs:sequence><xs:element name='x'/></xs:sequence></xs:complexType><xs:complexType name='B'><xs:complexContent><xs:restriction base='t:A'><xs:sequence><xs:element name='x' minOccurs='0'/></xs:sequence></xs:restriction></xs:complexContent></xs:complexType>",
    );
    case(
        "a final type",
        "<xs:complexType name='A' final='extension'/><xs:complexType name='B'><xs:complexContent><xs:extension base='t:A'/></xs:complexContent></xs:complexType>",
    );
    case(
        "an attribute twice",
        "<xs:complexType name='A'><xs:attribute name='a'/><xs:attribute name='a'/></xs:complexType>",
    );
    case(
        "a substitution of the wrong type",
        "<xs:element name='h' type='xs:int'/><xs:element name='m' type='xs:date' substitutionGroup='t:h'/>",
    );
    case(
        "elements in the wrong order",
        "<xs:complexType name='A'><xs:attribute name='a'/><xs:sequence/></xs:complexType>",
    );
    case(
        "an attribute a schema element does not have",
        "<xs:element name='a' minOccurs='1'/>",
    );
    case("a missing attribute", "<xs:complexType/>");
    case(
        "XSD 1.1",
        "<xs:complexType name='A'><xs:sequence/><xs:assert test='true()'/></xs:complexType>",
    );
    case(
        "a keyref to nothing",
        "<xs:element name='a'><xs:keyref name='k' refer='t:none'><xs:selector xpath='b'/><xs:field xpath='@c'/></xs:keyref></xs:element>",
    );
    case(
        "a path outside the subset",
        "<xs:element name='a'><xs:key name='k'><xs:selector xpath='b[1]'/><xs:field xpath='@c'/></xs:key></xs:element>",
    );
    case(
        "min above max",
        "<xs:complexType name='A'><xs:sequence minOccurs='2' maxOccurs='1'><xs:element name='a'/></xs:sequence></xs:complexType>",
    );
    case("not well-formed", "<xs:element name='a'>");
    insta::assert_snapshot!(out);
}

#[test]
fn the_tool_shows_lines_with_carets() {
    let folder = std::env::temp_dir().join(format!("xsd-messages-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("t.xsd");
    std::fs::write(&path, schema(SEQUENCE)).unwrap();
    let job = Job {
        schemas: vec![path],
        inputs: vec![
            (
                "good.xml".to_owned(),
                root("", "<one/><three/>").into_bytes(),
            ),
            (
                "bad.xml".to_owned(),
                root("", "\n  <One/>\n  <three/>").into_bytes(),
            ),
            ("broken.xml".to_owned(), b"<r>\n <a></r>".to_vec()),
        ],
        files: vec![folder.join("absent.xml")],
        ..Job::default()
    };
    let report = run(&job);
    assert_eq!(report.exit_code(), 2);
    let folder_name = folder.to_string_lossy().into_owned();
    insta::assert_snapshot!(report.to_text().replace(&folder_name, "FOLDER"));
    assert!(
        report
            .to_json()
            .contains("\"code\": \"cvc-complex-type.2.4.a\"")
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
