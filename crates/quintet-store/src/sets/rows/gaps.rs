//! Ascending numbers as Rice codes of the gaps between them.
//!
//! A gap is divided by a power of two: the quotient is that many ones and a zero, the remainder follows in as many bits as the power
//! has. With the power near the usual gap, a number takes about 1.5 bits more than its logarithm; which power that is follows from how
//! many numbers there are below which end, and is not written.

/// The bits of a remainder, for `count` numbers below `end`.
fn remainder_bits(count: u32, end: u32) -> u32 {
    // The median of gaps that are left to chance is 0.69 times their mean.
    let usual = u64::from(end) * 7 / (u64::from(count.max(1)) * 10);
    usual.max(1).ilog2()
}

/// Appends ascending numbers below `end`.
pub(super) fn write(numbers: &[u32], end: u32, bytes: &mut Vec<u8>) {
    let bits = remainder_bits(numbers.len() as u32, end);
    let mut target = Writer::new(bytes);
    let mut next = 0;
    for number in numbers {
        let gap = number - next;
        let mut ones = gap >> bits;
        while ones >= 32 {
            target.put(u64::from(u32::MAX), 32);
            ones -= 32;
        }
        target.put((1 << ones) - 1, ones + 1);
        target.put(u64::from(gap) & ((1 << bits) - 1), bits);
        next = number + 1;
    }
    target.finish();
}

/// Takes `count` numbers below `end` off the front of `bytes`; none if they are not there.
pub(super) fn read(bytes: &mut &[u8], count: u32, end: u32) -> Option<Vec<u32>> {
    let bits = remainder_bits(count, end);
    let mut source = Reader::new(bytes);
    // Each takes a bit at least, whatever the count says.
    let most = bytes.len().saturating_mul(8);
    let mut numbers = Vec::with_capacity((count.min(end) as usize).min(most));
    let mut next = 0u32;
    for _ in 0..count {
        let quotient = source.ones(end >> bits)?;
        let gap = (quotient << bits) | source.take(bits)?;
        let number = next.checked_add(gap).filter(|number| *number < end)?;
        numbers.push(number);
        next = number + 1;
    }
    *bytes = source.rest();
    Some(numbers)
}

/// Bits from the lowest one on.
struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    waiting: u64,
    bits: u32,
}

impl<'a> Writer<'a> {
    fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self {
            bytes,
            waiting: 0,
            bits: 0,
        }
    }

    /// Appends the lower `bits` of a value, 33 at most; its others are 0.
    fn put(&mut self, value: u64, bits: u32) {
        self.waiting |= value << self.bits;
        self.bits += bits;
        if self.bits >= 32 {
            let word = (self.waiting & u64::from(u32::MAX)) as u32;
            self.bytes.extend_from_slice(&word.to_le_bytes());
            self.waiting >>= 32;
            self.bits -= 32;
        }
    }

    /// Fills the last byte with zeros.
    fn finish(self) {
        let used = self.bits.div_ceil(8) as usize;
        let waiting = self.waiting.to_le_bytes();
        self.bytes.extend(waiting.iter().take(used));
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// Whole bytes of which bits are waiting or taken.
    at: usize,
    waiting: u64,
    bits: u32,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            waiting: 0,
            bits: 0,
        }
    }

    fn fill(&mut self) {
        while self.bits <= 56 {
            let Some(byte) = self.bytes.get(self.at) else {
                return;
            };
            self.waiting |= u64::from(*byte) << self.bits;
            self.bits += 8;
            self.at += 1;
        }
    }

    /// How many ones there are before the next zero, `most` at most.
    fn ones(&mut self, most: u32) -> Option<u32> {
        let mut ones = 0;
        loop {
            self.fill();
            let here = self.waiting.trailing_ones().min(self.bits);
            ones += here;
            if ones > most || self.bits == 0 {
                return None;
            }
            if here < self.bits {
                self.skip(here + 1);
                return Some(ones);
            }
            self.skip(here);
        }
    }

    fn take(&mut self, bits: u32) -> Option<u32> {
        self.fill();
        if self.bits < bits {
            return None;
        }
        let value = self.waiting & ((1 << bits) - 1);
        self.skip(bits);
        u32::try_from(value).ok()
    }

    fn skip(&mut self, bits: u32) {
        self.waiting = self.waiting.checked_shr(bits).unwrap_or(0);
        self.bits -= bits;
    }

    /// The bytes of which nothing was taken.
    fn rest(self) -> &'a [u8] {
        let taken = self.at - (self.bits / 8) as usize;
        self.bytes.get(taken..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_and_leave_what_follows(
            numbers in prop::collection::btree_set(0u32..600_000, 0..300),
            few in any::<bool>(),
        ) {
            let numbers: BTreeSet<u32> = match few {
                true => numbers.into_iter().map(|number| number % 500).collect(),
                false => numbers,
            };
            let numbers: Vec<u32> = numbers.into_iter().collect();
            let end = if few { 500 } else { 600_000 };
            let mut bytes = Vec::new();
            write(&numbers, end, &mut bytes);
            let whole = bytes.len();
            bytes.extend([7, 8, 9]);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(read(&mut rest, numbers.len() as u32, end).unwrap(), numbers.clone());
            prop_assert_eq!(rest, [7, 8, 9]);
            if !numbers.is_empty() {
                let mut cut = &bytes[..whole - 1];
                let short = read(&mut cut, numbers.len() as u32, end);
                prop_assert!(short.is_none_or(|short| short == numbers));
            }
        }

        #[test]
        fn whatever_the_bytes_are_there_is_no_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..64), count in 0u32..1000, end in 0u32..100_000,
        ) {
            if let Some(numbers) = read(&mut bytes.as_slice(), count, end) {
                prop_assert!(numbers.is_sorted() && numbers.iter().all(|number| *number < end));
            }
        }
    }

    #[test]
    fn a_number_takes_about_its_logarithm() {
        let numbers: Vec<u32> = (0..20).map(|n| n * 25_000 + n * n * 7 % 9_000).collect();
        let mut bytes = Vec::new();
        write(&numbers, 500_000, &mut bytes);
        assert!(bytes.len() <= 42, "{} bytes", bytes.len());
    }
}
