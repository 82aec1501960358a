use serde_json::json;

use super::*;

fn conversions(bins: Option<u32>) -> Funnels {
    let (from, to) = (0, 1);
    funnel(3, Viz::TimeToConvert { from, to, bins })
}

/// Conversions that take so many seconds.
fn taking(funnels: &Funnels, times: &[i64]) -> Figures {
    let runs: Vec<[i64; 2]> = times.iter().map(|time| [100, 100 + time]).collect();
    let runs: Vec<&[i64]> = runs.iter().map(|run| &run[..]).collect();
    everybody(funnels, &runs)
}

fn result(bins: Option<u32>, times: &[i64]) -> Value {
    let funnels = conversions(bins);
    let figures = taking(&funnels, times);
    shape(&funnels, figures, None).results
}

/// The lower edges of the bins that both ranges share.
fn shared_edges(bins: Option<u32>, current: &[i64], previous: &[i64]) -> Vec<i64> {
    let funnels = compared_with_before(conversions(bins));
    let figures = [current, previous].map(|times| taking(&funnels, times));
    let [current, previous] = figures;
    let rows = rows_compared(&funnels, current, previous);
    let edges = |row: &Value| -> Vec<i64> {
        let bins = row["bins"].as_array().unwrap().iter();
        bins.map(|bin| bin[0].as_i64().unwrap()).collect()
    };
    assert_eq!(edges(&rows[0]), edges(&rows[1]));
    edges(&rows[0])
}

/// So many times between these two.
fn spread(from: i64, to: i64, times: usize) -> Vec<i64> {
    let mut all = vec![from; times - 1];
    all.push(to);
    all
}

#[test]
fn there_are_as_many_bins_as_the_cube_root_of_the_conversions() {
    assert_eq!(
        result(None, &[3600, 2220, 82800]),
        json!({
            "bins": [[2220, 2], [42510, 0], [82800, 1]],
            "average_conversion_time": 29540,
            "median_conversion_time": 3600,
        })
    );
    for (times, bins) in [(8, 2), (9, 3), (27, 3), (28, 4)] {
        let result = result(None, &spread(0, 1000, times));
        assert_eq!(result["bins"].as_array().unwrap().len(), bins + 1);
    }
}

#[test]
fn a_number_of_bins_asked_for_is_taken_up_to_ninety() {
    assert_eq!(
        result(Some(7), &[3600, 2220, 82800])["bins"],
        json!([
            [2220, 2],
            [13732, 0],
            [25244, 0],
            [36756, 0],
            [48268, 0],
            [59780, 0],
            [71292, 1],
            [82804, 0]
        ])
    );
    let bins = |asked| {
        result(Some(asked), &[1, 2])["bins"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((bins(0), bins(90), bins(1000)), (2, 91, 91));
}

#[test]
fn one_length_of_time_makes_a_bin_of_a_minute() {
    assert_eq!(
        result(None, &[10800]),
        json!({
            "bins": [[10800, 1], [10860, 0]],
            "average_conversion_time": 10800,
            "median_conversion_time": 10800,
        })
    );
}

#[test]
fn no_conversion_makes_an_empty_minute() {
    assert_eq!(
        result(None, &[]),
        json!({
            "bins": [[0, 0], [60, 0]],
            "average_conversion_time": null,
            "median_conversion_time": null,
        })
    );
}

#[test]
fn conversions_at_once_count() {
    assert_eq!(result(None, &[0, 0, 30])["average_conversion_time"], 10);
}

#[test]
fn only_runs_that_reach_the_step_have_a_time() {
    let mut funnels = conversions(None);
    funnels.viz = Viz::TimeToConvert {
        from: 1,
        to: 2,
        bins: None,
    };
    let figures = everybody(&funnels, &[&[0], &[0, 50], &[0, 100, 107]]);
    assert_eq!(
        shape(&funnels, figures, None).results["bins"][0],
        json!([7, 1])
    );
}

#[test]
fn fractions_of_a_second_fall_into_the_bin_below() {
    let funnels = conversions(Some(2));
    let mut figures = Figures::of(&funnels, &funnels.current);
    for micros in [500_000, 1_999_999, 2_000_000, 3_500_000] {
        figures.add_run(&[], 0b11, &[0, micros]);
    }
    assert_eq!(
        shape(&funnels, figures, None).results["bins"],
        json!([[0, 2], [2, 2], [4, 0]])
    );
}

#[test]
fn bins_of_a_sample_are_scaled_back() {
    let mut funnels = conversions(None);
    funnels.sampling = Some(0.5);
    let figures = taking(&funnels, &[5]);
    assert_eq!(
        shape(&funnels, figures, None).results["bins"],
        json!([[5, 2], [65, 0]])
    );
}

#[test]
fn compared_ranges_share_their_bins() {
    let funnels = compared_with_before(conversions(None));
    let figures = [[600], [3600]].map(|times| taking(&funnels, &times));
    let [current, previous] = figures;
    assert_eq!(
        rows_compared(&funnels, current, previous),
        [
            json!({
                "bins": [[600, 1], [2100, 0], [3600, 0]],
                "average_conversion_time": 600, "median_conversion_time": 600, "compare_label": "current",
            }),
            json!({
                "bins": [[600, 0], [2100, 0], [3600, 1]],
                "average_conversion_time": 3600, "median_conversion_time": 3600, "compare_label": "previous",
            }),
        ]
    );
    let (eight, nineteen) = (spread(100, 200, 8), spread(50, 300, 19));
    assert_eq!(shared_edges(None, &eight, &nineteen), [50, 134, 218, 302]);
    assert_eq!(shared_edges(None, &eight, &[]), [100, 150, 200]);
    assert_eq!(
        shared_edges(Some(4), &[0, 100], &[0, 100]),
        [0, 25, 50, 75, 100]
    );
    assert_eq!(shared_edges(None, &[], &[]), [] as [i64; 0]);
}
