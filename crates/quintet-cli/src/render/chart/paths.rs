//! Paths as bars: step by step, one per link.

use super::super::Look;
use super::super::text::{cut_start, figure, left, width};
use super::super::view::Link;
use super::bars::{Bar, Layout};

/// One block per step, in the answer's order within each, all on one scale. Long addresses differ at their ends, so these stay.
pub(super) fn links(links: &[Link], look: Look) -> String {
    let mut sorted: Vec<&Link> = links.iter().collect();
    sorted.sort_by_key(|link| link.step);
    let most = look.width / 4;
    let sources = sorted
        .iter()
        .map(|link| width(&link.source))
        .max()
        .unwrap_or(0)
        .min(most);
    let bar = |link: &&Link| Bar {
        name: format!(
            "  {} → {}",
            left(&cut_start(&link.source, most), sources),
            cut_start(&link.target, most)
        ),
        value: link.count,
        text: figure(link.count),
    };
    let bars: Vec<Bar> = sorted.iter().map(bar).collect();
    let layout = Layout::of(&bars, look.width, look);
    let mut out = String::new();
    let mut last = None;
    for (link, bar) in sorted.iter().zip(&bars) {
        if last != Some(link.step) {
            out += &format!("step {} → {}\n", link.step, link.step.saturating_add(1));
            last = Some(link.step);
        }
        out += &layout.line(bar);
    }
    out
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::super::samples::{self, drawn};

    #[test]
    fn links_stand_step_by_step_on_one_scale() {
        assert_snapshot!(drawn(&samples::paths(), 70), @"
        step 1 → 2
          /        → /pricing           ██████████████████████████████████  20
          /        → (none)             █████▏                               3
        step 2 → 3
          /pricing → …/way/to/checkout  ███████████▉                         7
        ");
    }
}
