use proptest::prelude::*;

use super::*;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn cleaning(rules: &[(&str, &str)]) -> ItemRules {
    let rule = |(regex, alias): &(&str, &str)| Cleaning {
        regex: (*regex).to_owned(),
        alias: (*alias).to_owned(),
    };
    ItemRules {
        cleaning: rules.iter().map(rule).collect(),
        ..ItemRules::default()
    }
}

fn grouping(groupings: &[&str]) -> ItemRules {
    ItemRules {
        groupings: texts(groupings),
        ..ItemRules::default()
    }
}

fn page(rules: &ItemRules, url: &str) -> String {
    let items = Items::new(rules).unwrap();
    items.item(PAGE_VIEW, Some(url), None).unwrap().into_owned()
}

fn item(rules: ItemRules, event: &str) -> Option<String> {
    let items = Items::new(&rules).unwrap();
    let item = items.item(event, Some("/url"), Some("screen"));
    item.map(Cow::into_owned)
}

#[test]
fn a_page_is_its_url_a_screen_its_name_and_anything_else_its_event() {
    let items = Items::new(&ItemRules::default()).unwrap();
    let item = |event| items.item(event, Some("/url"), Some("screen/")).unwrap();
    assert_eq!(item("$pageview"), "/url");
    assert_eq!(item("$screen"), "screen/");
    assert_eq!(item("signed up"), "signed up");
    assert_eq!(item("$identify"), "$identify");
    assert_eq!(items.item("$pageview", None, None).unwrap(), "");
    assert_eq!(items.item("$screen", None, None).unwrap(), "");
}

#[test]
fn a_url_loses_one_slash_at_its_end_unless_it_is_nothing_else() {
    for (url, item) in [
        ("/a/", "/a"),
        ("/a//", "/a/"),
        ("/", "/"),
        ("//", "/"),
        ("", ""),
    ] {
        assert_eq!(page(&ItemRules::default(), url), item);
    }
}

#[test]
fn pages_and_screens_may_go_by_the_name_of_their_event() {
    let rules = ItemRules {
        urls: false,
        ..ItemRules::default()
    };
    assert_eq!(item(rules.clone(), "$pageview").unwrap(), "$pageview");
    assert_eq!(item(rules, "$screen").unwrap(), "screen");
    let rules = ItemRules {
        screen_names: false,
        ..ItemRules::default()
    };
    assert_eq!(item(rules, "$screen").unwrap(), "$screen");
}

#[test]
fn each_rule_cleans_every_match_in_the_result_of_the_one_before() {
    let rules = cleaning(&[(r"\d+", "7"), ("7/7", ":both"), ("x*$", "!")]);
    assert_eq!(page(&rules, "/12/345"), "/:both!");
    assert_eq!(
        page(&cleaning(&[(r"/\d+", "/:id")]), "/a/1/2"),
        "/a/:id/:id"
    );
    assert_eq!(
        item(cleaning(&[("ed", "")]), "signed up").unwrap(),
        "sign up"
    );
}

#[test]
fn an_alias_refers_to_groups_with_a_backslash() {
    let alias = |alias| page(&cleaning(&[(r"/(\w+)/(\d+)", alias)]), "/user/12/edit");
    assert_eq!(alias(r"/\2/\1"), "/12/user/edit");
    assert_eq!(alias(r"[\0]"), "[/user/12]/edit");
    assert_eq!(alias(r"/\9"), "//edit");
    assert_eq!(alias(r"/\\1\."), r"/\1./edit");
    assert_eq!(alias(r"/x\"), r"/x\/edit");
    assert_eq!(alias("/$1${2}"), "/$1${2}/edit");
    assert_eq!(page(&cleaning(&[("(a)|(b)", r"<\2>")]), "ab"), "<><b>");
}

#[test]
fn a_star_is_any_text_and_everything_else_is_meant_as_it_stands() {
    assert_eq!(
        page(&grouping(&["/bar/*/foo"]), "/2/bar/1/foo?x"),
        "/bar/*/foo"
    );
    assert_eq!(page(&grouping(&["/bar/*/foo"]), "/bar/foo"), "/bar/foo");
    assert_eq!(page(&grouping(&["/bar/*/foo"]), "/bar//foo"), "/bar/*/foo");
    assert_eq!(page(&grouping(&["(a+)+", ".*", "1.*"]), "/1aaa"), "/1aaa");
    assert_eq!(page(&grouping(&["*"]), "anything"), "*");
    assert_eq!(page(&grouping(&["a*b"]), "b a\nb"), "a*b");
    assert_eq!(page(&grouping(&["aa*aa"]), "aaa"), "aaa");
}

#[test]
fn of_several_groupings_the_one_that_ends_first_takes_the_item() {
    assert_eq!(page(&grouping(&["/3?q=1", "/3*"]), "/3?q=1"), "/3*");
    assert_eq!(page(&grouping(&["/3?q=1", "*/3"]), "/3?q=1"), "*/3");
    assert_eq!(page(&grouping(&["/3*", "*/3"]), "/3"), "/3*");
    assert_eq!(page(&grouping(&["*/3", "/3*"]), "/3"), "*/3");
}

#[test]
fn groupings_see_what_is_cleaned_and_exclusions_what_is_grouped() {
    let rules = ItemRules {
        groupings: texts(&["/user/:id*"]),
        excluded: texts(&["/user/12", "signed up"]),
        ..cleaning(&[(r"\d+", ":id")])
    };
    assert_eq!(page(&rules, "/user/12/edit"), "/user/:id*");
    assert_eq!(page(&rules, "/user/12"), "/user/:id*");
    assert_eq!(item(rules, "signed up"), None);
    let rules = ItemRules {
        excluded: texts(&["/bar/*"]),
        ..grouping(&["/bar/*"])
    };
    let items = Items::new(&rules).unwrap();
    assert_eq!(items.item(PAGE_VIEW, Some("/bar/1"), None), None);
    assert!(items.item(PAGE_VIEW, Some("/bar"), None).is_some());
}

#[test]
fn exclusions_are_no_patterns() {
    let rules = ItemRules {
        excluded: texts(&["/bar/*"]),
        ..ItemRules::default()
    };
    assert_eq!(page(&rules, "/bar/1"), "/bar/1");
}

#[test]
fn a_broken_pattern_is_refused() {
    let refused = Items::new(&cleaning(&[("(", "")])).unwrap_err();
    assert_eq!(refused, ItemError::Regex("(".to_owned()));
}

/// Where the match that ends first ends, by trying every stretch of the text.
fn end_by_trying(grouping: &str, item: &str) -> Option<usize> {
    let pattern = regex::escape(grouping).replace(r"\*", "(?s:.*)");
    let whole = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    let stretches = (0..=item.len()).flat_map(|end| (0..=end).map(move |start| (start, end)));
    stretches
        .filter(|(start, end)| whole.is_match(&item[*start..*end]))
        .map(|(_, end)| end)
        .next()
}

proptest! {
    #[test]
    fn a_grouping_agrees_with_trying_every_stretch(
        grouping in "[ab*]{1,6}",
        item in "[ab]{0,10}",
    ) {
        prop_assert_eq!(Grouping::new(&grouping).end_of_match(&item), end_by_trying(&grouping, &item));
    }

    #[test]
    fn no_text_is_too_odd(event in "\\PC*", url in "\\PC*", alias in "\\PC*", grouping in "\\PC*") {
        let rules = ItemRules { groupings: vec![grouping], ..cleaning(&[(".?", &alias)]) };
        let items = Items::new(&rules).unwrap();
        prop_assert!(items.item(&event, Some(&url), None).is_some());
        prop_assert!(items.item(PAGE_VIEW, Some(&url), None).is_some());
    }
}
