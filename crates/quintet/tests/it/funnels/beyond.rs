//! What funnels can do beyond PostHog's: conversions after the range, those who still have time, and how close is at once.

use serde_json::{Value, json};

use super::column;
use super::story::{Story, Told};

/// Each is the only one of the company of its name.
async fn signed_up_and_paid() -> Story {
    let days = [
        ("quick", "sign up", "01"),
        ("quick", "pay", "03"),
        ("late", "sign up", "06"),
        ("late", "pay", "09"),
        ("too late", "sign up", "06"),
        ("too late", "pay", "13"),
        ("never", "sign up", "01"),
        ("next", "sign up", "08"),
        ("next", "pay", "09"),
    ];
    let told = |(who, event, at)| -> Told<'_> { (who, who, event, at, json!({})) };
    Story::told(days.map(told)).await
}

/// Of the first week of March, by person and by company, within five days.
fn funnels(filter: Value) -> [Value; 2] {
    let mut funnel = json!({
        "kind": "FunnelsQuery", "dateRange": {"date_from": "2024-03-01", "date_to": "2024-03-07"},
        "series": [{"kind": "EventsNode", "event": "sign up"}, {"kind": "EventsNode", "event": "pay"}],
        "funnelsFilter": filter,
    });
    funnel["funnelsFilter"]["funnelWindowInterval"] = 5.into();
    let mut by_company = funnel.clone();
    by_company["aggregation_group_type_index"] = 0.into();
    [funnel, by_company]
}

const LOST: i64 = -2;

#[tokio::test]
async fn those_who_finish_after_the_range_are_lost_unless_it_is_allowed() {
    let story = signed_up_and_paid().await;
    for funnel in funnels(json!({})) {
        assert_eq!(story.counts(&funnel).await, [4, 1]);
        let lost = story.who(&funnel, json!({"funnelStep": LOST}), "20").await;
        assert_eq!(lost, ["late", "never", "too late"]);
    }
    for funnel in funnels(json!({"funnelCompleteAfterDateRange": true})) {
        assert_eq!(
            story.counts(&funnel).await,
            [4, 2],
            "nobody enters after the range"
        );
        let converted = story.who(&funnel, json!({"funnelStep": 2}), "20").await;
        assert_eq!(converted, ["late", "quick"]);
        let lost = story.who(&funnel, json!({"funnelStep": LOST}), "20").await;
        assert_eq!(lost, ["never", "too late"]);
    }
}

#[tokio::test]
async fn an_unordered_funnel_and_a_trend_may_finish_after_the_range_too() {
    let story = signed_up_and_paid().await;
    let allowed = json!({"funnelCompleteAfterDateRange": true});
    for mut funnel in funnels(allowed.clone()) {
        funnel["funnelsFilter"]["funnelOrderType"] = "unordered".into();
        assert_eq!(story.counts(&funnel).await, [4, 2]);
    }
    for (filter, rates) in [
        (json!({}), json!([50, 0, 0, 0, 0, 0, 0])),
        (allowed, json!([50, 0, 0, 0, 0, 50, 0])),
    ] {
        for mut funnel in funnels(filter.clone()) {
            funnel["funnelsFilter"]["funnelVizType"] = "trends".into();
            let trend = story.ask(&funnel, "20").await;
            let found: Vec<f64> = serde_json::from_value(trend[0]["data"].clone()).expect("rates");
            let rates: Vec<f64> = serde_json::from_value(rates.clone()).expect("rates");
            assert_eq!(found, rates);
        }
    }
}

#[tokio::test]
async fn those_who_still_have_time_are_told_apart_if_asked_for() {
    let story = signed_up_and_paid().await;
    for funnel in funnels(json!({})) {
        let rows = story.ask(&funnel, "20").await;
        assert!(rows[0].get("pending").is_none(), "nobody asked: {rows}");
    }
    // What comes after the range is not seen, so that whoever signed up on the 6th may still pay for all we know.
    for funnel in funnels(json!({"funnelShowPending": true})) {
        let rows = story.ask(&funnel, "20").await;
        assert_eq!(column(&rows, "count"), [4, 1]);
        assert_eq!(column(&rows, "pending"), [2, 0]);
        let pending = json!({"funnelStep": LOST, "funnelPending": true});
        let pending = story.who(&funnel, pending, "20").await;
        assert_eq!(pending, ["late", "too late"]);
        let lost = story.who(&funnel, json!({"funnelStep": LOST}), "20").await;
        assert_eq!(lost, ["never"]);
    }
}

#[tokio::test]
async fn with_conversions_after_the_range_time_runs_until_today() {
    let story = signed_up_and_paid().await;
    let both = json!({"funnelCompleteAfterDateRange": true, "funnelShowPending": true});
    for funnel in funnels(both) {
        let rows = story.ask(&funnel, "10").await;
        assert_eq!(column(&rows, "count"), [4, 2]);
        assert_eq!(
            column(&rows, "pending"),
            [1, 0],
            "until the 11th one may still pay"
        );
        let pending = json!({"funnelStep": LOST, "funnelPending": true});
        let pending = story.who(&funnel, pending, "10").await;
        assert_eq!(pending, ["too late"]);
        let rows = story.ask(&funnel, "20").await;
        assert_eq!(column(&rows, "pending"), [0, 0]);
        let lost = story.who(&funnel, json!({"funnelStep": LOST}), "20").await;
        assert_eq!(lost, ["never", "too late"]);
    }
}

#[tokio::test]
async fn how_close_is_at_once_can_be_chosen() {
    let told = [("pay", "02T10:00:00.000"), ("sign up", "02T10:00:00.030")];
    let told = told.map(|(event, at)| ("ann", "acme", event, at, json!({})));
    let story = Story::told(told).await;
    for (length, counts) in [
        (None, vec![1, 1]),
        (Some(0), vec![1, 0]),
        (Some(29), vec![1, 0]),
        (Some(30), vec![1, 1]),
    ] {
        for funnel in funnels(json!({"simultaneityWindowMs": length})) {
            assert_eq!(story.counts(&funnel).await, counts, "{length:?} ms");
        }
    }
}
