//! Funnels as bars, one per step, and between them what was lost.

use super::super::Look;
use super::super::text::{cut, figure};
use super::super::view::{Funnel, Step};
use super::super::words::{duration, percent, share};
use super::bars::{Bar, Layout, aligned};
use super::{blocks, painted};

const TITLES: [&str; 4] = ["count", "of first", "of prev.", "median"];
/// Red, for what was lost.
const LOST: &str = "38;5;203";

/// One block per breakdown value and period.
pub(super) fn funnels(funnels: &[Funnel], look: Look) -> String {
    blocks(funnels, |one| funnel(one, look))
}

fn funnel(funnel: &Funnel, look: Look) -> String {
    let texts = aligned(&facts(funnel));
    let (titles, texts) = texts
        .split_first()
        .map_or(("", texts.as_slice()), |(titles, texts)| (titles, texts));
    let bar = |(number, (step, text)): (usize, (&Step, &String))| Bar {
        name: format!("{number} {}", step.name),
        value: step.count,
        text: text.clone(),
    };
    let bars: Vec<Bar> = (1..).zip(funnel.steps.iter().zip(texts)).map(bar).collect();
    let layout = Layout::of(&bars, look.width / 4, look);

    let mut out = layout.head(&funnel.heading().unwrap_or_default(), titles);
    for (i, bar) in bars.iter().enumerate() {
        out += &layout.line(bar);
        let between = funnel.steps.get(i).zip(funnel.steps.get(i + 1));
        if let Some(lost) = between.and_then(|(step, next)| lost(step, next)) {
            let lost = cut(&lost, look.width.saturating_sub(layout.start())).into_owned();
            out += &format!(
                "{}{}\n",
                " ".repeat(layout.start()),
                painted(&lost, LOST, look)
            );
        }
    }
    out
}

/// What stands behind each bar, under titles.
fn facts(funnel: &Funnel) -> Vec<[String; 4]> {
    let shares = funnel.of_first().zip(funnel.of_previous());
    let facts = funnel.steps.iter().zip(shares);
    let facts = facts.map(|(step, (of_first, of_previous))| {
        [
            figure(step.count),
            percent(of_first),
            percent(of_previous),
            duration(step.median),
        ]
    });
    std::iter::once(TITLES.map(str::to_owned))
        .chain(facts)
        .collect()
}

/// Who did not go on from a step to the next. Who still may is pending, not lost.
fn lost(step: &Step, next: &Step) -> Option<String> {
    let gone = step.count - next.count;
    let pending = if step.pending > 0.0 {
        step.pending
    } else {
        0.0
    };
    let part = |number: f64| format!("({})", percent(share(number, step.count)));
    let mut texts = Vec::new();
    if gone < 0.0 {
        texts.push(format!(
            "▲ {} more, the step before is optional",
            figure(-gone)
        ));
    } else if step.count > 0.0 {
        let lost = (gone - pending).max(0.0);
        texts.push(format!("▼ {} lost {}", figure(lost), part(lost)));
    }
    if pending > 0.0 {
        texts.push(format!("{} pending {}", figure(pending), part(pending)));
    }
    (!texts.is_empty()).then(|| texts.join(", "))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    use super::super::super::samples::{self, drawn};

    #[test]
    fn what_was_lost_stands_between_the_steps() {
        assert_snapshot!(drawn(&samples::steps(), 72), @"
                                            count  of first  of prev.     median
        1 signed_up  █████████████████████     40      100%
                     ▼ 10 lost (25%)
        2 created    ███████████████▊          30       75%       75%    2 d 4 h
                     ▼ 18 lost (60%)
        3 paid       ██████▎                   12       30%       40%  1 h 2 min
        ");
    }

    #[test]
    fn who_may_still_go_on_is_pending_and_not_lost() {
        let pending = [3, 18, 0].map(|pending| json!({"pending": pending}));
        let steps = samples::steps();
        let rows = steps.as_array().into_iter().flatten().zip(&pending);
        let steps: Value = rows
            .map(|(step, pending)| samples::with(step.clone(), pending))
            .collect();
        assert_snapshot!(drawn(&steps, 72), @"
                                            count  of first  of prev.     median
        1 signed_up  █████████████████████     40      100%
                     ▼ 7 lost (17.5%), 3 pending (7.5%)
        2 created    ███████████████▊          30       75%       75%    2 d 4 h
                     ▼ 0 lost (0%), 18 pending (60%)
        3 paid       ██████▎                   12       30%       40%  1 h 2 min
        ");
    }

    #[test]
    fn every_breakdown_value_and_period_is_a_block_of_its_own_scale() {
        assert_snapshot!(drawn(&samples::compared_steps(), 60), @"
        Chrome (current)         count  of first  of prev.      median
        1 signed_up  ██████████      8      100%
                     ▼ 6 lost (75%)
        2 paid       ██▌             2       25%       25%  1 min 30 s

        (none) (previous)        count  of first  of prev.      median
        1 signed_up  ██████████      8      100%
                     ▼ 8 lost (100%)
        2 paid                       0        0%        0%  1 min 30 s
        ");
    }

    #[test]
    fn periods_of_one_list_are_told_apart_and_nobody_loses_nobody() {
        let period = |name: &str, count: u64| {
            let more = json!({"compare_label": name});
            let step = |order| samples::with(samples::step(order, "visited", count, None), &more);
            [step(0), step(1)]
        };
        let results: Value = [period("current", 3), period("previous", 0)]
            .concat()
            .into();
        assert_snapshot!(drawn(&results, 60), @"
        current                    count  of first  of prev.  median
        1 visited  ██████████████      3      100%
                   ▼ 0 lost (0%)
        2 visited  ██████████████      3      100%      100%

        previous                   count  of first  of prev.  median
        1 visited                      0
        2 visited                      0
        ");
    }

    #[test]
    fn more_may_reach_a_step_than_the_optional_one_before() {
        let results = json!([
            samples::step(0, "a", 10, None),
            samples::step(1, "b", 2, None),
            samples::step(2, "c", 7, None)
        ]);
        assert_snapshot!(drawn(&results, 60), @"
                                   count  of first  of prev.  median
        1 a  ████████████████████     10      100%
             ▼ 8 lost (80%)
        2 b  ████                      2       20%       20%
             ▲ 5 more, the step before is optional
        3 c  ██████████████            7       70%      350%
        ");
    }

    #[test]
    fn no_width_and_no_name_breaks_it() {
        let nameless = json!([samples::with(
            samples::step(0, "", 1, None),
            &json!({"name": null})
        )]);
        for results in [samples::steps(), samples::compared_steps(), nameless] {
            for width in [0, 1, 10, 500] {
                assert!(!drawn(&results, width).is_empty());
            }
        }
    }
}
