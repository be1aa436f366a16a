//! Arbitrary bytes as a schema document, and a small document against whatever compiles.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xsd::doc::{self, Limits};
use xsd::{Schema, Source};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = doc::decode(bytes, &Limits::default()) else { return };
    let Ok(schema) = Schema::compile(vec![Source::new("fuzz.xsd", text)]) else { return };
    for xml in ["<r/>", "<r a='1'><a>x</a><b/><a/></r>", "<r xmlns='urn:t'><one/><two>2</two></r>"] {
        if let Ok(document) = doc::parse_str(xml, &Limits::default()) {
            schema.validate(&document);
        }
    }
});
