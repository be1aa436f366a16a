//! Arbitrary bytes as a document against the chat schema and against one with identity constraints and wildcards.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use xsd::doc::{self, Limits};
use xsd::patch::Ledger;
use xsd::{Schema, Source};

const SECOND: &str = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>
 <xs:element name='r'><xs:complexType mixed='true'><xs:sequence>
  <xs:choice minOccurs='0' maxOccurs='100000'><xs:element name='a' type='xs:dateTime' nillable='true'/><xs:element name='b' minOccurs='2' maxOccurs='5000' type='xs:decimal'/><xs:element ref='h'/></xs:choice>
  <xs:any namespace='##other' processContents='lax' minOccurs='0' maxOccurs='unbounded'/></xs:sequence>
  <xs:attribute name='id' type='xs:ID'/><xs:attribute name='ids' type='xs:IDREFS'/><xs:attribute name='n'><xs:simpleType><xs:union memberTypes='xs:base64Binary xs:duration xs:QName'/></xs:simpleType></xs:attribute><xs:anyAttribute/></xs:complexType>
  <xs:key name='k'><xs:selector xpath='.//a|b'/><xs:field xpath='.'/></xs:key><xs:keyref name='f' refer='k'><xs:selector xpath='*'/><xs:field xpath='@n|@id'/></xs:keyref></xs:element>
 <xs:element name='h'/><xs:element name='m' type='xs:anyURI' substitutionGroup='h'/></xs:schema>";

fn schemas() -> &'static [Schema; 2] {
    static SCHEMAS: OnceLock<[Schema; 2]> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let ledger = Ledger::parse(include_str!("../../../schemas/xccos/errata.yaml")).expect("the ledger is sound");
        let chat = ledger.apply(include_str!("../../../schemas/xccos/published.xsd"), "interop").expect("it applies");
        [chat.as_str(), SECOND].map(|text| Schema::compile(vec![Source::new("s", text)]).expect("a schema"))
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = doc::decode(bytes, &Limits::default()) else { return };
    let Ok(document) = doc::tree(text, &Limits::default()) else { return };
    for schema in schemas() {
        schema.validate(&document);
    }
});
