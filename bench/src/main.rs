//! `make bench`: parse, and parse with validation, of a small and a large bjoin reply, beside other validators.
//!
//! Writes the schema (the interop profile) and two documents to a temporary folder, then takes turns: a slice of
//! time for ours, one for libxml2 (through python's lxml), one for the JDK's Xerces, several rounds. Prints the best
//! throughput of each and the ratios; whoever is not installed is left out and named.

mod documents;
mod others;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use xsd::doc::{self, Limits};
use xsd::patch::Ledger;
use xsd::{Schema, Source};

const ROUNDS: usize = 15;
const SLICE: Duration = Duration::from_millis(100);

/// The best throughput seen, in MB/s.
#[derive(Debug, Default, Clone, Copy)]
pub struct Best {
    parse: f64,
    both: f64,
}

impl Best {
    fn take(&mut self, parse: f64, both: f64) {
        self.parse = self.parse.max(parse);
        self.both = self.both.max(both);
    }
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("the schema is in the project");
    let ledger = Ledger::parse(&read("schemas/xccos/errata.yaml")).expect("the ledger is sound");
    let text = ledger
        .apply(&read("schemas/xccos/published.xsd"), "interop")
        .expect("the ledger applies");
    let schema = Schema::compile(vec![Source::new("interop.xsd", text.clone())]).expect("the profile compiles");

    let folder = std::env::temp_dir().join(format!("parlance-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let schema_file = folder.join("interop.xsd");
    std::fs::write(&schema_file, text).expect("a temporary file");

    for (name, rooms) in [("3 KB", 2), ("200 KB", 171)] {
        let document = documents::bjoin_reply(rooms);
        let file = folder.join("reply.xml");
        std::fs::write(&file, &document).expect("a temporary file");
        println!("{name} bjoin reply ({} bytes)", document.len());
        let mut ours = Best::default();
        let mut rivals = others::all(&schema_file, &file);
        for _ in 0..ROUNDS {
            let (parse, both) = measure(&schema, &document);
            ours.take(parse, both);
            for rival in &mut rivals {
                rival.round();
            }
        }
        report(&ours, &rivals);
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn measure(schema: &Schema, document: &str) -> (f64, f64) {
    let limits = Limits::default();
    let bytes = document.as_bytes();
    if std::env::var_os("BENCH_PARTS").is_some() {
        let text = doc::decode(bytes, &limits).expect("UTF-8");
        let scan = throughput(bytes.len(), || {
            black_box(doc::decode(bytes, &limits).is_ok());
        });
        let tree = throughput(bytes.len(), || {
            black_box(roxmltree::Document::parse(text).is_ok());
        });
        let document = doc::tree(text, &limits).expect("well-formed");
        let validate = throughput(bytes.len(), || {
            black_box(schema.validate(&document));
        });
        println!("  checks {scan:.0}, roxmltree {tree:.0}, validation {validate:.0} MB/s");
    }
    let parse = throughput(bytes.len(), || {
        let text = doc::decode(bytes, &limits).expect("UTF-8");
        black_box(doc::tree(text, &limits).expect("well-formed"));
    });
    let both = throughput(bytes.len(), || {
        let text = doc::decode(bytes, &limits).expect("UTF-8");
        let document = doc::tree(text, &limits).expect("well-formed");
        let violations = schema.validate(&document);
        assert!(violations.is_empty(), "{violations:?}");
    });
    (parse, both)
}

/// Runs for one slice of time; MB/s.
fn throughput(bytes: usize, mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut runs = 0_u32;
    while start.elapsed() < SLICE {
        for _ in 0..8 {
            run();
        }
        runs += 8;
    }
    f64::from(runs) * bytes as f64 / start.elapsed().as_secs_f64() / 1e6
}

fn report(ours: &Best, rivals: &[others::Rival]) {
    let line = |name: &str, best: &Best| {
        // Time per byte of validation alone is what both together take beyond parsing.
        let validation = (1.0 / best.both - 1.0 / best.parse).max(0.0) * best.parse;
        println!(
            "  {name:24} parse {:7.1} MB/s   parse+validate {:7.1} MB/s   validation/parse {validation:5.2}",
            best.parse, best.both
        );
    };
    line("ours", ours);
    for rival in rivals {
        if rival.best.both > 0.0 {
            line(rival.name, &rival.best);
            println!(
                "  {:24} ours is {:.2} times its parse+validate, {:.2} times its parse",
                "",
                ours.both / rival.best.both,
                ours.parse / rival.best.parse
            );
        } else {
            println!("  {:24} not measured: {}", rival.name, rival.missing);
        }
    }
}
