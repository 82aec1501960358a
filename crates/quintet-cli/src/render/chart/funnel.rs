//! Funnels as bars, one per step, and between them what was lost.

use super::super::Look;
use super::super::text::{cut, figure, right, width};
use super::super::view::{Funnel, Step};
use super::super::words::{duration, percent, share};
use super::bars::{Bar, Layout};
use super::{blocks, painted};

/// What stands behind a bar, in columns.
const TITLES: [&str; 4] = ["count", "of first", "of prev.", "median"];
/// Red, for what was lost.
const LOST: &str = "38;5;203";

/// One block per breakdown value and period.
pub(super) fn funnels(funnels: &[Funnel], look: Look) -> String {
    blocks(funnels, |one| funnel(one, look))
}

fn funnel(funnel: &Funnel, look: Look) -> String {
    let facts = facts(funnel);
    let widths: Vec<usize> = (0..TITLES.len()).map(|i| widest(&facts, i)).collect();
    let text = |cells: &[String]| -> String {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, w)| right(cell, *w))
            .collect();
        cells.join("  ")
    };
    let bar = |(number, (step, facts)): (usize, (&Step, &[String; 4]))| Bar {
        name: format!("{number} {}", step.name),
        value: step.count,
        text: text(facts),
    };
    let bars: Vec<Bar> = (1..)
        .zip(funnel.steps.iter().zip(&facts))
        .map(bar)
        .collect();
    let layout = Layout::of(&bars, look.width / 4, look);

    let mut out = layout.head(
        &funnel.heading().unwrap_or_default(),
        &text(&TITLES.map(str::to_owned)),
    );
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

/// The texts behind each bar.
fn facts(funnel: &Funnel) -> Vec<[String; 4]> {
    let shares = funnel.of_first().zip(funnel.of_previous());
    let facts = funnel.steps.iter().zip(shares);
    facts
        .map(|(step, (of_first, of_previous))| {
            [
                figure(step.count),
                percent(of_first),
                percent(of_previous),
                duration(step.median),
            ]
        })
        .collect()
}

fn widest(facts: &[[String; 4]], i: usize) -> usize {
    let texts = facts.iter().map(|facts| width(&facts[i]));
    texts.max().unwrap_or(0).max(width(TITLES[i]))
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
