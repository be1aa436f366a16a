//! The validator held to what the generator makes, on the XCCOS schema and on one with every kind of type.

use std::sync::Arc;

use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::doc::{self, Limits};
use crate::patch::Ledger;
use crate::source::Source;

fn chat() -> Arc<Schema> {
    let read = |path: &str| {
        let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let ledger = Ledger::parse(&read("schemas/xccos/errata.yaml")).unwrap();
    let text = ledger
        .apply(&read("schemas/xccos/published.xsd"), "interop")
        .unwrap();
    Arc::new(Schema::compile(vec![Source::new("interop", text)]).unwrap())
}

fn zoo() -> Arc<Schema> {
    let text = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns='urn:z' targetNamespace='urn:z' elementFormDefault='qualified'>
  <xs:element name='r'><xs:complexType><xs:sequence>
    <xs:element name='numbers' maxOccurs='3'><xs:complexType>
      <xs:attribute name='i' type='xs:unsignedByte' use='required'/><xs:attribute name='d' type='D'/>
      <xs:attribute name='f' type='xs:double'/><xs:attribute name='l' type='L'/><xs:attribute name='u' type='U' use='required'/>
    </xs:complexType></xs:element>
    <xs:choice minOccurs='2' maxOccurs='5'>
      <xs:element name='when' type='When'/>
      <xs:element name='code' type='Code' nillable='true'/>
      <xs:element ref='head'/>
      <xs:group ref='pair'/>
    </xs:choice>
    <xs:element name='all'><xs:complexType><xs:all><xs:element name='x' type='xs:token'/><xs:element name='y' type='xs:hexBinary' minOccurs='0'/></xs:all></xs:complexType></xs:element>
    <xs:element name='many' type='xs:date' minOccurs='3' maxOccurs='3000'/>
  </xs:sequence><xs:attribute name='id' type='xs:ID'/></xs:complexType></xs:element>
  <xs:group name='pair'><xs:sequence><xs:element name='left' type='xs:anyURI'/><xs:element name='right' type='xs:base64Binary'/></xs:sequence></xs:group>
  <xs:element name='head' type='Base' abstract='true'/>
  <xs:element name='tail' type='More' substitutionGroup='head'/>
  <xs:complexType name='Base'><xs:sequence><xs:element name='b' type='xs:boolean'/></xs:sequence></xs:complexType>
  <xs:complexType name='More'><xs:complexContent><xs:extension base='Base'><xs:sequence><xs:element name='r2' type='Base' minOccurs='0'/></xs:sequence><xs:attribute name='lang' type='xs:language' use='required'/></xs:extension></xs:complexContent></xs:complexType>
  <xs:simpleType name='D'><xs:restriction base='xs:decimal'><xs:fractionDigits value='1'/><xs:maxExclusive value='100'/></xs:restriction></xs:simpleType>
  <xs:simpleType name='L'><xs:restriction><xs:simpleType><xs:list itemType='xs:short'/></xs:simpleType><xs:maxLength value='4'/></xs:restriction></xs:simpleType>
  <xs:simpleType name='U'><xs:union memberTypes='xs:boolean Code'/></xs:simpleType>
  <xs:simpleType name='Code'><xs:restriction base='xs:string'><xs:pattern value='[A-Z]{2}\\d+(-[a-z-[aeiou]]*)?'/></xs:restriction></xs:simpleType>
  <xs:simpleType name='When'><xs:restriction base='xs:dateTime'><xs:minInclusive value='2026-01-01T00:00:00Z'/></xs:restriction></xs:simpleType>
</xs:schema>";
    Arc::new(
        Schema::compile(vec![Source::new("zoo", text)])
            .unwrap_or_else(|errors| panic!("{errors:?}")),
    )
}

fn schemas() -> [(Arc<Schema>, &'static str, &'static str); 2] {
    [
        (chat(), "urn:parlano:xml:ns:xccos", "xccos"),
        (zoo(), "urn:z", "r"),
    ]
}

#[test]
fn what_is_generated_as_valid_is_valid() {
    for (schema, namespace, local) in schemas() {
        let config = Config {
            cases: 100,
            failure_persistence: None,
            ..Config::default()
        };
        let strategy = valid(schema.clone(), namespace, local, 2000);
        let longest = std::cell::Cell::new(0);
        TestRunner::new(config)
            .run(&strategy, |xml| {
                longest.set(longest.get().max(xml.len()));
                let document = doc::parse_str(&xml, &Limits::default()).expect("well-formed");
                let violations = schema.validate(&document);
                prop_assert!(violations.is_empty(), "{xml}\n{violations:#?}");
                Ok(())
            })
            .unwrap();
        assert!(
            longest.get() > 1000,
            "the longest document has {} bytes",
            longest.get()
        );
    }
}

#[test]
fn each_slip_is_found_and_nothing_else() {
    for (schema, namespace, local) in schemas() {
        for slip in Slip::ALL {
            let config = Config {
                cases: 40,
                failure_persistence: None,
                max_global_rejects: 10_000,
                ..Config::default()
            };
            let strategy = broken(schema.clone(), namespace, local, 300, slip);
            TestRunner::new(config)
                .run(&strategy, |broken| {
                    let document =
                        doc::parse_str(&broken.xml, &Limits::default()).expect("well-formed");
                    let violations = schema.validate(&document);
                    prop_assert!(
                        !violations.is_empty(),
                        "{slip:?} was not found in {}",
                        broken.xml
                    );
                    for each in &violations {
                        let fits = slip.codes().iter().any(|code| each.code.starts_with(code));
                        prop_assert!(fits, "{slip:?} in {}\n{violations:#?}", broken.xml);
                    }
                    Ok(())
                })
                .unwrap_or_else(|error| panic!("{local} {slip:?}: {error}"));
        }
    }
}

#[test]
fn documents_shrink_with_their_numbers() {
    let (schema, namespace, local) = &schemas()[1];
    let strategy = valid(schema.clone(), namespace, local, 300);
    let mut tree = strategy.new_tree(&mut TestRunner::deterministic()).unwrap();
    let mut shortest = tree.current().len();
    for _ in 0..500 {
        if !tree.simplify() {
            break;
        }
        shortest = shortest.min(tree.current().len());
    }
    let least = document(schema, namespace, local, &[]).unwrap().len();
    assert!(shortest <= least * 2, "{shortest} and {least}");
}
