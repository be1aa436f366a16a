/*! The schema of [MS-XCCOSIP] 6.1 in its profiles.

Takes the published text and the ledger of errata, both compiled into the
program; gives compiled schemas and their verdicts on payloads. What a verdict
means for whom is for the rules and the peers.
*/

use std::sync::OnceLock;

use xsd::doc::{Limits, parse_str};
use xsd::patch::Ledger;
use xsd::source::Source;
use xsd::{Schema, Violation};

const PUBLISHED: &str = include_str!("../../../schemas/xccos/published.xsd");
const ERRATA: &str = include_str!("../../../schemas/xccos/errata.yaml");

/// A reading of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The printed text with the least that makes it compile.
    Published,
    /// The reading under which the document's own examples are valid and every MUST can be met.
    Interop,
    /// Interop, and what one widespread client leaves out.
    Lenient,
}

/// All profiles with their names in the ledger.
pub const PROFILES: &[(Profile, &str)] = &[
    (Profile::Published, "published"),
    (Profile::Interop, "interop"),
    (Profile::Lenient, "lenient"),
];

impl Profile {
    /// Its name in the ledger and on the command line.
    pub fn name(self) -> &'static str {
        PROFILES
            .iter()
            .find(|(p, _)| *p == self)
            .map_or("interop", |(_, name)| *name)
    }

    /// The profile of that name.
    pub fn named(name: &str) -> Option<Profile> {
        PROFILES.iter().find(|(_, n)| *n == name).map(|(p, _)| *p)
    }
}

/// The ledger of errata.
pub fn ledger() -> &'static Ledger {
    static LEDGER: OnceLock<Ledger> = OnceLock::new();
    // Part of the program, read by a test: an unreadable ledger never ships.
    LEDGER.get_or_init(|| Ledger::parse(ERRATA).unwrap_or_else(|e| panic!("errata.yaml: {e}")))
}

/// The schema text of the document.
pub fn published_text() -> &'static str {
    PUBLISHED
}

/// The compiled schema of a profile; compiled once.
pub fn schema(profile: Profile) -> &'static Schema {
    static COMPILED: [OnceLock<Schema>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
    COMPILED[profile as usize].get_or_init(|| {
        compile(profile).unwrap_or_else(|e| {
            panic!(
                "the schema of the profile {} is broken: {e}",
                profile.name()
            )
        })
    })
}

fn compile(profile: Profile) -> Result<Schema, String> {
    let text = ledger()
        .apply(PUBLISHED, profile.name())
        .map_err(|e| e.to_string())?;
    Schema::compile(vec![Source::new("xccos.xsd", text)]).map_err(|errors| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    })
}

/// What is wrong with a payload under a profile; one that cannot be read at all has a single violation.
pub fn validate(profile: Profile, body: &[u8]) -> Vec<Violation> {
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(e) => {
            return vec![unreadable(
                e.valid_up_to(),
                "the payload is not UTF-8".to_owned(),
            )];
        }
    };
    match parse_str(text, &Limits::default()) {
        Ok(document) => schema(profile).validate(&document),
        Err(e) => vec![unreadable(e.offset, e.message)],
    }
}

fn unreadable(offset: usize, message: String) -> Violation {
    Violation {
        code: "xml",
        path: "/".to_owned(),
        span: offset..offset,
        line: 1,
        column: 1,
        message,
        found: None,
        expected: Vec::new(),
        schema: None,
        hint: None,
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_compiles_and_tells_the_profiles_apart() {
        let chat = |attrs: &str| {
            format!(
                r#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="1"><grpchat id="grpchat" seqid="1" chanUri="ma-chan://a/b" author="sip:a@b" {attrs}><chat>x</chat></grpchat></xccos>"#
            )
        };
        let extended = chat(r#"authdisp="" alert="false" chatId="0" ts="2026-01-02T03:04:05.6Z""#);
        let basic = chat(r#"authdisp="" alert="false" chatId="0" ts="20260102T030405Z""#);
        let short = chat(r#"ts="2026-01-02T03:04:05Z""#);
        for (body, published, interop, lenient) in [
            (&basic, true, true, true),
            (&extended, false, true, true),
            (&short, false, false, true),
        ] {
            let ok = |profile| validate(profile, body.as_bytes()).is_empty();
            assert_eq!(ok(Profile::Published), published, "{body}");
            assert_eq!(ok(Profile::Interop), interop, "{body}");
            assert_eq!(ok(Profile::Lenient), lenient, "{body}");
        }
        assert_eq!(validate(Profile::Interop, b"<a").len(), 1);
        assert_eq!(validate(Profile::Interop, b"\xff").len(), 1);
    }
}
