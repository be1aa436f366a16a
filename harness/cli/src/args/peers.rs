use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Profile, value};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProxyTransport {
    Tls,
    Tcp,
}

/// A chat server to develop against: stateful, judging, breakable on demand
///
/// Prints one line for every message that arrives: accepted, or the requirements it violates
/// with a caret into the payload. With --write-target it writes a ready target.yaml, with
/// ca.pem beside it, as soon as it listens.
///
/// Examples:
///   parlance mock                                             TLS on 127.0.0.1:5061, a built-in world
///   parlance mock --listen 127.0.0.1:0 --write-target t.yaml  any free port; t.yaml says which
///   parlance mock --world world.yaml --record trace.ndjson    your rooms; keep what crossed the wire
///   parlance mock --defect server/chat-without-name           break one requirement
///   parlance mock --fault status:503:INFO@/10                 every tenth INFO is answered 503
///   parlance mock --fault delay:200ms --fault fragment:1      and a bad network
///   parlance mock --processing 300ms --max-pending 3          a slow server that says so when it is too much
///   parlance mock --ui 127.0.0.1:8080                         the same, live in a browser
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Mock {
    /// Users, rooms, categories and history it holds, taken over again when the file changes (a built-in world without it)
    #[arg(long, value_name = "FILE")]
    pub world: Option<PathBuf>,
    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR", value_parser = value::address, default_value = "127.0.0.1:5061")]
    pub listen: String,
    /// Plain TCP is for debugging; the document asks for TLS
    #[arg(long, value_enum, value_name = "KIND", default_value = "tls")]
    pub transport: ProxyTransport,
    /// Certificate chain (PEM); an ephemeral CA signs one without it
    #[arg(long, value_name = "PEM", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "PEM", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Write a target file once it listens (and ca.pem beside it; another name when a second mock of the folder has that)
    #[arg(long, value_name = "FILE")]
    pub write_target: Option<PathBuf>,
    /// Break one requirement (repeatable; see `parlance list defects`)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub defect: Vec<String>,
    /// Disturb the connections: delay:TIME, drop, duplicate, reorder, fragment:BYTES, coalesce:N, truncate:BYTES,
    /// stall:BYTES, reset, close, no-notify, slow:BYTES, status:CODE[:METHOD]; @3, @3-5, @3+ or @/10 behind one
    /// chooses messages (repeatable)
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<sip::net::fault::Fault>,
    /// Take so long to process each envelope (`2`, `300ms`); the INFO is answered then
    #[arg(long, value_name = "TIME", value_parser = value::duration, help_heading = "Under load")]
    pub processing: Option<Duration>,
    /// Never finish this command: its INFO gets 503 when the processing timer runs out (repeatable)
    #[arg(long, value_name = "COMMAND", value_delimiter = ',', value_parser = value::command, help_heading = "Under load")]
    pub stall: Vec<String>,
    /// Answer INFO with 503, and call itself busy, while so many envelopes are being processed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Under load")]
    pub max_pending: Option<u32>,
    /// Refuse the short chat (no authdisp, alert, chatId) that clients of the field send
    #[arg(long, help_heading = "Where the document leaves a choice")]
    pub strict_chat: bool,
    /// Refuse a join by rpl:join with a code, as servers of the field do, instead of err
    #[arg(long, help_heading = "Where the document leaves a choice")]
    pub field_refusals: bool,
    /// Put the answers to all commands of an envelope into one envelope
    #[arg(long, help_heading = "Where the document leaves a choice")]
    pub merge_replies: bool,
    /// Stop by itself after so long
    #[arg(long, value_name = "SECONDS", value_parser = value::duration)]
    pub duration: Option<Duration>,
    /// Write the trace (NDJSON), message by message
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Show rooms, participants and the exchange live in a browser, at this address
    #[arg(long, value_name = "ADDR", value_parser = value::address)]
    pub ui: Option<String>,
    /// Let --ui listen on an address that others can reach
    #[arg(long, requires = "ui")]
    pub ui_public: bool,
    /// Keep chats, rooms and preferences across restarts in this SQLite file
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// Serve the file service and the room-management page over HTTPS here
    #[arg(long, value_name = "ADDR", value_parser = value::address)]
    pub web: Option<String>,
    /// Schema profile of the verdicts it prints
    #[arg(long, value_enum, value_name = "PROFILE", default_value = "interop")]
    pub profile: Profile,
    /// Seed of ids and tags
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// The reference client, driven by JSON lines on stdin and stdout
///
/// What an adapter of your own client looks like from outside; server-seat scenarios test
/// themselves with it. The lines are described in docs/guide.md.
///
/// Examples:
///   parlance client --driver
///   echo '{"id":1,"do":"sign_in","user":"alice","uri":"sip:alice@example.com","server":"127.0.0.1:5061","transport":"tls","ca":"ca.pem"}' | parlance client --driver
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Client {
    /// Take commands on stdin, answer on stdout, one JSON object a line
    #[arg(long, required = true)]
    pub driver: bool,
    /// What the client gets wrong (see `parlance list defects`)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub defect: Vec<String>,
    /// Disturb its connections, as in `parlance mock` (repeatable)
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<sip::net::fault::Fault>,
    /// Seed of ids and tags
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Sit between two real peers and judge both
///
/// Every byte is forwarded untouched and nothing is ever invented. With TLS the proxy ends it
/// on both sides: clients have to trust the CA that --write-ca names.
///
/// Examples:
///   parlance proxy --listen 127.0.0.1:5071 --to chat.example.com:5061 --write-ca proxy-ca.pem
///   parlance proxy --listen 127.0.0.1:5070 --to 127.0.0.1:5060 --transport tcp --record trace.ndjson
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Proxy {
    /// Where clients connect; port 0 takes any free one
    #[arg(long, value_name = "ADDR", value_parser = value::address)]
    pub listen: String,
    /// The real server
    #[arg(long, value_name = "ADDR", value_parser = value::address)]
    pub to: String,
    /// On both sides
    #[arg(long, value_enum, value_name = "KIND", default_value = "tls")]
    pub transport: ProxyTransport,
    /// CA that signed the real server's certificate (PEM)
    #[arg(long, value_name = "PEM")]
    pub ca: Option<PathBuf>,
    /// Name expected in the real server's certificate (its host without this)
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// Do not check the real server's certificate
    #[arg(long)]
    pub insecure: bool,
    /// Certificate chain shown to clients (PEM); an ephemeral CA signs one without it
    #[arg(long, value_name = "PEM", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "PEM", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Write the ephemeral CA here, for the clients
    #[arg(long, value_name = "FILE")]
    pub write_ca: Option<PathBuf>,
    /// Write the trace (NDJSON), message by message
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Schema profile of the verdicts it prints
    #[arg(long, value_enum, value_name = "PROFILE", default_value = "interop")]
    pub profile: Profile,
    /// Stop by itself after so long
    #[arg(long, value_name = "SECONDS", value_parser = value::duration)]
    pub duration: Option<Duration>,
}
