use super::*;

fn value(text: &str, series: &[f64]) -> f64 {
    Formula::parse(text, None, series.len(), &Path::root())
        .unwrap()
        .evaluate(series)
}

fn refused(text: &str, series: usize) -> String {
    let path = Path::root().field("trendsFilter").field("formula");
    Formula::parse(text, None, series, &path)
        .unwrap_err()
        .to_string()
}

#[test]
fn letters_stand_for_series_whatever_their_case() {
    assert_eq!(value("A + b * 2", &[1.0, 3.0]), 7.0);
}

#[test]
fn precedence_is_that_of_python() {
    assert_eq!(value("-2 ** 2", &[0.0]), -4.0);
    assert_eq!(value("2 ** 3 ** 2", &[0.0]), 512.0);
    assert_eq!(value("2 ** -1", &[0.0]), 0.5);
    assert_eq!(value("10 - 4 - 3", &[0.0]), 3.0);
    assert_eq!(value("(A/3600)/B", &[7200.0, 4.0]), 0.5);
    assert_eq!(value("-7 % 3", &[0.0]), 2.0);
    assert_eq!(value("1.5e1 + .5", &[0.0]), 15.5);
}

#[test]
fn dividing_by_zero_gives_zero() {
    assert_eq!(value("A / B", &[5.0, 0.0]), 0.0);
    assert_eq!(value("A % B", &[5.0, 0.0]), 0.0);
}

#[test]
fn a_missing_series_counts_as_zero() {
    let formula = Formula::parse("A + B", None, 2, &Path::root()).unwrap();
    assert_eq!(formula.evaluate(&[4.0]), 4.0);
}

#[test]
fn anything_else_is_an_error_that_names_it() {
    assert_eq!(
        refused("A + C", 2),
        "trendsFilter.formula: in the formula 'A + C' 'C' is not a series; they are A to B"
    );
    for text in [
        "", "A +", "(A", "A B", "sum(A)", "A > 1", "A // 2", "1e", "A)", ".", "é", "A\u{0}",
    ] {
        assert!(
            refused(text, 1).starts_with("trendsFilter.formula: "),
            "{text}"
        );
    }
}

#[test]
fn nesting_is_bounded_and_length_is_not() {
    assert!(refused(&"(".repeat(100_000), 1).contains("nested"));
    assert!(refused(&"-".repeat(100_000), 1).contains("nested"));
    assert!(refused(&"1**".repeat(100_000), 1).contains("nested"));
    assert_eq!(
        value(&format!("A{}", "+A".repeat(100_000)), &[1.0]),
        100_001.0
    );
}

#[test]
fn the_label_is_the_name_or_the_text_as_typed() {
    let label = |name| {
        Formula::parse("a +B", name, 2, &Path::root())
            .unwrap()
            .label
    };
    assert_eq!(label(None), "Formula (a +B)");
    assert_eq!(label(Some("ratio")), "ratio");
    assert_eq!(label(Some("")), "Formula (a +B)");
}
