//! Effects as intervals on one scale, with a line at no effect.

use super::super::Look;
use super::super::text::{left, width};
use super::super::view::{Arm, Chance, Experiment};
use super::super::words::percent;
use super::coloured;

/// The narrowest scale.
const LEAST: usize = 20;

/// One line per arm: its interval, and below it what it came to.
pub(super) fn intervals(experiment: &Experiment, look: Look) -> String {
    let texts: Vec<String> = experiment
        .arms
        .iter()
        .map(|arm| words(experiment, arm))
        .collect();
    let names = experiment.arms.iter().map(|arm| width(&arm.name)).max();
    let names = names.unwrap_or(1).clamp(1, look.width / 3);
    let widest = texts.iter().map(|text| width(text)).max().unwrap_or(0);
    let room = look
        .width
        .saturating_sub(names + widest + 4)
        .clamp(LEAST, 60);
    let scale = Scale::of(&experiment.arms, room);
    let lines = experiment.arms.iter().zip(&texts).enumerate();
    let line = |(at, (arm, text)): (usize, (&Arm, &String))| {
        let drawn = coloured(&scale.drawn(arm), at, look);
        let line = format!("{}  {drawn}  {text}", left(&arm.name, names));
        format!("{}\n", line.trim_end())
    };
    lines.map(line).collect()
}

fn words(experiment: &Experiment, arm: &Arm) -> String {
    let mean = experiment.unit.text(arm.mean);
    let mut words = format!("{} {mean}", experiment.measured);
    if mean.is_empty() {
        words = String::new();
    }
    if arm.effect.is_finite() {
        let unit = experiment.effect_unit;
        let text = |value| unit.text(value);
        words += &format!(
            ", effect {} ({} to {})",
            text(arm.effect),
            text(arm.low),
            text(arm.high)
        );
    }
    match arm.chance {
        Some((Chance::ToWin, chance)) => {
            words += &format!(", chance to win {}", percent(100.0 * chance));
        }
        Some((Chance::PValue, value)) => words += &format!(", p = {value:.4}"),
        None => {}
    }
    match (words.is_empty(), arm.verdict.is_empty()) {
        (_, true) => words,
        (true, false) => arm.verdict.clone(),
        (false, false) => format!("{words}, {}", arm.verdict),
    }
}

/// Where effects stand.
struct Scale {
    low: f64,
    high: f64,
    room: usize,
}

impl Scale {
    fn of(arms: &[Arm], room: usize) -> Self {
        let ends = arms.iter().flat_map(|arm| [arm.low, arm.high]);
        let ends = || ends.clone().filter(|end| end.is_finite());
        let (low, high) = (ends().fold(0.0, f64::min), ends().fold(0.0, f64::max));
        Self { low, high, room }
    }

    fn at(&self, effect: f64) -> Option<usize> {
        let span = self.high - self.low;
        let share = if span > 0.0 {
            (effect - self.low) / span
        } else {
            0.0
        };
        let last = self.room.saturating_sub(1);
        share
            .is_finite()
            .then(|| ((share * last as f64).round() as usize).min(last))
    }

    fn drawn(&self, arm: &Arm) -> String {
        let mut cells = vec![' '; self.room];
        let mut put = |at: Option<usize>, sign| {
            if let Some(cell) = at.and_then(|at| cells.get_mut(at)) {
                *cell = sign;
            }
        };
        let ends = (self.at(arm.low), self.at(arm.high));
        if let (Some(low), Some(high)) = ends {
            (low..=high).for_each(|at| put(Some(at), '─'));
        }
        put(self.at(0.0), '│');
        put(ends.0, '├');
        put(ends.1, '┤');
        put(self.at(arm.effect), '●');
        cells.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{self, drawn};

    #[test]
    fn intervals_stand_on_one_scale_with_no_effect_marked() {
        let drawn = drawn(&samples::experiment(), 100);
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(
            lines[0].starts_with("control") && lines[0].ends_with("mean 10"),
            "{drawn}"
        );
        assert!(
            lines[1].contains('│') && lines[1].contains('├') && lines[1].contains('●'),
            "{drawn}"
        );
        assert!(
            lines[1].ends_with("mean 12, effect 20% (8% to 32%), chance to win 99.9%, significant"),
            "{drawn}"
        );
        assert!(
            lines[2].ends_with("mean 9, not-enough-exposures"),
            "{drawn}"
        );
    }
}
