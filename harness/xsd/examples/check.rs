//! Validates files against a schema from the command line, for trying things out: `check SCHEMA FILE…`.

use xsd::doc::{self, Limits};
use xsd::{Files, Schema, Source};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a schema");
    let text = std::fs::read_to_string(&path).expect("the schema is readable");
    let schema = match Schema::compile_with(vec![Source::new(path, text)], &Files::default()) {
        Ok(schema) => schema,
        Err(errors) => {
            for error in errors {
                println!("{error}");
            }
            return;
        }
    };
    for warning in schema.warnings() {
        println!("warning: {warning}");
    }
    for file in arguments {
        let bytes = std::fs::read(&file).expect("the document is readable");
        let text = match doc::parse(&bytes, &Limits::default()) {
            Ok(text) => text,
            Err(error) => {
                println!("{file}:{error}");
                continue;
            }
        };
        match text.document() {
            Ok(document) => {
                let violations = schema.validate(&document);
                println!("{file}: {} violations", violations.len());
                for violation in violations {
                    println!("  {violation}");
                    if let Some(hint) = violation.hint {
                        println!("    hint: {hint}");
                    }
                }
            }
            Err(error) => println!("{file}:{error}"),
        }
    }
}
