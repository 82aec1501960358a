//! One answer in every format, and nothing but data on standard output.

use serde_json::{Value, json};

use crate::program::{Place, by_month};

fn printed(place: &Place, format: &str) -> String {
    place.done(&["query", "store", "insight.json", "--format", format])
}

fn companies() -> Place {
    let place = Place::with_events();
    place.insight(&by_month(
        json!({"math": "unique_group", "math_group_type_index": 1, "custom_name": "companies"}),
    ));
    place
}

#[test]
fn a_trend_is_printed_in_every_format() {
    let place = companies();
    assert_eq!(
        printed(&place, "csv"),
        "day,companies\n2024-01-01,2\n2024-02-01,1\n2024-03-01,2\n"
    );
    assert_eq!(
        serde_json::from_str::<Value>(&printed(&place, "ndjson")).unwrap()["data"],
        json!([2, 1, 2])
    );
    assert_eq!(
        serde_json::from_str::<Value>(&printed(&place, "json")).unwrap()["results"][0]["data"],
        json!([2, 1, 2])
    );
    let table = printed(&place, "table");
    assert!(
        table.starts_with("day         companies\n──────────  ─────────\n2024-01-01          2\n"),
        "{table}"
    );
    let chart = printed(&place, "chart");
    assert!(
        chart.contains("2 ┤")
            && chart.contains("2024-03")
            && chart.contains("companies  average 1.7  peak 2"),
        "{chart}"
    );
}

#[test]
fn json_is_the_default_where_nobody_watches_and_no_colours_are_sent() {
    let place = companies();
    assert_eq!(
        place.done(&["query", "store", "insight.json"]),
        printed(&place, "json")
    );
    assert!(!printed(&place, "chart").contains('\u{1b}'));
}

#[test]
fn the_width_of_the_terminal_is_kept() {
    let place = companies();
    for columns in [48_usize, 60, 200] {
        let mut command = place.command(&["query", "store", "insight.json", "--format", "chart"]);
        let output = command
            .env("COLUMNS", columns.to_string())
            .output()
            .unwrap();
        let widest = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| line.chars().count())
            .max();
        assert!(widest.unwrap() <= columns, "{widest:?} of {columns}");
    }
}

#[test]
fn formats_of_later_versions_are_refused() {
    let place = companies();
    for format in ["arrow", "parquet", "html"] {
        place
            .run(&["query", "store", "insight.json", "--format", format])
            .refused(2, &[format, "ndjson"]);
    }
}

#[test]
fn one_figure_per_plan_is_bars() {
    let place = Place::with_events();
    let mut by_plan = by_month(json!({"math": "total"}));
    by_plan["trendsFilter"] = json!({"display": "ActionsBarValue"});
    by_plan["breakdownFilter"] = json!({"breakdown": "plan", "breakdown_type": "event"});
    place.insight(&by_plan);
    assert_eq!(printed(&place, "csv"), "series,figure\npro,4\nbasic,3\n");
    let chart = printed(&place, "chart");
    assert!(chart.starts_with("pro    ████"), "{chart}");
}

#[test]
fn an_answer_without_rows_says_so() {
    let place = Place::with_events();
    let mut nobody = by_month(json!({"math": "total"}));
    nobody["breakdownFilter"] = json!({"breakdown": "plan", "breakdown_type": "event"});
    nobody["series"][0]["event"] = json!("never");
    place.insight(&nobody);
    assert_eq!(printed(&place, "table"), "no results\n");
    assert_eq!(printed(&place, "chart"), "no results\n");
    assert_eq!(printed(&place, "csv") + &printed(&place, "ndjson"), "");
}

#[test]
fn the_plan_is_shown_instead_of_the_answer() {
    let place = companies();
    let plan = place.done(&["query", "store", "insight.json", "--explain"]);
    assert!(plan.contains("Exec"), "{plan}");
}

#[test]
fn sql_prints_rows_and_reads_its_statement_from_standard_input() {
    let place = Place::with_events();
    let statement =
        "SELECT \"$group_1\" AS company, count(*) AS n FROM events GROUP BY 1 ORDER BY 1";
    assert_eq!(
        place.done(&["sql", "store", statement, "--format", "csv"]),
        "company,n\nacme,4\nbolt,3\n"
    );
    let ended = place.run_with(
        &["sql", "store", "-", "--format", "ndjson"],
        statement.as_bytes(),
    );
    assert_eq!(
        ended.stdout,
        "{\"company\":\"acme\",\"n\":4}\n{\"company\":\"bolt\",\"n\":3}\n"
    );
    let chart = place.done(&["sql", "store", statement, "--format", "chart"]);
    assert!(chart.starts_with("acme  ████"), "{chart}");
}

#[test]
fn sql_without_rows_still_names_its_columns_in_csv() {
    let place = Place::with_events();
    let statement = "SELECT event, uuid FROM events WHERE event = 'never'";
    assert_eq!(
        place.done(&["sql", "store", statement, "--format", "csv"]),
        "event,uuid\n"
    );
    assert_eq!(
        place.done(&["sql", "store", statement, "--format", "table"]),
        "no results\n"
    );
}

#[test]
fn actors_of_a_point_are_rows() {
    let place = Place::with_events();
    let source = by_month(json!({"math": "unique_group", "math_group_type_index": 1}));
    place.insight(
        &json!({"kind": "InsightActorsQuery", "source": source, "day": "2024-02-01", "series": 0}),
    );
    let table = printed(&place, "table");
    assert!(table.contains("acme") && !table.contains("bolt"), "{table}");
}

#[test]
fn the_clock_the_zone_and_the_definitions_are_inputs() {
    let place = Place::with_events();
    let mut definition = by_month(json!({"math": "total"}));
    definition["dateRange"] = json!({"date_from": "-1m", "date_to": null});
    definition["filterTestAccounts"] = json!(true);
    place.insight(&definition);
    place.file("definitions.json", json!({"test_account_filters": [{"type": "event", "key": "plan", "value": "pro", "operator": "exact"}]}).to_string());
    let words = [
        "query",
        "store",
        "insight.json",
        "--now",
        "2024-03-31T12:00:00Z",
        "--definitions",
        "definitions.json",
        "--timezone",
        "Asia/Tokyo",
        "--week-start",
        "monday",
    ];
    let answer = place.json(&words);
    assert_eq!(answer["timezone"], "Asia/Tokyo");
    assert_eq!(
        answer["results"][0]["data"].as_array().unwrap().last(),
        Some(&json!(3))
    );
}

#[test]
fn stats_tell_what_is_in_the_store() {
    let place = Place::with_events();
    let stats = place.json(&["stats", "store"]);
    assert_eq!((&stats["rows"], &stats["persons"]), (&json!(7), &json!(3)));
    let table = place.done(&["stats", "store", "--format", "table"]);
    assert!(
        table.contains("events.paid") && table.contains("groups.company.seen"),
        "{table}"
    );
}

#[test]
fn the_demo_shows_four_answers_from_real_data() {
    let place = Place::new();
    let shown = place.done(&["demo", "--store", "demo"]);
    assert!(shown.contains("companies (2024-01-01 to 2025-12-01): 4 4 2 6 5 5 5 4 8 4 6 5 7 6 7 7 6 8 8 8 9 6 7 5\n"), "{shown}");
    assert!(shown.contains("people (2024-01-01 to 2025-12-01): 61 78 63 79 84 80 82 82 94 103 95 83 94 92 106 88 94 113 119 106 112 105 94 110\n"), "{shown}");
    assert!(
        shown.contains("figures: rs 3,578; java 1,099; xml 666; "),
        "{shown}"
    );
    assert_eq!(place.json(&["stats", "demo"])["rows"], 74_403);
}
