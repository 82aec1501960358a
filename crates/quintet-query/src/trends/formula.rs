//! Formulas over series: letters for the series by position, `+ - * / % **`, numbers and parentheses.
//!
//! Held as a postfix program, so that neither running nor dropping a long formula recurses. Rules: `spec/trends.md` section 6.

use crate::error::{Error, Result};
use crate::reader::Path;

/// Deeper nesting than this is refused, so that no text overflows the stack.
const DEEPEST: usize = 64;

/// A formula that can be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// Label of its rows.
    pub label: String,
    program: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number(f64),
    Series(usize),
    Negate,
    Apply(Operation),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

impl Formula {
    /// Reads a formula over `series` series. Without a name it is labelled with its text as typed.
    pub(crate) fn parse(
        text: &str,
        custom_name: Option<&str>,
        series: usize,
        path: &Path,
    ) -> Result<Self> {
        let mut parser = Parser {
            rest: text,
            series,
            depth: 0,
            program: Vec::new(),
        };
        let parsed = parser.sum().and_then(|()| parser.end());
        match parsed {
            Ok(()) => Ok(Self {
                label: custom_name
                    .filter(|name| !name.is_empty())
                    .map_or_else(|| format!("Formula ({text})"), str::to_owned),
                program: parser.program,
            }),
            Err(reason) => Err(Error::invalid(
                path,
                format!("in the formula '{text}' {reason}"),
            )),
        }
    }

    /// The value where the series have these; a missing one counts as 0, and so does dividing by 0.
    pub fn evaluate(&self, series: &[f64]) -> f64 {
        let mut stack: Vec<f64> = Vec::new();
        for step in &self.program {
            let value = match *step {
                Step::Number(number) => number,
                Step::Series(index) => series.get(index).copied().unwrap_or(0.0),
                Step::Negate => -stack.pop().unwrap_or(0.0),
                Step::Apply(operation) => {
                    let right = stack.pop().unwrap_or(0.0);
                    let left = stack.pop().unwrap_or(0.0);
                    operation.apply(left, right)
                }
            };
            stack.push(value);
        }
        stack.pop().unwrap_or(0.0)
    }
}

impl Operation {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide if right == 0.0 => 0.0,
            Self::Divide => left / right,
            Self::Remainder if right == 0.0 => 0.0,
            // The sign of the divisor, as in Python.
            Self::Remainder => left - right * (left / right).floor(),
            Self::Power => left.powf(right),
        }
    }
}

/// Recursive descent in Python's order of precedence: `**` before signs, signs before `* / %`, these before `+ -`.
struct Parser<'t> {
    rest: &'t str,
    series: usize,
    depth: usize,
    program: Vec<Step>,
}

type Parsed = std::result::Result<(), String>;

impl Parser<'_> {
    fn sum(&mut self) -> Parsed {
        self.product()?;
        while let Some(operation) =
            self.operation(&[("+", Operation::Add), ("-", Operation::Subtract)])
        {
            self.product()?;
            self.program.push(Step::Apply(operation));
        }
        Ok(())
    }

    fn product(&mut self) -> Parsed {
        self.signed()?;
        while let Some(operation) = self.operation(&[
            ("*", Operation::Multiply),
            ("/", Operation::Divide),
            ("%", Operation::Remainder),
        ]) {
            self.signed()?;
            self.program.push(Step::Apply(operation));
        }
        Ok(())
    }

    fn signed(&mut self) -> Parsed {
        self.deeper()?;
        if self.take("-") {
            self.signed()?;
            self.program.push(Step::Negate);
        } else if self.take("+") {
            self.signed()?;
        } else {
            self.power()?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Groups to the right, and its exponent may carry a sign: `2 ** -1`.
    fn power(&mut self) -> Parsed {
        self.operand()?;
        if self.take("**") {
            self.signed()?;
            self.program.push(Step::Apply(Operation::Power));
        }
        Ok(())
    }

    fn operand(&mut self) -> Parsed {
        if self.take("(") {
            self.sum()?;
            return if self.take(")") {
                Ok(())
            } else {
                Err("a closing parenthesis is missing".to_owned())
            };
        }
        match self.rest.chars().next() {
            None => Err("an operand is missing at the end".to_owned()),
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => self.letter(),
            Some(c) => Err(format!(
                "'{c}' is not understood; use letters, numbers, + - * / % ** and parentheses"
            )),
        }
    }

    fn number(&mut self) -> Parsed {
        let length = number_length(self.rest);
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        let number: f64 = text
            .parse()
            .map_err(|_| format!("'{text}' is not a number"))?;
        self.program.push(Step::Number(number));
        Ok(())
    }

    fn letter(&mut self) -> Parsed {
        let length = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        match series_index(name) {
            Some(index) if index < self.series => {
                self.program.push(Step::Series(index));
                Ok(())
            }
            _ => Err(format!(
                "'{name}' is not a series; {}",
                letters(self.series)
            )),
        }
    }

    fn end(&mut self) -> Parsed {
        self.skip_spaces();
        match self.rest.chars().next() {
            None => Ok(()),
            Some(c) => Err(format!(
                "'{c}' is not expected; use letters, numbers, + - * / % ** and parentheses"
            )),
        }
    }

    fn deeper(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!(
                "signs and parentheses are nested more than {DEEPEST} deep"
            ));
        }
        self.skip_spaces();
        Ok(())
    }

    fn operation(&mut self, choices: &[(&str, Operation)]) -> Option<Operation> {
        choices
            .iter()
            .find(|(sign, _)| self.take(sign))
            .map(|(_, operation)| *operation)
    }

    /// Takes the sign if it comes next; `*` is not the beginning of `**`.
    fn take(&mut self, sign: &str) -> bool {
        self.skip_spaces();
        match self.rest.strip_prefix(sign) {
            Some(rest) if !(sign == "*" && rest.starts_with('*')) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

/// How many bytes of `text` belong to the number at its start: digits, a point, an exponent.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits_from = |start: usize| {
        bytes
            .iter()
            .skip(start)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut length = digits_from(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits_from(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits_from(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

fn series_index(name: &str) -> Option<usize> {
    match name.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => {
            Some(usize::from(letter.to_ascii_uppercase() - b'A'))
        }
        _ => None,
    }
}

fn letters(series: usize) -> String {
    let last = u8::try_from(series.clamp(1, 26)).map_or('Z', |count| char::from(b'A' + count - 1));
    match series {
        0 => "there are none".to_owned(),
        1 => "the only one is A".to_owned(),
        _ => format!("they are A to {last}"),
    }
}

#[cfg(test)]
mod tests;
