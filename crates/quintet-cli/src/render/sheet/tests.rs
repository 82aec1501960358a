use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::{Look, csv, samples, table};
use super::*;

fn read(results: &Value, width: usize) -> String {
    let look = Look {
        width,
        colour: false,
    };
    table(&View::of(results), look)
}

fn computed(results: &Value) -> String {
    csv(&View::of(results))
}

#[test]
fn steps_have_shares_of_the_first_and_of_the_one_before() {
    assert_snapshot!(read(&samples::steps(), 80), @"
    step  name       count  of first  of previous  average time  median time
    ────  ─────────  ─────  ────────  ───────────  ────────────  ───────────
       1  signed_up     40      100%
       2  created       30       75%          75%       2 d 4 h      2 d 4 h
       3  paid          12       30%          40%     1 h 2 min    1 h 2 min
    ");
    assert_snapshot!(computed(&samples::steps()), @"
    step,name,count,of first (%),of previous (%),average time (s),median time (s)
    1,signed_up,40,100,,,
    2,created,30,75,75,187200,187200
    3,paid,12,30,40,3725.5,3725.5
    ");
}

#[test]
fn steps_name_their_breakdown_value_and_period_and_who_is_pending() {
    let pending = |step: &Value| samples::with(step.clone(), &json!({"pending": 1}));
    let funnels = samples::compared_steps();
    let funnels = funnels.as_array().into_iter().flatten();
    let results: Value = funnels
        .map(|steps| {
            steps
                .as_array()
                .into_iter()
                .flatten()
                .map(pending)
                .collect::<Value>()
        })
        .collect();
    assert_snapshot!(read(&results, 110), @"
    breakdown  period    step  name       count  pending  of first  of previous  average time  median time
    ─────────  ────────  ────  ─────────  ─────  ───────  ────────  ───────────  ────────────  ───────────
    Chrome     current      1  signed_up      8        1      100%
    Chrome     current      2  paid           2        1       25%          25%    1 min 30 s   1 min 30 s
    (none)     previous     1  signed_up      8        1      100%
    (none)     previous     2  paid           0        1        0%           0%    1 min 30 s   1 min 30 s
    ");
    assert_snapshot!(computed(&results), @"
    breakdown,period,step,name,count,pending,of first (%),of previous (%),average time (s),median time (s)
    Chrome,current,1,signed_up,8,1,100,,,
    Chrome,current,2,paid,2,1,25,25,90,90
    (none),previous,1,signed_up,8,1,100,,,
    (none),previous,2,paid,0,1,0,0,90,90
    ");
}

#[test]
fn rates_are_percentages_under_their_breakdown_value() {
    let results = json!([
        samples::rates(&json!({"breakdown_value": ["Chrome", ""]})),
        samples::rates(&json!({"breakdown_value": "finance", "compare_label": "previous"})),
    ]);
    assert_snapshot!(read(&results, 80), @"
    day         Chrome, (none)  finance (previous, from 2024-05-01)
    ──────────  ──────────────  ───────────────────────────────────
    2024-05-01            100%                                 100%
    2024-05-02           33.3%                                33.3%
    2024-05-03              0%                                   0%
    2024-05-04             50%                                  50%
    ");
    assert_snapshot!(computed(&json!([samples::rates(&json!({}))])), @"
    day,conversion (%)
    2024-05-01,100
    2024-05-02,33.33
    2024-05-03,0
    2024-05-04,50
    ");
}

#[test]
fn times_to_convert_have_their_mean_and_median_below() {
    assert_snapshot!(read(&samples::only_times(), 80), @"
           from  count
    ───────────  ─────
         37 min      2
    11 h 49 min      0
           23 h      1
    mean 8 h 12 min, median 1 h
    ");
    let both = json!([samples::times("current"), samples::times("previous")]);
    assert_snapshot!(read(&both, 80), @"
    period           from  count
    ────────  ───────────  ─────
    current        37 min      2
    current   11 h 49 min      0
    current          23 h      1
    previous       37 min      0
    previous  11 h 49 min      0
    previous         23 h      0
    current: mean 8 h 12 min, median 1 h
    previous: nobody converted
    ");
    assert_snapshot!(computed(&both), @"
    period,from (s),count
    current,2220,2
    current,42510,0
    current,82800,1
    previous,2220,0
    previous,42510,0
    previous,82800,0
    ");
}

#[test]
fn correlation_says_what_goes_with_which_outcome() {
    assert_snapshot!(read(&samples::correlation(), 80), @"
    event              converted  dropped  odds  goes with
    ─────────────────  ─────────  ───────  ────  ─────────
    read docs                 20        2    11  success
    industry::finance          1        5  0.25  failure
    skewed: one outcome is so rare that these odds say little
    ");
    assert_snapshot!(computed(&samples::correlation()), @"
    event,converted,dropped,odds,goes with
    read docs,20,2,11,success
    industry::finance,1,5,0.25,failure
    ");
    assert_snapshot!(read(&json!({"events": [], "skewed": false}), 80), @"no results");
}

#[test]
fn cohorts_stand_in_a_triangle_and_in_records() {
    assert_snapshot!(read(&samples::retention(), 80), @"
    day         size     0    1     2
    ──────────  ────  ────  ───  ────
    2024-01-01   120  100%  50%  0.8%
    2024-01-02    40  100%  75%
    2024-01-03     0
    ");
    assert_snapshot!(computed(&samples::retention()), @"
    cohort,interval,count,rate (%)
    2024-01-01T00:00:00Z,Day 0,120,100
    2024-01-01T00:00:00Z,Day 1,60,50
    2024-01-01T00:00:00Z,Day 2,1,0.8333333333333334
    2024-01-02T00:00:00Z,Day 0,40,100
    2024-01-02T00:00:00Z,Day 1,30,75
    2024-01-02T00:00:00Z,Day 2,,
    2024-01-03T00:00:00Z,Day 0,0,
    2024-01-03T00:00:00Z,Day 1,,
    2024-01-03T00:00:00Z,Day 2,,
    ");
}

#[test]
fn every_breakdown_value_has_its_triangle_and_one_header_of_records() {
    let hours = |value| {
        let mut rows = samples::cohorts(
            Some(value),
            &["Hour 0", "Hour 1"],
            [&[2, 1], &[1, 0], &[0, 0]],
        );
        for (hour, row) in rows.iter_mut().enumerate() {
            row["date"] = json!(format!("2024-01-01T{hour:02}:00:00-07:00"));
            row["values"][0]["aggregation_value"] = json!(12.5);
            row["values"][1]["aggregation_value"] = json!(0.5);
        }
        rows
    };
    let results = Value::from([hours("a"), hours("b")].concat());
    assert_snapshot!(read(&results, 80), @"
    a
    hour              size     0    1
    ────────────────  ────  ────  ───
    2024-01-01 00:00     2  12.5  0.5
    2024-01-01 01:00     1  12.5  0.5
    2024-01-01 02:00     0  12.5

    b
    hour              size     0    1
    ────────────────  ────  ────  ───
    2024-01-01 00:00     2  12.5  0.5
    2024-01-01 01:00     1  12.5  0.5
    2024-01-01 02:00     0  12.5
    ");
    assert_snapshot!(computed(&results), @"
    breakdown,cohort,interval,count,rate (%),value
    a,2024-01-01T00:00:00-07:00,Hour 0,2,100,12.5
    a,2024-01-01T00:00:00-07:00,Hour 1,1,50,0.5
    a,2024-01-01T01:00:00-07:00,Hour 0,1,100,12.5
    a,2024-01-01T01:00:00-07:00,Hour 1,0,0,0.5
    a,2024-01-01T02:00:00-07:00,Hour 0,0,,12.5
    a,2024-01-01T02:00:00-07:00,Hour 1,,,
    b,2024-01-01T00:00:00-07:00,Hour 0,2,100,12.5
    b,2024-01-01T00:00:00-07:00,Hour 1,1,50,0.5
    b,2024-01-01T01:00:00-07:00,Hour 0,1,100,12.5
    b,2024-01-01T01:00:00-07:00,Hour 1,0,0,0.5
    b,2024-01-01T02:00:00-07:00,Hour 0,0,,12.5
    b,2024-01-01T02:00:00-07:00,Hour 1,,,
    ");
}

#[test]
fn links_have_their_steps_in_a_column() {
    assert_snapshot!(read(&samples::paths(), 80), @"
    step  from      to                                          count  average time
    ────  ────────  ──────────────────────────────────────────  ─────  ────────────
       1  /         /pricing                                       20     1 min 5 s
       2  /pricing  https://example.com/a/long/way/to/checkout      7         1.5 s
       1  /         (none)                                          3           0 s
    ");
    assert_snapshot!(computed(&samples::paths()), @"
    step,from,to,count,average time (s)
    1,/,/pricing,20,65
    2,/pricing,https://example.com/a/long/way/to/checkout,7,1.5
    1,/,(none),3,0
    ");
}
