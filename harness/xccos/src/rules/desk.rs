/*! The desk every conclusion goes over.

Takes what rules say (this held, that broke, here), gives findings with level,
verdict and blame. It alone knows who is under test, what the policy makes of
contradictions, and what was said before: a requirement passes once a
recording, and one place is reported once for one requirement. It refuses to
blame anyone for a message that was broken on purpose.
*/

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use judge::{Blame, Catalogue, Finding, Level, Place, Verdict};
use trace::Seat;

use super::decode::Seen;
use super::{Setup, Target};
use crate::payload::Element;
use crate::policy::{self, Weight};

/// What kind of duty a rule speaks of: it decides whether the harness can be at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// The message is wrong in itself; whoever sent it is at fault, the harness too.
    Form,
    /// Something was or was not done in turn. A harness that plays a scenario does so because
    /// the scenario says so, and is never blamed.
    Conduct,
}

/// Where a conclusion points.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spot {
    pub path: Option<String>,
    /// Bytes in the payload, or in the whole message when there is no path into a payload.
    pub span: Option<(usize, usize)>,
}

impl Spot {
    /// An element of the payload.
    pub fn element(path: &str, element: &Element) -> Spot {
        Spot {
            path: Some(path.to_owned()),
            span: Some((element.span.start, element.span.end)),
        }
    }

    /// An attribute, or its element when it is not there.
    pub fn attribute(path: &str, element: &Element, name: &str) -> Spot {
        let span = element
            .attr(name)
            .map_or(&element.span, |attr| &attr.span)
            .clone();
        Spot {
            path: Some(format!("{path}/@{name}")),
            span: Some((span.start, span.end)),
        }
    }

    /// A header of the message.
    pub fn header(name: &str) -> Spot {
        Spot {
            path: Some(name.to_owned()),
            span: None,
        }
    }
}

/// Rules whose complaints about the harness's own messages are its fault. What the others look at
/// is for a scenario to choose: odd bits, unusual values, a command without its block.
const FORMAL: &[&str] = &["schema", "sip"];

/// Rules that conclude from what happened before or did not happen. A recording with holes proves none of it.
const REMEMBERING: &[&str] = &[
    "audience", "bait", "chats", "client", "driven", "exchange", "memory",
];

/// See the module.
pub(crate) struct Desk {
    catalogue: Arc<Catalogue>,
    target: Target,
    profile: String,
    holes: bool,
    passed: HashSet<String>,
    said: HashSet<(String, u64, Option<String>)>,
    /// How often an id was reported of a message.
    told: HashMap<(String, u64), usize>,
    out: Vec<Finding>,
}

/// Most findings of one requirement in one message; a hostile document breaks it ten thousand times.
const REPEATS: usize = 20;

impl Desk {
    pub fn new(setup: &Setup) -> Desk {
        Desk {
            catalogue: crate::catalogue(),
            target: setup.target,
            profile: setup.profile.clone(),
            holes: setup.holes,
            passed: HashSet::new(),
            said: HashSet::new(),
            told: HashMap::new(),
            out: Vec::new(),
        }
    }

    /// Gives away what was concluded since the last call.
    pub fn drain(&mut self, out: &mut Vec<Finding>) {
        out.append(&mut self.out);
    }

    /// The schema profile.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Whether this seat is under test.
    pub fn tests(&self, seat: Seat) -> bool {
        match self.target {
            Target::Both => true,
            Target::Neither => false,
            Target::Seat(target) => target == seat,
        }
    }

    /// A requirement was exercised by the sender of `seen`, and held.
    pub fn pass(&mut self, rule: &'static str, id: &str, seen: &Seen) {
        self.pass_for(rule, id, seen.from, seen.seq, seen.deliberate);
    }

    /// A requirement held for `seat`; `event` shows it.
    pub fn pass_for(
        &mut self,
        rule: &'static str,
        id: &str,
        seat: Seat,
        event: u64,
        deliberate: bool,
    ) {
        if deliberate || !self.tests(seat) || self.passed.contains(id) {
            return;
        }
        self.passed.insert(id.to_owned());
        let level = self.level(id);
        self.out.push(Finding {
            requirement: id.to_owned(),
            level,
            verdict: Verdict::Pass,
            blame: Blame::Target,
            message: String::new(),
            rule: rule.to_owned(),
            event: Some(event),
            place: Place::default(),
            profiles: Vec::new(),
            step: None,
        });
    }

    /// The sender of `seen` broke a requirement by the form of that message.
    pub fn fail(&mut self, rule: &'static str, id: &str, seen: &Seen, spot: Spot, message: String) {
        self.report(
            rule,
            id,
            seen.from,
            Duty::Form,
            None,
            Some(seen),
            spot,
            message,
        );
    }

    /// A document does not fit the schema, in this profile or in both.
    pub fn schema(
        &mut self,
        rule: &'static str,
        id: &str,
        seen: &Seen,
        spot: Spot,
        message: String,
        both: bool,
    ) {
        let before = self.out.len();
        self.fail(rule, id, seen, spot, message);
        if let Some(finding) = self.out.get_mut(before) {
            // The schema says no, whatever weight the prose has.
            finding.verdict = Verdict::Fail;
            finding.profiles = if both {
                Vec::new()
            } else {
                vec![self.profile.clone()]
            };
        }
    }

    /// Like [`Desk::fail`], at most with this weight.
    pub fn fail_as(
        &mut self,
        rule: &'static str,
        id: &str,
        weight: Weight,
        seen: &Seen,
        spot: Spot,
        message: String,
    ) {
        self.report(
            rule,
            id,
            seen.from,
            Duty::Form,
            Some(weight),
            Some(seen),
            spot,
            message,
        );
    }

    /// The sender of `seen` broke a requirement by sending it at this time or to this peer.
    pub fn conduct(
        &mut self,
        rule: &'static str,
        id: &str,
        seen: &Seen,
        spot: Spot,
        message: String,
    ) {
        self.report(
            rule,
            id,
            seen.from,
            Duty::Conduct,
            None,
            Some(seen),
            spot,
            message,
        );
    }

    /// Like [`Desk::conduct`], at most with this weight.
    pub fn conduct_as(
        &mut self,
        rule: &'static str,
        id: &str,
        weight: Weight,
        seen: &Seen,
        spot: Spot,
        message: String,
    ) {
        self.report(
            rule,
            id,
            seen.from,
            Duty::Conduct,
            Some(weight),
            Some(seen),
            spot,
            message,
        );
    }

    /// `seat` did not do what the event `event` called for.
    pub fn omission(
        &mut self,
        rule: &'static str,
        id: &str,
        seat: Seat,
        event: u64,
        message: String,
    ) {
        self.omission_as(rule, id, Weight::Fail, seat, event, message);
    }

    /// Like [`Desk::omission`], at most with this weight.
    pub fn omission_as(
        &mut self,
        rule: &'static str,
        id: &str,
        weight: Weight,
        seat: Seat,
        event: u64,
        message: String,
    ) {
        if self.holes || !self.tests(seat) || !self.said.insert((id.to_owned(), event, None)) {
            return;
        }
        self.push(
            rule,
            id,
            Blame::Target,
            Some(weight),
            event,
            Place::default(),
            message,
        );
    }

    #[allow(clippy::too_many_arguments)]
    fn report(
        &mut self,
        rule: &'static str,
        id: &str,
        by: Seat,
        duty: Duty,
        weight: Option<Weight>,
        seen: Option<&Seen>,
        spot: Spot,
        message: String,
    ) {
        let Some(seen) = seen else { return };
        if seen.deliberate || self.holes && REMEMBERING.contains(&rule) {
            return;
        }
        let blame = if self.tests(by) {
            Blame::Target
        } else if duty == Duty::Form && FORMAL.contains(&rule) || self.target == Target::Neither {
            Blame::Harness
        } else {
            return;
        };
        if !self
            .said
            .insert((id.to_owned(), seen.seq, spot.path.clone()))
        {
            return;
        }
        let told = self.told.entry((id.to_owned(), seen.seq)).or_default();
        *told += 1;
        if *told > REPEATS {
            return;
        }
        let place = seen.place(spot);
        self.push(rule, id, blame, weight, seen.seq, place, message);
    }

    #[allow(clippy::too_many_arguments)]
    fn push(
        &mut self,
        rule: &'static str,
        id: &str,
        blame: Blame,
        weight: Option<Weight>,
        event: u64,
        place: Place,
        message: String,
    ) {
        let level = self.level(id);
        let by_level = match level {
            Level::Must | Level::MustNot => Weight::Fail,
            Level::Should | Level::ShouldNot => Weight::Warn,
            Level::May => Weight::Info,
        };
        let ceiling = |profile: &str| {
            let mut ceiling = by_level;
            for lighter in [weight, policy::weight(id, profile)].into_iter().flatten() {
                ceiling = ceiling.max_light(lighter);
            }
            ceiling
        };
        let verdict = match ceiling(&self.profile) {
            Weight::Fail => Verdict::Fail,
            Weight::Warn => Verdict::Warn,
            Weight::Info => Verdict::Info,
            Weight::Off => return,
        };
        let profiles = [policy::INTEROP, policy::PUBLISHED];
        let same = profiles.map(ceiling).windows(2).all(|w| w[0] == w[1]);
        self.out.push(Finding {
            requirement: id.to_owned(),
            level,
            verdict,
            blame,
            message,
            rule: rule.to_owned(),
            event: Some(event),
            place,
            profiles: if same {
                Vec::new()
            } else {
                vec![self.profile.clone()]
            },
            step: None,
        });
    }

    fn level(&self, id: &str) -> Level {
        self.catalogue.get(id).map_or(Level::Must, |r| r.level)
    }
}

impl Weight {
    /// The lighter of two weights.
    fn max_light(self, other: Weight) -> Weight {
        let rank = |w: Weight| match w {
            Weight::Fail => 0,
            Weight::Warn => 1,
            Weight::Info => 2,
            Weight::Off => 3,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}
