//! What the templates call.

use std::fmt::Write as _;

/// Text as the fragment of an address: everything but plain characters percent-encoded.
#[askama::filter_fn]
pub fn fragment(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
    let mut out = String::new();
    for byte in text.to_string().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./:~=".contains(&byte) {
            out.push(byte as char);
        } else {
            write!(out, "%{byte:02X}")?;
        }
    }
    Ok(out)
}

/// `not-exercised` for people: `not exercised`.
#[askama::filter_fn]
pub fn words(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(text.to_string().replace('-', " "))
}

/// `not exercised` as a class: `not-exercised`.
#[askama::filter_fn]
pub fn dashed(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(text.to_string().replace(' ', "-"))
}
