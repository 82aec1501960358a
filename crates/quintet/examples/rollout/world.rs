//! A roll-out whose effect is known, because it is made up: 1,000 companies, half of which get a new editor and create more documents.
//!
//! The same numbers every time: they come from a small generator, not from the clock.

use std::fmt::Write;

/// Companies, of each variant one half.
pub(crate) const COMPANIES: u64 = 1_000;
/// How many more documents people create with the new editor.
pub(crate) const EFFECT: f64 = 0.25;

/// Documents of an average person of an average company without it.
const DOCUMENTS: f64 = 3.0;
/// 1 March 2024 in seconds.
const BEGIN: u64 = 1_709_251_200;
const DAY: u64 = 86_400;

/// Numbers that look random (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below this number, evenly.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Evenly between 0 and 1.
    fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// How often something happens that happens so often on average (Poisson, by Knuth's method).
    fn times(&mut self, average: f64) -> u64 {
        let (least, mut product, mut times) = ((-average).exp(), self.share(), 0);
        while product > least {
            product *= self.share();
            times += 1;
        }
        times
    }
}

/// The events of the roll-out as JSON lines. The flag gives variants to companies, or else to each person on its own.
pub(crate) fn events(by_company: bool) -> String {
    let mut numbers = Numbers(7);
    let mut lines = String::new();
    for company in 0..COMPANIES {
        // What tells companies apart: how many they are, how much they write, when they first see the flag.
        let people = 4 + numbers.below(9);
        let level = 0.5 + numbers.share();
        let begin = BEGIN + numbers.below(7 * DAY);
        for person in 0..people {
            let has_editor = if by_company {
                company % 2 == 1
            } else {
                person % 2 == 1
            };
            let (variant, factor) = match has_editor {
                true => ("test", 1.0 + EFFECT),
                false => ("control", 1.0),
            };
            let mut event = |name: &str, at: u64, properties: &str| {
                let at = time(at);
                // Writing to a text cannot fail.
                let _ = writeln!(
                    lines,
                    r#"{{"event": "{name}", "distinct_id": "person_{company}_{person}", "timestamp": "{at}", "properties": {{{properties}"$groups": {{"company": "company_{company}"}}}}}}"#
                );
            };
            let called = format!(
                r#""$feature_flag": "new-editor", "$feature_flag_response": "{variant}", "#
            );
            event("$feature_flag_called", begin + person * 60, &called);
            for _ in 0..numbers.times(DOCUMENTS * level * factor) {
                let after = DAY / 24 + numbers.below(20 * DAY);
                event("document_created", begin + after, "");
            }
        }
    }
    lines
}

/// Seconds since 1970 in March 2024.
fn time(seconds: u64) -> String {
    let since = seconds - BEGIN;
    let (day, hour, minute) = (since / DAY + 1, since / 3_600 % 24, since / 60 % 60);
    format!("2024-03-{day:02}T{hour:02}:{minute:02}:{:02}Z", since % 60)
}
