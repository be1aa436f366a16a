//! Constraints on finished types that need all other types to be finished: content of restrictions against the
//! content of their bases (Part 1, 3.4.6 derivation-ok-restriction 5, and redefined groups).

mod particle;

use crate::component::*;
use crate::load::register::Reader;

pub(crate) use particle::Judge;

impl Reader<'_, '_, '_> {
    /// Checks every complex restriction and every redefined group.
    pub(crate) fn check_derivations(&mut self) {
        for index in 0..self.all.types.len() {
            let ty = &self.all.types[index];
            if ty.method != Derivations::RESTRICTION
                || ty.place.source == u32::MAX
                || ty.base == ANY_TYPE
            {
                continue;
            }
            if let Err((code, message)) = restricts(&self.all, ty) {
                self.errors.push(ty.place, code, message);
            }
        }
        for (new, old, place) in std::mem::take(&mut self.redefined_groups) {
            let (ours, theirs) = (
                self.all.groups[new.at()].particle,
                self.all.groups[old.at()].particle,
            );
            if let Err(why) = Judge::new(&self.all).restricts(ours, theirs) {
                self.errors.push(place, "src-redefine.6.2.2", why);
            }
        }
    }
}

fn restricts(all: &Components, ty: &Type) -> Result<(), (&'static str, String)> {
    let (Kind::Complex(own), Some(base)) = (&ty.kind, all.complex(ty.base)) else {
        return Ok(());
    };
    let name = all.show_type(ty.base);
    let fail = |code, message: String| Err((code, message));
    match (&own.content, &base.content) {
        (Content::Simple(_), _) => Ok(()),
        (Content::Empty, Content::Empty) => Ok(()),
        (Content::Empty, Content::Elements { particle, .. })
            if all.particle_emptiable(*particle) =>
        {
            Ok(())
        }
        (Content::Empty, _) => fail(
            "derivation-ok-restriction.5.2.2",
            format!("the content is empty, and that of {name} cannot be"),
        ),
        (Content::Elements { mixed: true, .. }, Content::Elements { mixed: false, .. }) => fail(
            "derivation-ok-restriction.5.4.1.2",
            format!("the content is mixed, and that of {name} is not"),
        ),
        (
            Content::Elements { particle, .. },
            Content::Elements {
                particle: base_particle,
                ..
            },
        ) => match (particle, base_particle) {
            (None, base) if all.particle_emptiable(*base) => Ok(()),
            (None, _) => fail(
                "derivation-ok-restriction.5.2.2",
                format!("the content is empty, and that of {name} cannot be"),
            ),
            (Some(particle), None) if all.matches_only_nothing(*particle) => Ok(()),
            (Some(_), None) => fail(
                "derivation-ok-restriction.5.3.2",
                format!("there are elements, and {name} has none"),
            ),
            (Some(particle), Some(base)) => {
                Judge::new(all).restricts(*particle, *base).map_err(|why| {
                    (
                        "derivation-ok-restriction.5.4.2",
                        format!("the content does not restrict that of {name}: {why}"),
                    )
                })
            }
        },
        (Content::Elements { mixed: true, .. }, Content::Empty) => fail(
            "derivation-ok-restriction.5.3.2",
            format!("the content is mixed, and that of {name} is empty"),
        ),
        (Content::Elements { particle: None, .. }, Content::Empty) => Ok(()),
        (Content::Elements { .. }, _) => fail(
            "derivation-ok-restriction.5.3.2",
            format!("there are elements, and {name} has none"),
        ),
    }
}

impl Components {
    fn matches_only_nothing(&self, particle: ParticleId) -> bool {
        match &self.particle(particle).term {
            Term::Model(_, members) => members.is_empty(),
            _ => false,
        }
    }
}
