use super::*;
use crate::filter::Operator;
use crate::funnels::Funnels;
use crate::series::{ActionsNode, EventsNode};
use crate::testing::at;

fn of(steps: &[&str]) -> FunnelsQuery {
    let add = |query: FunnelsQuery, step: &&str| query.series(EventsNode::new(*step));
    steps.iter().fold(FunnelsQuery::new(), add)
}

fn abc() -> FunnelsQuery {
    of(&["a", "b", "c"])
}

fn resolve(query: &FunnelsQuery) -> Result<Funnels> {
    query.resolve(&at("2024-03-15T12:00:00Z"))
}

fn refused(query: FunnelsQuery) -> String {
    resolve(&query).unwrap_err().to_string()
}

fn on_mac(event: &str) -> SeriesNode {
    EventsNode::new(event).filter(PropertyNode::event("os", Operator::Exact, "mac"))
}

#[test]
fn a_funnel_has_two_to_thirty_two_steps() {
    assert_eq!(
        refused(of(&["a"])),
        "series: Funnels require at least two steps."
    );
    assert!(resolve(&of(&["a"; 32])).is_ok());
    assert_eq!(
        refused(of(&["a"; 33])),
        "series: Funnels support up to 32 steps."
    );
}

#[test]
fn trends_take_more_steps() {
    assert!(resolve(&of(&["a"; 64]).viz(VizType::Trends)).is_ok());
    assert!(resolve(&of(&["a"; 65]).viz(VizType::Trends)).is_err());
}

#[test]
fn a_group_of_nodes_holds_one_at_least() {
    let error = refused(of(&["a"]).series(StepNode::any([])));
    assert!(error.starts_with("series[1].nodes: "));
}

#[test]
fn the_range_of_steps_lies_in_the_funnel_whatever_is_shown() {
    let range = |from, to| FunnelsQuery {
        from_step: from,
        to_step: to,
        ..abc()
    };
    assert!(
        refused(range(Some(2), None))
            .contains("funnelFromStep is out of bounds. It must be between 0 and 1.")
    );
    assert!(
        refused(range(None, Some(0)))
            .contains("funnelToStep is out of bounds. It must be between 1 and 2.")
    );
    assert!(
        refused(range(None, Some(3)))
            .contains("funnelToStep is out of bounds. It must be between 1 and 2.")
    );
    assert!(refused(range(Some(1), Some(1))).contains("Funnel step range is invalid."));
    assert!(resolve(&range(Some(1), Some(2))).is_ok());
}

#[test]
fn an_exclusion_lies_between_two_steps() {
    let excluding = |from, to| abc().exclusion(EventsNode::new("x"), from, to);
    assert!(resolve(&excluding(0, 2)).is_ok());
    assert!(refused(excluding(1, 1)).contains("End of range should be greater than start."));
    assert!(refused(excluding(2, 3)).contains("Start of range is greater than number of steps."));
    assert!(refused(excluding(1, 3)).contains("End of range is greater than number of steps."));
    assert!(
        refused(excluding(0, usize::MAX)).contains("End of range is greater than number of steps.")
    );
}

#[test]
fn an_exclusion_of_an_unordered_funnel_spans_all_of_it() {
    let excluding = |to| {
        abc()
            .order(Order::Unordered)
            .exclusion(EventsNode::new("x"), 0, to)
    };
    assert!(refused(excluding(1)).contains("Partial exclusions are not allowed"));
    assert!(resolve(&excluding(2)).is_ok());
}

#[test]
fn an_exclusion_is_no_step_of_its_range() {
    let excluding = |event, from, to| abc().exclusion(EventsNode::new(event), from, to);
    for (event, from, to) in [("a", 0, 1), ("b", 0, 1), ("b", 0, 2), ("c", 1, 2)] {
        assert!(
            refused(excluding(event, from, to)).contains("part of funnel steps"),
            "{event} {from} {to}"
        );
    }
    assert!(resolve(&excluding("a", 1, 2)).is_ok());
    assert!(resolve(&excluding("c", 0, 1)).is_ok());
}

#[test]
fn an_exclusion_may_be_broader_than_a_step_but_not_narrower() {
    let narrow_step = of(&["a"]).series(on_mac("b"));
    assert!(resolve(&narrow_step.clone().exclusion(EventsNode::new("b"), 0, 1)).is_ok());
    assert!(resolve(&narrow_step.clone().exclusion(on_mac("b"), 0, 1)).is_err());
    assert!(resolve(&of(&["a", "b"]).exclusion(on_mac("b"), 0, 1)).is_err());
    assert!(resolve(&narrow_step.exclusion(ActionsNode::new(1), 0, 1)).is_err());
}

#[test]
fn an_exclusion_is_no_part_of_a_group_of_nodes() {
    let looks = StepNode::any([EventsNode::new("x"), on_mac("y")]);
    let query = of(&["a"]).series(looks);
    assert!(resolve(&query.clone().exclusion(EventsNode::new("x"), 0, 1)).is_err());
    assert!(resolve(&query.exclusion(EventsNode::new("y"), 0, 1)).is_ok());
}

#[test]
fn optional_steps_need_an_order_and_steps() {
    let optional = of(&["a"])
        .series(EventsNode::new("b").optional())
        .series(EventsNode::new("c"));
    for fine in [
        optional.clone(),
        optional.clone().order(Order::Strict),
        optional.clone().viz(VizType::Flow),
    ] {
        assert!(resolve(&fine).is_ok());
    }
    for wrong in [
        optional.clone().order(Order::Unordered),
        optional.clone().viz(VizType::Trends),
        optional.viz(VizType::TimeToConvert),
    ] {
        assert!(
            refused(wrong).starts_with(
                "series[1].optionalInFunnel: Optional funnel steps are only supported"
            )
        );
    }
}

#[test]
fn the_first_step_is_not_optional() {
    let query = FunnelsQuery::new().series(EventsNode::new("a").optional());
    let error = refused(query.series(EventsNode::new("b")));
    assert!(error.contains("The first step of a funnel cannot be optional."));
}

#[test]
fn an_optional_step_is_not_the_required_one_after_it() {
    let optional =
        |step: SeriesNode, next: StepNode| of(&["a"]).series(step.optional()).series(next);
    let same = "An optional step cannot be the same as the following required step.";
    assert!(refused(optional(EventsNode::new("b"), EventsNode::new("b").into())).contains(same));
    assert!(refused(optional(on_mac("b"), EventsNode::new("b").into())).contains(same));
    assert!(resolve(&optional(EventsNode::new("b"), on_mac("b").into())).is_ok());
    assert!(
        resolve(&optional(
            EventsNode::new("b"),
            EventsNode::new("b").optional()
        ))
        .is_ok()
    );
}

#[test]
fn unordered_funnels_attribute_to_their_first_step_only() {
    let attributed = |step| {
        abc()
            .order(Order::Unordered)
            .attribution(Attribution::Step(step))
    };
    assert!(resolve(&attributed(0)).is_ok());
    assert!(
        refused(attributed(1))
            .contains("Only the first step can be used for breakdown attribution")
    );
}

#[test]
fn actions_must_exist() {
    let error = refused(of(&["a"]).series(ActionsNode::new(666)));
    assert!(error.starts_with("series[1].id: Action ID 666 does not exist"));
}

#[test]
fn those_still_on_their_way_are_shown_by_step() {
    assert!(resolve(&abc().show_pending()).is_ok());
    assert!(
        refused(abc().show_pending().viz(VizType::Trends))
            .starts_with("funnelsFilter.funnelShowPending")
    );
}
