use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1_000_000;
const GAP: i64 = 1800 * SECOND;

fn rules() -> Paths {
    Paths {
        gap: GAP,
        limit: 5,
        start: None,
        end: None,
    }
}

fn from(start: char) -> Paths {
    Paths {
        start: Some(start.to_string()),
        ..rules()
    }
}

fn up_to(end: char) -> Paths {
    Paths {
        end: Some(end.to_string()),
        ..rules()
    }
}

/// The code of a text of one character is that character; steps that were left out are a point.
fn code(text: &str) -> u32 {
    match text {
        LEFT_OUT => '.' as u32,
        text => text.chars().next().unwrap() as u32,
    }
}

/// Events with one character as their item, a minute apart; a space is an hour without events.
fn events(items: &str) -> Vec<Step> {
    let mut time = 0;
    let mut events = Vec::new();
    for item in items.chars() {
        if item == ' ' {
            time += 3600 * SECOND;
        } else {
            time += 60 * SECOND;
            events.push(Step {
                time,
                item: item as u32,
            });
        }
    }
    events
}

fn found(paths: &Paths, events: &[Step]) -> Vec<Vec<Step>> {
    let mut all = Vec::new();
    let finder = paths.in_codes(code);
    finder.paths(events, |path| all.push(path.to_vec()));
    all
}

/// The items of the paths, a text each.
fn items(paths: &Paths, of: &str) -> Vec<String> {
    let text = |path: &Vec<Step>| {
        path.iter()
            .map(|step| char::from_u32(step.item).unwrap())
            .collect()
    };
    found(paths, &events(of)).iter().map(text).collect()
}

#[test]
fn a_path_starts_anew_after_exactly_the_gap() {
    let at = |time| Step { time, item: 1 };
    let with_pause = |pause| {
        let events = [
            at(0),
            at(1),
            Step {
                item: 2,
                ..at(1 + pause)
            },
        ];
        found(&rules(), &events).len()
    };
    assert_eq!(with_pause(GAP - 1), 1);
    assert_eq!(with_pause(GAP), 2);
}

#[test]
fn the_gap_counts_from_the_event_before_and_not_from_the_step() {
    let at = |time, item| Step { time, item };
    let events = [at(0, 1), at(GAP - 1, 1), at(2 * GAP - 2, 2)];
    assert_eq!(
        found(&rules(), &events),
        [[at(GAP - 1, 1), at(2 * GAP - 2, 2)]]
    );
}

#[test]
fn repeats_are_one_step_at_the_time_of_the_last() {
    let path = &found(&rules(), &events("aabbba"))[0];
    let minutes: Vec<i64> = path.iter().map(|s| s.time / (60 * SECOND)).collect();
    assert_eq!(minutes, [2, 5, 6]);
    assert_eq!(items(&rules(), "aa a"), ["a", "a"]);
}

#[test]
fn without_points_the_first_steps_are_kept() {
    assert_eq!(items(&rules(), "abcdefg xy"), ["abcde", "xy"]);
}

#[test]
fn a_start_point_keeps_what_follows_its_first_occurrence() {
    assert_eq!(items(&from('b'), "abcbdefg xy bz"), ["bcbde", "bz"]);
}

#[test]
fn an_end_point_keeps_the_last_steps_up_to_its_first_occurrence() {
    assert_eq!(items(&up_to('g'), "abcdefghg xy zg"), ["cdefg", "zg"]);
}

#[test]
fn both_points_keep_what_lies_between_and_drop_paths_that_lack_one() {
    let both = Paths {
        end: Some("e".to_owned()),
        ..from('b')
    };
    assert_eq!(
        items(&both, "abcdef eb bxe xe b ebcbe"),
        ["bcde", "bxe", "bcbe"]
    );
}

#[test]
fn a_start_that_is_the_end_is_a_path_of_one_step() {
    let both = Paths {
        end: Some("b".to_owned()),
        ..from('b')
    };
    assert_eq!(items(&both, "abcb"), ["b"]);
}

#[test]
fn between_both_points_the_middle_is_left_out() {
    let both = |limit| Paths {
        limit,
        end: Some("h".to_owned()),
        ..from('a')
    };
    assert_eq!(items(&both(4), "abcdefghi"), ["ab.gh"]);
    assert_eq!(items(&both(5), "abcdefghi"), ["ab.gh"]);
    assert_eq!(items(&both(8), "abcdefghi"), ["abcdefgh"]);
    assert_eq!(items(&both(1), "abh"), ["."]);
    let path = &found(&both(5), &events("abcdefghi"))[0];
    assert_eq!(path[2].time, 3 * 60 * SECOND);
}

#[test]
fn a_limit_of_none_keeps_nothing() {
    let none = |paths| Paths { limit: 0, ..paths };
    for paths in [none(rules()), none(from('a')), none(up_to('b'))] {
        assert_eq!(items(&paths, "ab"), [""; 0]);
    }
}

#[test]
fn links_join_steps_that_follow_each_other() {
    let path = &found(&rules(), &events("aab"))[0];
    let link = Link {
        step: 1,
        source: 'a' as u32,
        target: 'b' as u32,
        time: 60 * SECOND,
    };
    assert_eq!(links(path).collect::<Vec<_>>(), [link]);
    assert_eq!(links(&path[..1]).count(), 0);
    assert_eq!(links(&[]).count(), 0);
}

#[test]
fn what_is_made_of_events_travels_as_json() {
    let json = r#"{"gap": 1800000000, "limit": 5, "start": "b"}"#;
    assert_eq!(serde_json::from_str::<Paths>(json).unwrap(), from('b'));
}

/// The note, sentence by sentence, with a list for everything.
fn slow(paths: &Paths, events: &[Step]) -> Vec<Vec<Step>> {
    let mut sessions: Vec<Vec<Step>> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if at == 0 || event.time - events[at - 1].time >= paths.gap {
            sessions.push(Vec::new());
        }
        let session = sessions.last_mut().unwrap();
        if session.last().is_some_and(|step| step.item == event.item) {
            session.pop();
        }
        session.push(*event);
    }
    let limit = paths.limit;
    let start = paths.start.as_deref().map(code);
    let end = paths.end.as_deref().map(code);
    let mut all = Vec::new();
    for session in sessions {
        let first = |item: Option<u32>, from: usize| {
            (from..session.len()).find(|&at| Some(session[at].item) == item)
        };
        let kept: Vec<Step> = match (start, end) {
            (None, None) => session.iter().take(limit).copied().collect(),
            (Some(_), None) => match first(start, 0) {
                Some(at) => session[at..].iter().take(limit).copied().collect(),
                None => continue,
            },
            (None, Some(_)) => match first(end, 0) {
                Some(at) => {
                    let upto = &session[..=at];
                    upto[upto.len().saturating_sub(limit)..].to_vec()
                }
                None => continue,
            },
            (Some(_), Some(_)) => {
                let Some(begin) = first(start, 0) else {
                    continue;
                };
                let Some(finish) = first(end, begin) else {
                    continue;
                };
                let between = &session[begin..=finish];
                if between.len() > limit {
                    let half = limit / 2;
                    let left_out = Step {
                        time: between[half].time,
                        item: code(LEFT_OUT),
                    };
                    let mut kept = between[..half].to_vec();
                    kept.push(left_out);
                    kept.extend_from_slice(&between[between.len() - half..]);
                    kept
                } else {
                    between.to_vec()
                }
            }
        };
        if !kept.is_empty() {
            all.push(kept);
        }
    }
    all
}

fn point() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(vec!["a", "b", "c", "z"]).prop_map(str::to_owned))
}

proptest! {
    #[test]
    fn agrees_with_the_slow_way(
        events in prop::collection::vec((0i64..40, 0u32..4), 0..30),
        gap in 1i64..6,
        limit in 0usize..8,
        start in point(),
        end in point(),
    ) {
        let mut events: Vec<Step> = events
            .into_iter()
            .map(|(time, item)| Step { time, item: item + 'a' as u32 })
            .collect();
        events.sort_unstable();
        let paths = Paths { gap, limit, start, end };
        prop_assert_eq!(found(&paths, &events), slow(&paths, &events));
    }

    #[test]
    fn no_times_are_too_odd(
        times in prop::collection::vec(any::<i64>(), 0..10),
        gap in any::<i64>(),
        limit in any::<usize>(),
        start in point(),
        end in point(),
    ) {
        let events: Vec<Step> = times
            .into_iter()
            .zip("abcabcabcabc".chars())
            .map(|(time, item)| Step { time, item: item as u32 })
            .collect();
        for path in found(&Paths { gap, limit, start, end }, &events) {
            prop_assert_eq!(links(&path).count() + 1, path.len());
        }
    }
}
