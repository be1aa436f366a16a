/*! Requirements, rules, findings and verdicts, whatever the protocol.

The judge is a pure function of a trace: events go in, findings come out, and
nothing it concludes ever reaches a peer. This crate owns the vocabulary
(requirement, finding, verdict, blame), how verdicts combine, waivers, and the
stream of [`RunEvent`]s every report is folded from. What a rule knows about a
protocol lives in that protocol's crate, behind [`Monitor`].
*/

pub mod coverage;
pub mod exit;
mod finding;
mod requirement;
mod stream;
mod verdicts;
mod waiver;

pub use finding::{Blame, Finding, Place, Verdict};
pub use requirement::{Catalogue, CatalogueError, Level, Observable, Requirement, Role};
pub use stream::{
    Outcome, RequirementResult, RunEvent, RunInfo, ScenarioInfo, SnapshotState, Status, Summary,
};
pub use verdicts::{Closing, Gates, Unproven, Verdicts};
pub use waiver::{Waiver, glob};

/// Watches a trace as it grows and says what it makes of it.
///
/// Implemented by a protocol's crate. Live runs, the mock, the proxy and the
/// offline check all feed one of these, event by event, in order.
pub trait Monitor: Send {
    /// Takes the next event; appends what can be concluded now to `out`.
    fn observe(&mut self, event: &trace::Event, out: &mut Vec<Finding>);

    /// The recording ended at `at` (microseconds): appends what only the end can tell.
    fn finish(&mut self, at: trace::Micros, out: &mut Vec<Finding>);
}
