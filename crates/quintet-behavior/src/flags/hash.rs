//! How identifiers are shared out: a number between 0 and 1 that is always the same for the same texts.
//!
//! Rules: `spec/groups-and-ingestion.md` section 5.3. The hash is PostHog's, so that both put everybody into the same share.

use sha1_smol::Sha1;

/// The largest number that is made of the 60 bits taken of a digest.
const SCALE: f64 = 0xFFF_FFFF_FFFF_FFFF_u64 as f64;

/// Where an identifier lies for a flag, from 0 to 1. The salt `variant` shares out variants; a roll-out has none.
///
/// ```
/// let acme = quintet_behavior::flags::hash("group-flag", "amazon", "");
/// assert!((acme - 0.543).abs() < 0.001);
/// ```
pub fn hash(key: &str, identifier: &str, salt: &str) -> f64 {
    of([key, ".", identifier, salt])
}

/// Where an identifier lies for all holdouts, whatever the flag: whoever is held out is held out of every experiment.
pub fn holdout_hash(identifier: &str) -> f64 {
    of(["holdout-", identifier, "", ""])
}

fn of(parts: [&str; 4]) -> f64 {
    let mut digest = Sha1::new();
    for part in parts {
        digest.update(part.as_bytes());
    }
    let [a, b, c, d, e, f, g, h, ..] = digest.digest().bytes();
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 4) as f64 / SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_of_the_texts_joined() {
        // The first fifteen hex digits of SHA-1 of "abc", whose digest every textbook has.
        let expected = 0xa99_93e3_6470_6816_u64 as f64 / SCALE;
        assert_eq!(of(["abc", "", "", ""]), expected);
        assert_eq!(hash("a", "b", "c"), of(["a.bc", "", "", ""]));
        assert_ne!(hash("a", "b", ""), hash("a", "b", "variant"));
    }

    #[test]
    fn holdouts_are_the_same_for_every_flag() {
        // PostHog's own vectors.
        for (identifier, expected) in [
            ("some_distinct_id", 0.727_000_240_358_572_5),
            ("test-identifier", 0.449_388_171_604_023_6),
        ] {
            assert_eq!(holdout_hash(identifier), expected);
        }
    }
}
