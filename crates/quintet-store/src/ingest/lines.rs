//! Text cut into blocks of whole units: the lines of JSON lines, or the values of JSON that spreads over lines.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::input::Text;
use super::json;
use crate::error::{Error, Result};

/// The size at which a block is handed on.
const BLOCK: usize = 1 << 20;
/// The longest unit that is read; longer ones are no messages.
const LONGEST: usize = 1 << 30;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes that hold whole units.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) units: Units,
}

/// Where the units of a block are.
#[derive(Debug, PartialEq)]
pub(super) enum Units {
    /// One per line; the number of the first line.
    Lines(u64),
    /// At these places, with the number of the line on which each begins.
    Values(Vec<(u64, Range<usize>)>),
}

impl Default for Units {
    fn default() -> Self {
        Self::Lines(1)
    }
}

/// A block as text.
pub(super) struct Decoded {
    pub(super) text: String,
    units: Units,
    /// The lines on which units begin that are not UTF-8; they read as blank.
    pub(super) damaged: Vec<u64>,
}

impl Block {
    /// The units, whether they are text or not.
    pub(super) fn raw_units(&self) -> Vec<&[u8]> {
        match &self.units {
            Units::Lines(_) => {
                let lines = self.bytes.split(|&b| b == b'\n');
                lines.map(<[u8]>::trim_ascii).collect()
            }
            Units::Values(places) => {
                let values = places.iter().map(|(_, place)| &self.bytes[place.clone()]);
                values.collect()
            }
        }
    }

    /// The block as text.
    pub(super) fn decode(self) -> Decoded {
        let Self { bytes, units } = self;
        match String::from_utf8(bytes) {
            Ok(text) => Decoded {
                text,
                units,
                damaged: Vec::new(),
            },
            Err(error) => without_damage(error.into_bytes(), units),
        }
    }
}

impl Decoded {
    /// The units with the lines on which they begin, without white space around them.
    pub(super) fn units(&self) -> Vec<(u64, &str)> {
        match &self.units {
            Units::Lines(first) => {
                let lines = self.text.split('\n').map(str::trim);
                (*first..).zip(lines).collect()
            }
            Units::Values(places) => {
                let value =
                    |(line, place): &(u64, Range<usize>)| (*line, self.text[place.clone()].trim());
                places.iter().map(value).collect()
            }
        }
    }
}

fn without_damage(mut bytes: Vec<u8>, units: Units) -> Decoded {
    let places: Vec<(u64, Range<usize>)> = match &units {
        Units::Values(places) => places.clone(),
        Units::Lines(first) => {
            let mut start = 0;
            let lines = bytes.split(|&b| b == b'\n').map(|line| {
                let place = start..start + line.len();
                start = place.end + 1;
                place
            });
            (*first..).zip(lines).collect()
        }
    };
    let mut damaged = Vec::new();
    for (line, place) in places {
        if std::str::from_utf8(&bytes[place.clone()]).is_err() {
            bytes[place].fill(b' ');
            damaged.push(line);
        }
    }
    Decoded {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        units,
        damaged,
    }
}

/// The blocks of a text.
pub(super) struct Blocks {
    text: Text,
    /// What was read and not handed on.
    rest: Vec<u8>,
    /// The number of the line on which `rest` begins.
    line: u64,
    splitter: Option<Splitter>,
    begun: bool,
    ended: bool,
}

impl Blocks {
    /// The blocks of a text from its start.
    pub(super) fn new(text: Text) -> Self {
        Self {
            text,
            rest: Vec::new(),
            line: 1,
            splitter: None,
            begun: false,
            ended: false,
        }
    }

    /// Reads until there is a whole line and enough for a block.
    fn begin(&mut self) -> Result<()> {
        self.begun = true;
        let mut whole_line = false;
        while self.rest.len() < BLOCK || !whole_line {
            let read = self.rest.len();
            if self.text.fill(&mut self.rest, BLOCK)? == 0 {
                break;
            }
            whole_line |= self.rest[read..].contains(&b'\n');
            self.guard()?;
        }
        if self.rest.starts_with(BYTE_ORDER_MARK) {
            self.rest.drain(..BYTE_ORDER_MARK.len());
        }
        if spreads_over_lines(&self.rest) {
            self.splitter = Some(Splitter::default());
        }
        Ok(())
    }

    fn guard(&self) -> Result<()> {
        if self.rest.len() <= LONGEST + BLOCK {
            return Ok(());
        }
        Err(Error::invalid(
            self.text.file(),
            format!(
                "what begins on line {} is longer than 1 GiB, which no event is; split it into lines",
                self.line
            ),
        ))
    }

    /// The next block of whole lines.
    fn lines(&mut self) -> Result<Option<Block>> {
        let mut searched = 0;
        let end = loop {
            let newline = self.rest[searched..].iter().rposition(|&b| b == b'\n');
            if self.ended {
                break self.rest.len();
            }
            if let Some(at) = newline.filter(|_| self.rest.len() >= BLOCK) {
                break searched + at + 1;
            }
            if newline.is_none() {
                searched = self.rest.len();
            }
            self.ended = self.text.fill(&mut self.rest, BLOCK)? == 0;
            self.guard()?;
        };
        if end == 0 {
            return Ok(None);
        }
        let rest = self.rest.split_off(end);
        let bytes = std::mem::replace(&mut self.rest, rest);
        let first = self.line;
        self.line += json::count(&bytes, |b| b == b'\n') as u64;
        Ok(Some(Block {
            bytes,
            units: Units::Lines(first),
        }))
    }

    /// The next block of whole values.
    fn values(&mut self, mut splitter: Splitter) -> Result<Option<Block>> {
        let mut found = splitter.split(&self.rest);
        while found.is_empty() && !self.ended {
            self.ended = self.text.fill(&mut self.rest, BLOCK)? == 0;
            self.guard()?;
            found = splitter.split(&self.rest);
        }
        if self.ended {
            found.extend(splitter.finish(self.rest.len()));
        }
        let end = match found.last() {
            Some((_, last)) => last.end,
            None => return Ok(None),
        };
        let rest = self.rest.split_off(end);
        splitter.forget(end);
        self.splitter = Some(splitter);
        Ok(Some(Block {
            bytes: std::mem::replace(&mut self.rest, rest),
            units: Units::Values(found),
        }))
    }
}

impl Iterator for Blocks {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        let begun = if self.begun { Ok(()) } else { self.begin() };
        let block = begun.and_then(|()| match self.splitter.take() {
            Some(splitter) => self.values(splitter),
            None => self.lines(),
        });
        block.transpose()
    }
}

/// Is this the beginning of JSON whose values go over several lines, as an indented batch or an
/// array with one event per line do, rather than JSON lines, the first of which may be damaged?
fn spreads_over_lines(start: &[u8]) -> bool {
    let mut lines = start
        .split(|&b| b == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else {
        return false;
    };
    let parsed = serde_json::from_slice::<IgnoredAny>(first);
    if !parsed.is_err_and(|e| e.is_eof()) {
        return false;
    }
    let in_list = first.ends_with(b"[") || (first.starts_with(b"[") && !second.starts_with(b"["));
    let second_is_whole =
        second.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(second).is_ok();
    in_list
        || (first.ends_with(b"{") || first.ends_with(b",") || first.ends_with(b":"))
            && !second_is_whole
}

/// Finds the ends of JSON values without parsing them; the elements of a list count one by one.
#[derive(Debug)]
struct Splitter {
    /// How far the bytes were looked at.
    at: usize,
    line: u64,
    in_list: bool,
    value: Option<Value>,
}

/// A value whose end was not found yet.
#[derive(Debug)]
struct Value {
    start: usize,
    line: u64,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            at: 0,
            line: 1,
            in_list: false,
            value: None,
        }
    }
}

impl Splitter {
    /// The values that end within `bytes`, from where the last call stopped.
    fn split(&mut self, bytes: &[u8]) -> Vec<(u64, Range<usize>)> {
        let mut found = Vec::new();
        while let Some(&b) = bytes.get(self.at) {
            let Some(value) = &mut self.value else {
                self.between(b);
                self.at += 1;
                continue;
            };
            if value.depth == 0 && matches!(b, b',' | b']' | b'\n') && !value.in_text {
                found.push((value.line, value.start..self.at));
                self.value = None;
                continue;
            }
            self.line += u64::from(b == b'\n');
            self.at += 1;
            if value.take(b) {
                found.push((value.line, value.start..self.at));
                self.value = None;
            }
        }
        found
    }

    fn between(&mut self, b: u8) {
        match b {
            b'\n' => self.line += 1,
            b' ' | b'\t' | b'\r' | b',' => {}
            b'[' if !self.in_list => self.in_list = true,
            b']' if self.in_list => self.in_list = false,
            _ => {
                let mut value = Value {
                    start: self.at,
                    line: self.line,
                    depth: 0,
                    in_text: false,
                    escaped: false,
                };
                value.take(b);
                self.value = Some(value);
            }
        }
    }

    /// The value that the end of the text cuts off.
    fn finish(&mut self, end: usize) -> Option<(u64, Range<usize>)> {
        let value = self.value.take()?;
        Some((value.line, value.start..end))
    }

    /// Accounts for bytes that were handed on.
    fn forget(&mut self, bytes: usize) {
        self.at = self.at.saturating_sub(bytes);
        if let Some(value) = &mut self.value {
            value.start = value.start.saturating_sub(bytes);
        }
    }
}

impl Value {
    /// Takes a byte in, and says whether it closes the value.
    fn take(&mut self, b: u8) -> bool {
        match b {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_text => self.escaped = true,
            b'"' => self.in_text = !self.in_text,
            b'{' | b'[' if !self.in_text => self.depth += 1,
            b'}' | b']' if !self.in_text => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}
