//! Particle Valid (Restriction): whether one content model restricts another by the cases of Part 1, 3.9.6.
//!
//! The Recommendation compares the shapes of two models, not the languages they accept; so does this. Pointless
//! groups are removed first, and heads of substitution groups count as choices.

use std::sync::Arc;

use crate::component::*;

/// Most comparisons for one pair of types.
const FUEL: u32 = 200_000;
/// Most particles of one model, groups written out.
const MOST_PARTICLES: u32 = 20_000;
/// Deepest nesting.
const DEEPEST: u32 = 1000;

/// A particle ready to be compared.
#[derive(Debug, Clone)]
struct Part {
    min: u32,
    max: u32,
    term: PartTerm,
}

#[derive(Debug, Clone)]
enum PartTerm {
    Element(ElementId),
    Wild(Arc<Wildcard>),
    Model(Compositor, Vec<Part>),
}

/// Compares particles, with a budget.
pub(crate) struct Judge<'c> {
    all: &'c Components,
    fuel: u32,
    grown: u32,
}

type Verdict = Result<(), String>;

impl<'c> Judge<'c> {
    pub(crate) fn new(all: &'c Components) -> Self {
        Judge {
            all,
            fuel: FUEL,
            grown: 0,
        }
    }

    /// Whether the first particle restricts the second.
    pub(crate) fn restricts(&mut self, ours: ParticleId, base: ParticleId) -> Verdict {
        let ours = self.top(ours)?;
        let base = self.top(base)?;
        match (ours, base) {
            (None, None) => Ok(()),
            (None, Some(base)) if self.emptiable(&base) => Ok(()),
            (None, Some(_)) => Err("the base requires elements".to_owned()),
            (Some(_), None) => Err("the base has no elements".to_owned()),
            (Some(ours), Some(base)) => self.compare(&ours, &base),
        }
    }

    fn top(&mut self, id: ParticleId) -> Result<Option<Part>, String> {
        let mut parts = self.grow(id, None, 0)?;
        Ok(if parts.len() == 1 {
            parts.pop()
        } else if parts.is_empty() {
            None
        } else {
            Some(Part {
                min: 1,
                max: 1,
                term: PartTerm::Model(Compositor::Sequence, parts),
            })
        })
    }

    /// The particle without pointless groups: none, itself, or the members it dissolves into.
    fn grow(
        &mut self,
        id: ParticleId,
        inside: Option<Compositor>,
        depth: u32,
    ) -> Result<Vec<Part>, String> {
        self.grown += 1;
        if self.grown > MOST_PARTICLES || depth > DEEPEST {
            return Err("the content model is too large to compare".to_owned());
        }
        let particle = self.all.particle(id);
        let (min, max) = (particle.min, particle.max);
        let (compositor, members) = match &particle.term {
            Term::Element(element) => return Ok(vec![self.element(*element, min, max)]),
            Term::Wildcard(wildcard) => {
                return Ok(vec![Part {
                    min,
                    max,
                    term: PartTerm::Wild(wildcard.clone()),
                }]);
            }
            Term::Model(compositor, members) => (*compositor, members.clone()),
            Term::Group(group) => {
                match &self.all.particle(self.all.groups[group.at()].particle).term {
                    Term::Model(compositor, members) => (*compositor, members.clone()),
                    _ => return Ok(Vec::new()),
                }
            }
        };
        let mut parts = Vec::new();
        for member in &members {
            parts.extend(self.grow(*member, Some(compositor), depth + 1)?);
        }
        if members.is_empty() && (compositor != Compositor::Choice || min == 0) {
            return Ok(Vec::new());
        }
        if parts.is_empty() && compositor != Compositor::Choice {
            return Ok(Vec::new());
        }
        let once = (min, max) == (1, 1);
        let dissolves = once
            && (parts.len() == 1 || (inside == Some(compositor) && compositor != Compositor::All));
        if dissolves {
            return Ok(parts);
        }
        Ok(vec![Part {
            min,
            max,
            term: PartTerm::Model(compositor, parts),
        }])
    }

    /// A head of a substitution group is a choice of its members.
    fn element(&self, element: ElementId, min: u32, max: u32) -> Part {
        match self.all.members.get(&element) {
            Some(members) if self.all.element(element).global => {
                let one = |element| Part {
                    min: 1,
                    max: 1,
                    term: PartTerm::Element(element),
                };
                let parts = std::iter::once(element)
                    .chain(members.iter().copied())
                    .map(one)
                    .collect();
                Part {
                    min,
                    max,
                    term: PartTerm::Model(Compositor::Choice, parts),
                }
            }
            _ => Part {
                min,
                max,
                term: PartTerm::Element(element),
            },
        }
    }

    fn compare(&mut self, ours: &Part, base: &Part) -> Verdict {
        if self.fuel == 0 {
            return Err("the content models are too large to compare".to_owned());
        }
        self.fuel -= 1;
        use Compositor::{All, Choice, Sequence};
        use PartTerm::{Element, Model, Wild};
        match (&ours.term, &base.term) {
            (Element(own), Element(theirs)) => {
                self.ranges(ours, base)?;
                self.name_and_type(*own, *theirs)
            }
            (Element(own), Wild(wildcard)) => {
                self.ranges(ours, base)?;
                self.admits(wildcard, *own)
            }
            (Element(_), Model(compositor, _)) => {
                let group = Part {
                    min: 1,
                    max: 1,
                    term: Model(*compositor, vec![ours.clone()]),
                };
                self.compare(&group, base)
            }
            (Wild(own), Wild(theirs)) => {
                self.ranges(ours, base)?;
                self.narrower(own, theirs)
            }
            (Model(compositor, _), Element(_)) => Err(format!(
                "{} stands where the base has {}",
                title(*compositor),
                self.show(base)
            )),
            (Wild(_), _) => Err("a wildcard stands where the base has none".to_owned()),
            (Model(_, members), Wild(_)) => {
                let anywhere = Part {
                    min: 0,
                    max: UNBOUNDED,
                    term: base.term.clone(),
                };
                for member in members {
                    self.compare(member, &anywhere)?;
                }
                let (min, max) = self.total(ours);
                range(min, max, base)
            }
            (Model(All, own), Model(All, theirs))
            | (Model(Sequence, own), Model(Sequence, theirs)) => {
                self.ranges(ours, base)?;
                self.in_order(own, theirs, true)
            }
            (Model(Choice, own), Model(Choice, theirs)) => {
                self.ranges(ours, base)?;
                self.in_order(own, theirs, false)
            }
            (Model(Sequence, own), Model(All, theirs)) => {
                self.ranges(ours, base)?;
                self.any_order(own, theirs)
            }
            (Model(Sequence, own), Model(Choice, theirs)) => {
                for member in own {
                    let fits = theirs.iter().any(|each| self.compare(member, each).is_ok());
                    if !fits {
                        return Err(format!(
                            "{} fits no branch of the base's choice",
                            self.show(member)
                        ));
                    }
                }
                let count = own.len() as u64;
                range(times(ours.min, count), times(ours.max, count), base)
            }
            (Model(own, _), Model(theirs, _)) => Err(format!(
                "{} cannot restrict {}",
                title(*own),
                title(*theirs)
            )),
        }
    }

    fn ranges(&self, ours: &Part, base: &Part) -> Verdict {
        range(ours.min, ours.max, base).map_err(|why| format!("{} {why}", self.show(ours)))
    }

    /// rcase-NameAndTypeOK.
    fn name_and_type(&self, ours: ElementId, base: ElementId) -> Verdict {
        if ours == base {
            return Ok(());
        }
        let (own, theirs) = (self.all.element(ours), self.all.element(base));
        let name = self.all.names.show(own.name);
        if own.name != theirs.name {
            return Err(format!(
                "{name} stands where the base has {}",
                self.all.names.show(theirs.name)
            ));
        }
        if own.nillable && !theirs.nillable {
            return Err(format!("{name} is nillable, and not so in the base"));
        }
        if let Some(fixed) = theirs.value.as_ref().filter(|value| value.fixed) {
            let same = own.value.as_ref().is_some_and(|value| {
                value.fixed
                    && if fixed.value.is_some() {
                        value.value == fixed.value
                    } else {
                        value.text == fixed.text
                    }
            });
            if !same {
                return Err(format!("the base fixes {name} to \"{}\"", fixed.text));
            }
        }
        if !own
            .identities
            .iter()
            .all(|identity| theirs.identities.contains(identity))
        {
            return Err(format!(
                "{name} has identity constraints that the base does not have"
            ));
        }
        if own.block.0 & theirs.block.0 != theirs.block.0 {
            return Err(format!("{name} blocks less than in the base"));
        }
        if !self.all.derives(own.ty, theirs.ty, Derivations::EXTENSION) {
            return Err(format!(
                "the type of {name} does not restrict its type in the base"
            ));
        }
        Ok(())
    }

    fn admits(&self, wildcard: &Wildcard, element: ElementId) -> Verdict {
        let name = self.all.element(element).name;
        if wildcard.spaces.admit(Some(self.all.names.space_of(name))) {
            return Ok(());
        }
        Err(format!(
            "the base's wildcard does not admit {}",
            self.all.names.show(name)
        ))
    }

    fn narrower(&self, ours: &Wildcard, base: &Wildcard) -> Verdict {
        if !ours.spaces.within(&base.spaces) {
            return Err("the wildcard admits namespaces that the base's does not".to_owned());
        }
        if ours.process < base.process && base.place != Place::BUILT_IN {
            return Err("the wildcard checks less than the base's".to_owned());
        }
        Ok(())
    }

    /// rcase-Recurse and, without demands on what is left over, rcase-RecurseLax.
    fn in_order(&mut self, own: &[Part], base: &[Part], rest_optional: bool) -> Verdict {
        let mut rest = base.iter();
        for member in own {
            let mut first_why = None;
            loop {
                let Some(each) = rest.next() else {
                    return Err(first_why.unwrap_or_else(|| {
                        format!("the base has no place for {}", self.show(member))
                    }));
                };
                match self.compare(member, each) {
                    Ok(()) => break,
                    Err(why) => {
                        if rest_optional && !self.emptiable(each) {
                            return Err(why);
                        }
                        first_why.get_or_insert(why);
                    }
                }
            }
        }
        if rest_optional && let Some(left) = rest.find(|each| !self.emptiable(each)) {
            return Err(format!(
                "{}, which the base requires, is missing",
                self.show(left)
            ));
        }
        Ok(())
    }

    /// rcase-RecurseUnordered.
    fn any_order(&mut self, own: &[Part], base: &[Part]) -> Verdict {
        let mut used = vec![false; base.len()];
        for member in own {
            let mut found = false;
            for (each, used) in base.iter().zip(&mut used) {
                if !*used && self.compare(member, each).is_ok() {
                    *used = true;
                    found = true;
                    break;
                }
            }
            if !found {
                return Err(format!("the base has no place for {}", self.show(member)));
            }
        }
        for (each, used) in base.iter().zip(used) {
            if !used && !self.emptiable(each) {
                return Err(format!(
                    "{}, which the base requires, is missing",
                    self.show(each)
                ));
            }
        }
        Ok(())
    }

    fn emptiable(&self, part: &Part) -> bool {
        part.min == 0 || self.total(part).0 == 0
    }

    /// Effective Total Range (3.8.6).
    fn total(&self, part: &Part) -> (u32, u32) {
        let PartTerm::Model(compositor, members) = &part.term else {
            return (part.min, part.max);
        };
        let totals = members.iter().map(|member| self.total(member));
        let (min, max) = match compositor {
            Compositor::Choice => totals
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
                .unwrap_or((0, 0)),
            _ => totals.fold((0_u32, 0_u32), |a, b| {
                (a.0.saturating_add(b.0), a.1.saturating_add(b.1))
            }),
        };
        let max = if max == 0 {
            0
        } else {
            times(part.max, u64::from(max))
        };
        (times(part.min, u64::from(min)), max)
    }

    fn show(&self, part: &Part) -> String {
        match &part.term {
            PartTerm::Element(element) => self.all.names.show(self.all.element(*element).name),
            PartTerm::Wild(_) => "a wildcard".to_owned(),
            PartTerm::Model(compositor, _) => title(*compositor).to_owned(),
        }
    }
}

fn title(compositor: Compositor) -> &'static str {
    match compositor {
        Compositor::Sequence => "a sequence",
        Compositor::Choice => "a choice",
        Compositor::All => "an xs:all",
    }
}

fn times(number: u32, factor: u64) -> u32 {
    if number == UNBOUNDED || factor >= u64::from(UNBOUNDED) {
        return if factor == 0 || number == 0 {
            0
        } else {
            UNBOUNDED
        };
    }
    u32::try_from(u64::from(number) * factor).unwrap_or(UNBOUNDED)
}

/// Occurrence Range OK.
fn range(min: u32, max: u32, base: &Part) -> Verdict {
    if min < base.min {
        return Err(format!(
            "may occur {min} times, in the base at least {}",
            base.min
        ));
    }
    if max > base.max {
        let max = if max == UNBOUNDED {
            "any number of".to_owned()
        } else {
            max.to_string()
        };
        return Err(format!(
            "may occur {max} times, in the base at most {}",
            base.max
        ));
    }
    Ok(())
}
