//! A breakdown by cohorts takes one plan per cohort, everything else one in all.

use std::sync::Arc;

use quintet_behavior::funnel;
use quintet_query::breakdown::Breakdown;
use quintet_query::filter::{Cohort, Filter, PropertySource};
use quintet_query::funnels::{Attribution, Funnels};
use quintet_query::series::Actor;

/// The value of an event whose person is a member, where that has to be told.
pub(super) const MEMBER: &str = "member";

/// A part of a funnel that is answered by a plan of its own.
pub(super) struct Slice<'a> {
    funnels: &'a Funnels,
    /// Whose events make it up.
    pub(super) members: Filter,
    /// All other events are left out. Otherwise they count for actors that have an event of a member.
    pub(super) only_members: bool,
    /// The position of the cohort, which then is the breakdown's value.
    position: Option<usize>,
}

/// The slices of a funnel. One cohort alone is shown beside the rest.
pub(super) fn slices(funnels: &Funnels) -> Vec<Slice<'_>> {
    let slice = |position: Option<usize>, members: Filter| Slice {
        funnels,
        members,
        only_members: funnels.actor == Actor::Person
            || funnels.attribution == Attribution::AllEvents,
        position,
    };
    let of = |cohort: &Arc<Cohort>, negated| Filter::Cohort {
        cohort: Arc::clone(cohort),
        negated,
    };
    match &funnels.breakdown {
        Some(Breakdown::Cohorts(cohorts)) => match cohorts.as_slice() {
            [Some(only)] => vec![
                slice(Some(0), of(only, false)),
                slice(Some(1), of(only, true)),
            ],
            _ => {
                let members = |cohort: &Option<Arc<Cohort>>| match cohort {
                    Some(cohort) => of(cohort, false),
                    None => Filter::always(),
                };
                let all = cohorts.iter().enumerate();
                all.map(|(position, cohort)| slice(Some(position), members(cohort)))
                    .collect()
            }
        },
        _ => vec![Slice {
            only_members: false,
            ..slice(None, Filter::always())
        }],
    }
}

impl Slice<'_> {
    /// Which of the values that events carry an actor counts under.
    pub(super) fn attribution(&self) -> funnel::Attribution {
        match (&self.funnels.breakdown, self.funnels.attribution) {
            (None, _) => funnel::Attribution::None,
            (Some(Breakdown::Cohorts(_)), _) if self.only_members => funnel::Attribution::None,
            (Some(_), Attribution::Step(step)) => funnel::Attribution::Step(step),
            (Some(Breakdown::Cohorts(_)), _) => funnel::Attribution::AnyEvent,
            (Some(_), Attribution::FirstTouch) => funnel::Attribution::FirstTouch,
            (Some(_), Attribution::LastTouch) => funnel::Attribution::LastTouch,
            (Some(_), Attribution::AllEvents) => funnel::Attribution::AllEvents,
        }
    }

    /// The value that no touch takes. A group's property is taken as it is, even where it is missing.
    pub(super) fn empty(&self) -> Option<String> {
        match &self.funnels.breakdown {
            Some(Breakdown::Properties { parts, .. }) => match parts.as_slice() {
                [part] if matches!(part.property.source, PropertySource::Group(_)) => None,
                [_] => Some(String::new()),
                parts => Some(serde_json::json!(vec![""; parts.len()]).to_string()),
            },
            Some(Breakdown::Cohorts(_)) => Some(String::new()),
            None => None,
        }
    }

    /// The breakdown value that the text of a run stands for; `None` where it stands for nobody.
    pub(super) fn value(&self, text: &str) -> Option<Vec<String>> {
        match (&self.funnels.breakdown, self.position) {
            (_, Some(position)) => {
                (self.only_members || text == MEMBER).then(|| vec![position.to_string()])
            }
            (Some(Breakdown::Properties { parts, .. }), None) if parts.len() > 1 => {
                serde_json::from_str(text).ok()
            }
            (Some(_), None) => Some(vec![text.to_owned()]),
            (None, None) => Some(Vec::new()),
        }
    }
}
