//! How an input is changed: bytes as they are, and texts by what they are made of (strings, numbers, brackets).

use std::collections::HashSet;
use std::ops::Range;

use crate::noise::Noise;

/// Values that programs stumble over, in the place of a value.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1e400",
    "-1e400",
    "1e-400",
    "0.1",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551616",
    "253402300800",
    "123456789012345678901234567890123456789012345678901234567890",
    "NaN",
    "{}",
    "[]",
    "[null]",
    r#""""#,
    r#""\u0000""#,
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""\ud83d\ude00""#,
    r#""'; DROP TABLE events; --""#,
    r#""\"; SELECT 1; --""#,
    r#""a'b\"c`d\\e""#,
    r#""../../etc/passwd""#,
    r#""%2e%2e%2f""#,
    r#""*""#,
    r#""((((((((((a+)+)+)+)+)+)+)+)+)+$""#,
    r#""(?i)[[:alpha:]]{1,1000}{1,1000}""#,
    r#""-0001-01-01T00:00:00Z""#,
    r#""+10000-01-01T00:00:00Z""#,
    r#""0000-00-00""#,
    r#""9999-12-31T23:59:60.999999999999+14:00""#,
    r#""2024-02-30""#,
    r#""-99999999999d""#,
    r#""all""#,
    r#""$all""#,
];
/// Bytes that mean something to somebody.
const BYTES: &[u8] = b"\0\x01\x7f\x80\xc0\xed\xff\"\\'`{}[](),:;.%/-+ \n\r\t$eE09";
/// Values from the corpus that are kept to be put elsewhere.
const KNOWN: usize = 8192;

/// What inputs are changed with.
pub(crate) struct Mutations {
    /// Strings and numbers of the seeds, as they stand there.
    known: Vec<Vec<u8>>,
    seen: HashSet<Vec<u8>>,
}

impl Mutations {
    pub(crate) fn of(seeds: &[Vec<u8>]) -> Self {
        let mut mutations = Self {
            known: Vec::new(),
            seen: HashSet::new(),
        };
        seeds.iter().for_each(|seed| mutations.learn(seed));
        mutations
    }

    /// Takes the values of an input in.
    pub(crate) fn learn(&mut self, input: &[u8]) {
        for place in tokens(input) {
            let token = &input[place];
            if self.known.len() < KNOWN && token.len() < 200 && self.seen.insert(token.to_vec()) {
                self.known.push(token.to_vec());
            }
        }
    }

    /// An input, changed once or several times.
    pub(crate) fn change(&mut self, seed: &[u8], seeds: &[Vec<u8>], noise: &mut Noise) -> Vec<u8> {
        let mut input = seed.to_vec();
        let most = if noise.once_in(4) { 12 } else { 3 };
        let times = 1 + noise.below(most);
        for _ in 0..times {
            match noise.below(12) {
                0 => flip(&mut input, noise),
                1 => overwrite(&mut input, noise),
                2 => cut(&mut input, noise),
                3 => repeat(&mut input, noise),
                4 => splice(&mut input, seeds, noise),
                5 => number(&mut input, noise),
                6 => wrap(&mut input, noise),
                7 => swap(&mut input, noise),
                8 => ordinal(&mut input, noise),
                _ => self.replace(&mut input, noise),
            }
        }
        input
    }

    /// Puts a hostile value, or one that is known from elsewhere, in the place of a value.
    fn replace(&self, input: &mut Vec<u8>, noise: &mut Noise) {
        let places = tokens(input);
        let Some(place) = noise.pick(&places).cloned() else {
            return;
        };
        let value = match noise.below(3) {
            0 => noise.pick(VALUES).map(|value| value.as_bytes().to_vec()),
            _ => noise.pick(&self.known).cloned(),
        };
        input.splice(place, value.unwrap_or_default());
    }
}

/// Where strings, numbers and bare words are.
fn tokens(input: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < input.len() && found.len() < 4096 {
        let start = at;
        match input[at] {
            b'"' => {
                at += 1;
                while at < input.len() && input[at] != b'"' {
                    at += if input[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(input.len());
                found.push(start..at);
            }
            b if b.is_ascii_alphanumeric() || b == b'-' => {
                let is_word =
                    |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.' | b'_');
                while input.get(at).is_some_and(is_word) {
                    at += 1;
                }
                found.push(start..at);
            }
            _ => at += 1,
        }
    }
    found
}

fn flip(input: &mut [u8], noise: &mut Noise) {
    let (at, bit) = (noise.below(input.len()), noise.below(8));
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn overwrite(input: &mut [u8], noise: &mut Noise) {
    let at = noise.below(input.len());
    let value = noise.pick(BYTES).copied().unwrap_or_default();
    if let Some(byte) = input.get_mut(at) {
        *byte = value;
    }
}

fn range(input: &[u8], most: usize, noise: &mut Noise) -> Range<usize> {
    let start = noise.below(input.len() + 1);
    let length = 1 + noise.below(most);
    start..(start + length).min(input.len())
}

fn cut(input: &mut Vec<u8>, noise: &mut Noise) {
    if noise.once_in(4) {
        input.truncate(noise.below(input.len() + 1));
    } else {
        let range = range(input, 40, noise);
        input.drain(range);
    }
}

fn repeat(input: &mut Vec<u8>, noise: &mut Noise) {
    let range = range(input, 60, noise);
    let part = input[range.clone()].to_vec();
    let times = if noise.once_in(20) { 200 } else { 1 };
    for _ in 0..times {
        input.splice(range.end..range.end, part.iter().copied());
    }
}

fn splice(input: &mut Vec<u8>, seeds: &[Vec<u8>], noise: &mut Noise) {
    let Some(other) = noise.pick(seeds) else {
        return;
    };
    let theirs = range(other, other.len().max(1), noise);
    let ours = range(input, 60, noise);
    input.splice(ours, other[theirs].iter().copied());
}

/// Changes the digits of a number.
fn number(input: &mut Vec<u8>, noise: &mut Noise) {
    let is_number = |place: &Range<usize>| input[place.start].is_ascii_digit();
    let places: Vec<_> = tokens(input).into_iter().filter(is_number).collect();
    let Some(place) = noise.pick(&places).cloned() else {
        return;
    };
    let digits = match noise.below(4) {
        0 => (noise.number() >> noise.below(64)).to_string(),
        1 => format!("-{}", noise.below(1000)),
        2 => format!("{}e{}", noise.below(10), noise.below(400)),
        _ => "9".repeat(1 + noise.below(40)),
    };
    input.splice(place, digits.into_bytes());
}

/// Nests a value in brackets, now and then very deep.
fn wrap(input: &mut Vec<u8>, noise: &mut Noise) {
    let places = tokens(input);
    let Some(place) = noise.pick(&places).cloned() else {
        return;
    };
    let depth = if noise.once_in(8) {
        10_000
    } else {
        1 + noise.below(5)
    };
    let (open, close): (&[u8], &[u8]) = match noise.below(2) {
        0 => (b"[", b"]"),
        _ => (br#"{"a":"#, b"}"),
    };
    let value = input[place.clone()].to_vec();
    let nested = [open.repeat(depth), value, close.repeat(depth)].concat();
    input.splice(place, nested);
}

/// Lets two values change places.
fn swap(input: &mut Vec<u8>, noise: &mut Noise) {
    let places = tokens(input);
    let (one, other) = (noise.below(places.len()), noise.below(places.len()));
    let (Some(first), Some(second)) = (places.get(one.min(other)), places.get(one.max(other)))
    else {
        return;
    };
    if first != second {
        let (a, b) = (
            input[first.clone()].to_vec(),
            input[second.clone()].to_vec(),
        );
        input.splice(second.clone(), a);
        input.splice(first.clone(), b);
    }
}

/// A number of four or eight bytes, as binary formats have them.
fn ordinal(input: &mut [u8], noise: &mut Noise) {
    let width = if noise.once_in(2) { 4 } else { 8 };
    let values = [
        0,
        1,
        0x7f,
        0xff,
        0x7fff_ffff,
        0xffff_ffff,
        u64::MAX >> 1,
        u64::MAX,
    ];
    let value = noise.pick(&values).copied().unwrap_or_default();
    let at = noise.below(input.len());
    for (byte, new) in input.iter_mut().skip(at).zip(&value.to_le_bytes()[..width]) {
        *byte = *new;
    }
}
