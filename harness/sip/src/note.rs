/*! What a message got away with.

The parser accepts more than RFC 3261 asks for, so that the judge can look at
what a sloppy peer sent, but each time it leaves a [`Note`] with the place.
*/

use std::fmt;

/// One leniency the parser granted, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// What was granted.
    pub kind: NoteKind,
    /// Byte offset in the message.
    pub offset: usize,
}

/// What the parser had to tolerate, or found worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NoteKind {
    /// A header value continues on the next line (legal, RFC 3261 7.3.1).
    Folded,
    /// A header uses its one-letter form (legal, 7.3.3).
    CompactName,
    /// White space between header name and colon (legal, 7.3.1, though discouraged).
    WsBeforeColon,
    /// Empty lines before the start line (legal, 7.5).
    LeadingBlankLine,
    /// A line ends with LF alone.
    BareLf,
    /// The first byte of the head that is not UTF-8.
    NonUtf8,
    /// A control character in the head.
    ControlChar,
    /// A header line without colon.
    NoColon,
    /// A header name that is empty or not a token.
    BadName,
    /// Content-Length given twice with the same value.
    DupContentLength,
    /// Content-Length values that contradict each other (fatal on a stream).
    ConflictingContentLength,
    /// A Content-Length that is not a number of bytes (fatal on a stream).
    BadContentLength,
    /// No Content-Length: on a stream the body is taken as empty (20.14 makes it mandatory there).
    MissingContentLength,
    /// The bytes after the head are not as many as Content-Length says.
    BodyLengthDiffers,
    /// `sip/2.0` in small letters (legal on receipt, 7.1; senders must use upper case).
    LowerCaseVersion,
    /// A SIP version other than 2.0.
    OtherVersion,
    /// More than the two single spaces of a request line: doubled, at its end, a tab, or within the URI.
    StartLineSpace,
    /// A status line that ends after the code, without the space before the reason.
    MissingReason,
}

impl NoteKind {
    /// A stable kebab-case code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Whether the sender broke RFC 3261 by it (else it is legal but unusual).
    pub fn is_violation(self) -> bool {
        self.row().1
    }

    /// One sentence for a reader, and the section that speaks of it.
    pub fn text(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, bool, &'static str) {
        use NoteKind::*;
        match self {
            Folded => ("folded", false, "a header value is folded (RFC 3261 7.3.1)"),
            CompactName => (
                "compact-name",
                false,
                "a header has its compact name (RFC 3261 7.3.3)",
            ),
            WsBeforeColon => (
                "ws-before-colon",
                false,
                "white space stands before a header's colon (RFC 3261 7.3.1)",
            ),
            LeadingBlankLine => (
                "leading-blank-line",
                false,
                "empty lines precede the start line (RFC 3261 7.5)",
            ),
            BareLf => ("bare-lf", true, "a line ends with LF alone (RFC 3261 7)"),
            NonUtf8 => ("non-utf8", true, "the head is not UTF-8 (RFC 3261 7)"),
            ControlChar => (
                "control-char",
                true,
                "the head contains a control character (RFC 3261 25.1)",
            ),
            NoColon => (
                "no-colon",
                true,
                "a header line has no colon (RFC 3261 7.3.1)",
            ),
            BadName => (
                "bad-name",
                true,
                "a header name is not a token (RFC 3261 25.1)",
            ),
            DupContentLength => (
                "dup-content-length",
                true,
                "Content-Length is given more than once (RFC 3261 7.3.1)",
            ),
            ConflictingContentLength => (
                "conflicting-content-length",
                true,
                "Content-Length is given with different values (RFC 3261 20.14)",
            ),
            BadContentLength => (
                "bad-content-length",
                true,
                "Content-Length is not a number of bytes (RFC 3261 20.14)",
            ),
            MissingContentLength => (
                "missing-content-length",
                true,
                "Content-Length is missing, which a stream requires (RFC 3261 20.14)",
            ),
            BodyLengthDiffers => (
                "body-length-differs",
                true,
                "the body is not as long as Content-Length says (RFC 3261 18.3)",
            ),
            LowerCaseVersion => (
                "lower-case-version",
                true,
                "the SIP version is not in upper case (RFC 3261 7.1)",
            ),
            OtherVersion => (
                "other-version",
                true,
                "the SIP version is not 2.0 (RFC 3261 7.1)",
            ),
            StartLineSpace => (
                "start-line-space",
                true,
                "the parts of the start line are not separated by single spaces (RFC 3261 7.1, 7.2)",
            ),
            MissingReason => (
                "missing-reason",
                true,
                "the status line ends without the space before the reason phrase (RFC 3261 7.2)",
            ),
        }
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
