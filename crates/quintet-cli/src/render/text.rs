//! Text for a terminal: its width in columns, cutting and padding by it, and figures as people read them.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text with everything that could move the cursor or colour the terminal replaced by spaces.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(
            text.chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// The text within `columns`, its end replaced by `…` where it is longer.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut taken = String::new();
    let mut used = 0;
    for c in text.chars() {
        let next = c.width().unwrap_or(0);
        if used + next + 1 > columns {
            break;
        }
        used += next;
        taken.push(c);
    }
    if columns > 0 {
        taken.push('…');
    }
    Cow::Owned(taken)
}

/// The text within `columns`, its beginning replaced by `…` where it is longer.
pub(crate) fn cut_start(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let fits = |rest: &&str| width(rest) < columns;
    let rests = text
        .char_indices()
        .filter_map(|(start, _)| text.get(start..));
    match rests.skip(1).find(|rest| fits(rest)) {
        Some(rest) => Cow::Owned(format!("…{rest}")),
        None => cut(text, columns.min(1)),
    }
}

/// The text cut or filled up with spaces on its right to exactly `columns`.
pub(crate) fn left(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    format!("{text}{}", " ".repeat(columns - width(&text)))
}

/// The text cut or filled up with spaces on its left to exactly `columns`.
pub(crate) fn right(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    format!("{}{text}", " ".repeat(columns - width(&text)))
}

/// A figure for reading: thousands apart, at most three decimals (more for figures below 1); nothing for no figure.
pub(crate) fn figure(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let size = value.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-6) {
        return format!("{value:e}");
    }
    let decimals = if size == 0.0 || size >= 1.0 { 3 } else { 6 };
    let text = format!("{size:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut out = String::new();
    if value < 0.0 {
        out.push('-');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_thousands_apart_and_no_idle_zeros() {
        let read = [
            0.0,
            7.0,
            999.0,
            1000.0,
            276_419.0,
            -1234.5,
            2.0 / 3.0,
            10.0 / 3.0,
            1e15,
            f64::NAN,
        ]
        .map(figure);
        assert_eq!(
            read,
            [
                "0", "7", "999", "1,000", "276,419", "-1,234.5", "0.666667", "3.333", "1e15", ""
            ]
        );
    }

    #[test]
    fn wide_characters_take_two_columns_and_are_never_halved() {
        assert_eq!(width("日本語"), 6);
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(left("日本語", 4), "日… ");
        assert_eq!(right("é", 3), "  é");
        assert_eq!(cut("anything", 0), "");
        assert_eq!(
            ["日本語", "語", "ab", ""].map(|text| cut_start(text, 1)),
            ["…", "…", "…", ""]
        );
        assert_eq!(cut_start("日本語", 4), "…語");
        assert_eq!(cut_start("/a/page", 5), "…page");
        assert_eq!(cut_start("anything", 0), "");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31m\nb"), "a [31m b");
    }
}
