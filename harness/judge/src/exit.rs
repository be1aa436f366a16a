/*! Process exit codes: the only place that knows them (`contracts.md`).

When several apply, the first of this order is reported: interrupted, harness
bug, violation, environment, nothing ran, gate, conformant. A violation is
evidence and outranks a connection that failed elsewhere; a harness bug
outranks everything it could have caused.
*/

/// Everything that ran passed, or its failure is in the baseline.
pub const CONFORMANT: u8 = 0;
/// At least one counted violation, a changed snapshot, or a stale or expired baseline entry.
pub const VIOLATION: u8 = 1;
/// A flag, target, world, scenario, filter or schema that cannot be used.
pub const USAGE: u8 = 2;
/// Cannot connect, bind or handshake; the implementation died at start.
pub const ENVIRONMENT: u8 = 3;
/// Nothing was selected, or nothing that was selected ran.
pub const NOTHING_RAN: u8 = 4;
/// It ran, but a gate (`--min-coverage`, `--fail-on inconclusive`) was not met.
pub const GATE: u8 = 5;
/// Harness bug, including something invalid that the harness sent and no scenario asked for.
pub const HARNESS_BUG: u8 = 70;
/// Interrupted; partial reports are written.
pub const INTERRUPTED: u8 = 130;
