//! Random funnels: as definitions that the engine reads, and as plain Rust marks events by them.

use quintet_behavior::funnel::{Attribution, Funnel, Order, Periods};
use serde_json::{Value, json};

use super::history::{DAY, EXCLUDED, Event, HOUR, MINUTE, OTHER, SECOND, START, STEPS};
use super::random::Random;

/// The range of every funnel, in microseconds, both inclusive.
const FROM: i64 = START + 2 * DAY + 6 * HOUR;
const TO: i64 = START + 7 * DAY + 18 * HOUR;

/// A funnel that somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    steps: Vec<Step>,
    exclusions: Vec<Exclusion>,
    order: Order,
    pub(super) who: Who,
    /// Number, unit and microseconds.
    window: (i64, &'static str, i64),
    simultaneity_ms: Option<i64>,
    pub(super) breakdown: Option<Breakdown>,
    attribution: Attribution,
    pub(super) trends: Option<Trends>,
    completes_after_range: bool,
    /// Only events of at most this amount.
    most: Option<usize>,
}

#[derive(Debug, Clone)]
struct Step {
    /// One of these.
    names: Vec<&'static str>,
    /// Of at least this amount.
    least: Option<usize>,
    first_time: bool,
    optional: bool,
}

#[derive(Debug, Clone, Copy)]
struct Exclusion {
    /// Any event of at least this amount, steps too; the excluded one without.
    least: Option<usize>,
    from: usize,
    to: usize,
}

/// Whose path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Person,
    Project,
    Company,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breakdown {
    Plan,
    PlanAndSource,
    Tier,
    Size,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Trends {
    pub(super) by_hour: bool,
    from: usize,
    to: usize,
}

impl Asked {
    /// The funnel of this number. Orders and actors take turns, and every third nine is shown as trends.
    pub(super) fn random(number: usize, random: &mut Random) -> Self {
        let order = [Order::Ordered, Order::Strict, Order::Unordered][number % 3];
        let shows_trends = number / 9 % 3 == 2;
        let count = 2 + random.below(4);
        let steps = steps(random, count, order != Order::Unordered && !shows_trends);
        let breakdown = (!random.one_in(3)).then(|| {
            random.pick(&[
                Breakdown::Plan,
                Breakdown::PlanAndSource,
                Breakdown::Tier,
                Breakdown::Size,
            ])
        });
        Self {
            exclusions: exclusions(random, count, order),
            order,
            who: [Who::Person, Who::Company, Who::Project][number / 3 % 3],
            window: random.pick(&[
                (2, "second", 2 * SECOND),
                (5, "second", 5 * SECOND),
                (1, "minute", MINUTE),
                (2, "hour", 2 * HOUR),
                (3, "day", 3 * DAY),
                (2, "week", 14 * DAY),
            ]),
            simultaneity_ms: random.pick(&[None, None, Some(0), Some(1_000)]),
            breakdown,
            attribution: match breakdown {
                Some(_) => attribution(random, count, order),
                None => Attribution::None,
            },
            trends: shows_trends.then(|| {
                let to = 1 + random.below(count - 1);
                Trends {
                    by_hour: random.one_in(2),
                    from: random.below(to),
                    to,
                }
            }),
            completes_after_range: random.one_in(3),
            most: random.one_in(4).then_some(80),
            steps,
        }
    }

    pub(super) fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Positions of the steps that may not be left out.
    pub(super) fn required(&self) -> Vec<usize> {
        (0..self.steps.len())
            .filter(|position| !self.steps[*position].optional)
            .collect()
    }

    /// As the engine reads it.
    pub(super) fn definition(&self) -> Value {
        let mut funnels_filter = json!({
            "funnelOrderType": self.order, "funnelVizType": if self.trends.is_some() { "trends" } else { "steps" },
            "funnelWindowInterval": self.window.0, "funnelWindowIntervalUnit": self.window.1,
            "exclusions": self.exclusions.iter().map(Exclusion::definition).collect::<Vec<_>>(),
            "funnelCompleteAfterDateRange": self.completes_after_range,
        });
        if let Some(length) = self.simultaneity_ms {
            funnels_filter["simultaneityWindowMs"] = length.into();
        }
        let kind = match self.attribution {
            Attribution::LastTouch => "last_touch",
            Attribution::AllEvents => "all_events",
            Attribution::Step(step) => {
                funnels_filter["breakdownAttributionValue"] = step.into();
                "step"
            }
            _ => "first_touch",
        };
        funnels_filter["breakdownAttributionType"] = kind.into();
        let mut definition = json!({
            "kind": "FunnelsQuery", "series": self.steps.iter().map(Step::definition).collect::<Vec<_>>(),
            "dateRange": {"date_from": "2024-03-03 06:00:00", "date_to": "2024-03-08 18:00:00", "explicitDate": true},
            "properties": self.most.iter().map(|most| amount("lte", *most)).collect::<Vec<_>>(),
            "breakdownFilter": self.breakdown.map(Breakdown::definition),
        });
        if let Some(index) = self.who.group_type_index() {
            definition["aggregation_group_type_index"] = index.into();
        }
        if let Some(trends) = self.trends {
            funnels_filter["funnelFromStep"] = trends.from.into();
            funnels_filter["funnelToStep"] = trends.to.into();
            definition["interval"] = if trends.by_hour { "hour" } else { "day" }.into();
        }
        definition["funnelsFilter"] = funnels_filter;
        definition
    }

    /// As the oracle reads it.
    pub(super) fn funnel(&self) -> Funnel {
        let optional = self.steps.iter().enumerate();
        Funnel {
            steps: self.steps.len(),
            order: self.order,
            window: self.window.2,
            optional: optional.fold(0, |bits, (step, asked)| {
                bits | u64::from(asked.optional) << step
            }),
            simultaneity: self.simultaneity_ms.unwrap_or(50) * 1_000,
            attribution: self.attribution,
            entry_until: self.completes_after_range.then_some(TO),
        }
    }

    /// The periods of a trend: hours or days from midnight or the full hour before the range, as many as it touches.
    pub(super) fn periods(&self) -> Option<Periods> {
        self.trends.map(|Trends { by_hour, from, to }| {
            let length = if by_hour { HOUR } else { DAY };
            let first = FROM - (FROM - START) % length;
            let starts = (0..).map(|period| first + period * length);
            let mut edges: Vec<i64> = starts.take_while(|start| *start <= TO).collect();
            edges.push(edges.last().expect("a period") + length);
            Periods { edges, from, to }
        })
    }

    /// The actor of an event that takes part.
    pub(super) fn actor(&self, event: &Event) -> Option<usize> {
        let is_seen = FROM <= event.at && event.at <= self.last_seen();
        let passes = self.most.is_none_or(|most| event.amount <= most);
        let (steps, exclusions) = self.marks(event);
        let is_marked = self.order == Order::Strict || steps != 0 || exclusions != 0;
        let takes_part = is_seen && passes && is_marked;
        self.who.of(event).filter(|_| takes_part)
    }

    fn last_seen(&self) -> i64 {
        match self.completes_after_range {
            true => TO + self.window.2,
            false => TO,
        }
    }

    /// Bits of the steps that it meets, and of those that it must not come before.
    pub(super) fn marks(&self, event: &Event) -> (u64, u64) {
        let steps = self.steps.iter().enumerate();
        let met = steps.filter(|(_, step)| step.is_met(event));
        let hit = self.exclusions.iter().filter(|one| one.is_hit(event));
        let bits = |one: &Exclusion| (one.from + 1..=one.to).fold(0, |bits, step| bits | 1 << step);
        (
            met.fold(0, |bits, (step, _)| bits | 1 << step),
            hit.fold(0, |all, one| all | bits(one)),
        )
    }
}

fn steps(random: &mut Random, count: usize, may_skip: bool) -> Vec<Step> {
    let shift = random.below(STEPS.len());
    let repeats = random.one_in(2);
    let mut steps: Vec<Step> = (0..count)
        .map(|position| Step {
            names: vec![match repeats {
                true => random.pick(&STEPS[..3]),
                false => STEPS[(position + shift) % STEPS.len()],
            }],
            least: random.one_in(4).then(|| random.below(40)),
            first_time: random.one_in(12),
            optional: may_skip && !repeats && position > 0 && random.one_in(5),
        })
        .collect();
    if random.one_in(4) {
        let either = random.below(count);
        steps[either].names.push(OTHER);
    }
    steps
}

fn exclusions(random: &mut Random, count: usize, order: Order) -> Vec<Exclusion> {
    let many = random.pick(&[0, 0, 1, 2]);
    let mut exclusion = || {
        let from = random.below(count - 1);
        let to = from + 1 + random.below(count - 1 - from);
        let (from, to) = match order {
            Order::Unordered => (0, count - 1),
            _ => (from, to),
        };
        let least = random.one_in(2).then_some(90);
        Exclusion { least, from, to }
    };
    (0..many).map(|_| exclusion()).collect()
}

fn attribution(random: &mut Random, count: usize, order: Order) -> Attribution {
    let attributed = match order {
        Order::Unordered => 0,
        _ => random.below(count),
    };
    random.pick(&[
        Attribution::FirstTouch,
        Attribution::LastTouch,
        Attribution::AllEvents,
        Attribution::Step(attributed),
    ])
}

fn amount(operator: &str, value: usize) -> Value {
    json!({"type": "event", "key": "amount", "operator": operator, "value": value})
}

impl Step {
    fn is_met(&self, event: &Event) -> bool {
        self.names.contains(&event.name)
            && self.least.is_none_or(|least| event.amount >= least)
            && (!self.first_time || event.is_first)
    }

    fn definition(&self) -> Value {
        let filters: Vec<Value> = self
            .least
            .iter()
            .map(|least| amount("gte", *least))
            .collect();
        let node = |name: &&str| {
            let mut node = json!({"kind": "EventsNode", "event": name, "properties": filters});
            if self.first_time {
                node["math"] = "first_time_for_user".into();
            }
            node
        };
        let nodes: Vec<Value> = self.names.iter().map(node).collect();
        let mut step = match nodes.as_slice() {
            [only] => only.clone(),
            nodes => json!({"kind": "GroupNode", "operator": "OR", "nodes": nodes}),
        };
        step["optionalInFunnel"] = self.optional.into();
        step
    }
}

impl Exclusion {
    fn is_hit(&self, event: &Event) -> bool {
        match self.least {
            Some(least) => event.amount >= least,
            None => event.name == EXCLUDED,
        }
    }

    fn definition(&self) -> Value {
        let mut node =
            json!({"kind": "EventsNode", "funnelFromStep": self.from, "funnelToStep": self.to});
        match self.least {
            Some(least) => node["properties"] = json!([amount("gte", least)]),
            None => node["event"] = EXCLUDED.into(),
        }
        node
    }
}

impl Who {
    fn of(self, event: &Event) -> Option<usize> {
        match self {
            Self::Person => Some(event.person),
            Self::Project => event.project,
            Self::Company => event.company,
        }
    }

    fn group_type_index(self) -> Option<usize> {
        match self {
            Self::Person => None,
            Self::Project => Some(0),
            Self::Company => Some(1),
        }
    }
}

impl Breakdown {
    /// The value of an event, as runs carry it.
    pub(super) fn text(self, event: &Event) -> String {
        match self {
            Self::Plan => event.plan().to_owned(),
            Self::PlanAndSource => json!([event.plan(), event.source()]).to_string(),
            Self::Tier => event.tier().to_owned(),
            Self::Size => event.size().to_owned(),
        }
    }

    /// The value that no touch takes.
    pub(super) fn empty(self) -> Option<&'static str> {
        match self {
            Self::Plan | Self::Tier => Some(""),
            Self::PlanAndSource => Some(r#"["",""]"#),
            Self::Size => None,
        }
    }

    /// The value as rows show it.
    pub(super) fn shown(self, text: &str) -> Value {
        match self {
            Self::Plan | Self::Tier => json!([text]),
            Self::PlanAndSource => serde_json::from_str(text).expect("a list"),
            Self::Size => text.into(),
        }
    }

    fn definition(self) -> Value {
        let (kind, property) = match self {
            Self::Plan => ("event", json!("plan")),
            Self::PlanAndSource => ("event", json!(["plan", "source"])),
            Self::Tier => ("person", json!("tier")),
            Self::Size => ("group", json!("size")),
        };
        let mut filter =
            json!({"breakdown": property, "breakdown_type": kind, "breakdown_limit": 100});
        if self == Self::Size {
            filter["breakdown_group_type_index"] = Who::Company.group_type_index().into();
        }
        filter
    }
}
