use super::*;
use crate::paths::PathsQuery;
use crate::testing::at;

fn paths(query: &PathsQuery) -> Paths {
    query.resolve(&at("2020-01-25T12:00:00Z")).unwrap()
}

/// `1 a b 3`: three paths go from `a`, the first step, to `b`.
fn figure(text: &str) -> Figure {
    let [step, source, target, paths] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
    Figure {
        step: step.parse().unwrap(),
        source: source.to_owned(),
        target: target.to_owned(),
        paths: paths.parse().unwrap(),
        time: 0,
    }
}

/// The links that are shown, as `1_a 2_b 3`.
fn shown(query: &PathsQuery, figures: &[&str]) -> Vec<String> {
    let rows = shape(&paths(query), figures.iter().map(|text| figure(text)));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| {
            let [source, target] = [&row["source"], &row["target"]].map(text);
            format!("{source} {target} {}", row["value"])
        })
        .collect()
}

#[test]
fn a_row_has_the_shape_of_posthog() {
    let figure = |paths, time| Figure {
        step: 2,
        source: "/a".to_owned(),
        target: String::new(),
        paths,
        time,
    };
    let first = Figure {
        step: 1,
        target: "/a".to_owned(),
        ..figure(1, 1)
    };
    let rows = shape(
        &paths(&PathsQuery::new()),
        [figure(1, 1_000_000), first, figure(3, 500_000)],
    );
    assert_eq!(
        rows[0],
        json!({"source": "2_/a", "target": "3_", "value": 4, "average_conversion_time": 375.0})
    );
    assert_eq!(rows[1]["average_conversion_time"], 0.001);
}

#[test]
fn no_links_are_no_rows() {
    assert_eq!(shown(&PathsQuery::new(), &[]), [""; 0]);
}

#[test]
fn links_of_many_paths_come_first_and_then_they_go_by_their_texts() {
    let figures: Vec<String> = (1..10).map(|step| format!("{step} a a 1")).collect();
    let mut figures: Vec<&str> = figures.iter().map(String::as_str).collect();
    figures.extend(["10 a b 1", "10 a a 1", "1 z a 2"]);
    let rows = shown(&PathsQuery::new(), &figures);
    assert_eq!(
        rows[..5],
        [
            "1_z 2_a 2",
            "10_a 11_a 1",
            "10_a 11_b 1",
            "1_a 2_a 1",
            "2_a 3_a 1"
        ]
    );
}

#[test]
fn weights_bound_the_paths_of_a_link_on_both_sides() {
    let figures = ["1 a a 1", "1 a b 2", "1 a c 3", "1 a d 4"];
    let query = PathsQuery::new().edge_weight(2, 3);
    assert_eq!(shown(&query, &figures), ["1_a 2_c 3", "1_a 2_b 2"]);
    assert_eq!(
        shown(&PathsQuery::new().edge_weight(3, 2), &figures),
        [""; 0]
    );
}

#[test]
fn the_limit_counts_orphans_which_are_then_left_out() {
    let figures = ["1 a b 1", "2 b c 2", "2 x y 9", "3 y z 9", "3 c d 1"];
    let shown = |limit| shown(&PathsQuery::new().edge_limit(limit), &figures);
    assert_eq!(shown(5), ["2_b 3_c 2", "1_a 2_b 1", "3_c 4_d 1"]);
    assert_eq!(shown(4), ["2_b 3_c 2", "1_a 2_b 1"]);
    assert_eq!(shown(3), [""; 0]);
    assert_eq!(shown(0), [""; 0]);
}

#[test]
fn an_item_that_looks_like_a_step_is_an_item() {
    let figures = ["1 1_a 2_b 1", "2 2_b c 1", "11 a b 1"];
    assert_eq!(
        shown(&PathsQuery::new(), &figures),
        ["1_1_a 2_2_b 1", "2_2_b 3_c 1"]
    );
}

#[test]
fn counts_of_a_sample_are_scaled_back_and_their_bounds_are_not() {
    let query = PathsQuery {
        sampling_factor: Some(0.1),
        ..PathsQuery::new().edge_weight(0, 3)
    };
    assert_eq!(shown(&query, &["1 a b 3", "1 a c 4"]), ["1_a 2_b 30"]);
}

#[test]
fn no_figure_is_too_odd() {
    let figure = Figure {
        step: usize::MAX,
        paths: u64::MAX,
        time: i64::MAX,
        ..figure("1 a b 1")
    };
    let none = Figure {
        step: 1,
        paths: 0,
        ..figure.clone()
    };
    let rows = shape(&paths(&PathsQuery::new()), [figure.clone(), figure, none]);
    assert_eq!(rows.len(), 1);
}
