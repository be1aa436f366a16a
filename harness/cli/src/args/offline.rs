use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, Profile};

/// Judge recordings: payload files, SIP logs, traces, captures
///
/// Uses no network. Says which seat sent what, what it could not see, and every requirement
/// that the recording violates.
///
/// Examples:
///   parlance check payload.xml
///   parlance check messages.log --format json
///   parlance check capture.pcapng                  plain TCP; TLS cannot be looked into
///   cat message.sip | parlance check -
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Check {
    /// Files; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Schema profile
    #[arg(long, value_enum, value_name = "PROFILE", default_value = "interop")]
    pub profile: Profile,
    /// Count a broken SHOULD as a failure
    #[arg(long)]
    pub strict: bool,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value = "human")]
    pub format: Format,
}

/// Check XML documents against any XSD 1.0 schema
///
/// Exit code 0 when every document is valid, 1 when one is not, 2 when the schema or a file
/// cannot be used.
///
/// Examples:
///   parlance validate --schema schema.xsd document.xml
///   parlance validate --schema main.xsd --schema types.xsd a.xml b.xml
///   parlance validate payload.xml                  against the XCCOS schema
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Validate {
    /// Schema documents; the XCCOS schema of the profile without any
    #[arg(long, value_name = "XSD")]
    pub schema: Vec<PathBuf>,
    /// Documents, or directories of .xml files; `-` is stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Also load what xsi:schemaLocation in the documents points to (files only)
    #[arg(long)]
    pub hints: bool,
    /// Which XCCOS schema, when no --schema is given
    #[arg(long, value_enum, value_name = "PROFILE", default_value = "interop")]
    pub profile: Profile,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value = "human")]
    pub format: Format,
}

/// Make reports again from stored event streams
#[derive(Debug, Args)]
pub struct Report {
    #[command(subcommand)]
    pub what: ReportDo,
}

#[derive(Debug, Subcommand)]
pub enum ReportDo {
    /// Join the shards of one run into one report
    ///
    /// Examples:
    ///   parlance report merge out/1 out/2 out/3 --report reports/latest
    #[command(verbatim_doc_comment)]
    Merge {
        /// Report directories of the shards
        #[arg(value_name = "DIR", required = true)]
        dirs: Vec<PathBuf>,
        /// Directory of the joined reports
        #[arg(long, value_name = "DIR", default_value = "reports/latest")]
        report: PathBuf,
    },
    /// Write every report of a directory again from its events.ndjson
    ///
    /// Examples:
    ///   parlance report render reports/latest
    #[command(verbatim_doc_comment)]
    Render {
        /// Report directories
        #[arg(value_name = "DIR", required = true)]
        dirs: Vec<PathBuf>,
    },
}
