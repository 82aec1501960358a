//! What an event is to a path: the page's URL, the screen's name or its own, cleaned and grouped.
//!
//! Rules: `spec/paths.md` section 2.1.

use std::borrow::Cow;
use std::collections::HashSet;

use regex::{Captures, Regex, Replacer};
use serde::{Deserialize, Serialize};

const PAGE_VIEW: &str = "$pageview";
const SCREEN: &str = "$screen";

/// How events are named in paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRules {
    /// A page view is its URL; otherwise the event's name.
    pub urls: bool,
    /// A screen is its name; otherwise the event's name.
    pub screen_names: bool,
    /// What is rewritten, each in the result of the one before.
    pub cleaning: Vec<Cleaning>,
    /// Texts in which `*` is any text. An item that one of them occurs in is replaced by the text as a whole.
    pub groupings: Vec<String>,
    /// Items that take no part, after all that.
    pub excluded: Vec<String>,
}

impl Default for ItemRules {
    fn default() -> Self {
        Self {
            urls: true,
            screen_names: true,
            cleaning: Vec::new(),
            groupings: Vec::new(),
            excluded: Vec::new(),
        }
    }
}

/// Every match of a pattern becomes another text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleaning {
    /// A regular expression.
    pub regex: String,
    /// What a match becomes. `\0` is the match, `\1` to `\9` are its groups (nothing, if there is none), and `\` before
    /// anything else says that this is meant as it stands.
    pub alias: String,
}

/// Why rules cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// The pattern is no regular expression.
    #[error("\"{0}\" is not a regular expression")]
    Regex(String),
}

/// Compiled [`ItemRules`].
///
/// ```
/// use quintet_behavior::paths::{ItemRules, Items};
/// let items = Items::new(&ItemRules { groupings: vec!["/user/*".to_owned()], ..ItemRules::default() })?;
/// assert_eq!(items.item("$pageview", Some("/user/7/edit"), None).as_deref(), Some("/user/*"));
/// assert_eq!(items.item("signed up", None, None).as_deref(), Some("signed up"));
/// # Ok::<(), quintet_behavior::paths::ItemError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Items {
    urls: bool,
    screen_names: bool,
    cleaning: Vec<(Regex, Alias)>,
    groupings: Vec<Grouping>,
    excluded: HashSet<String>,
}

impl Items {
    /// Compiles the rules.
    ///
    /// # Errors
    /// A pattern that is no regular expression.
    pub fn new(rules: &ItemRules) -> Result<Self, ItemError> {
        let compiled = |rule: &Cleaning| match Regex::new(&rule.regex) {
            Ok(regex) => Ok((regex, Alias::new(&rule.alias))),
            Err(_) => Err(ItemError::Regex(rule.regex.clone())),
        };
        Ok(Self {
            urls: rules.urls,
            screen_names: rules.screen_names,
            cleaning: rules
                .cleaning
                .iter()
                .map(compiled)
                .collect::<Result<_, _>>()?,
            groupings: rules
                .groupings
                .iter()
                .map(|text| Grouping::new(text))
                .collect(),
            excluded: rules.excluded.iter().cloned().collect(),
        })
    }

    /// The item of an event; `None` if it takes no part. `url` is its `$current_url`, `screen` its `$screen_name`, each
    /// `None` where it is missing.
    pub fn item<'a>(
        &'a self,
        event: &'a str,
        url: Option<&'a str>,
        screen: Option<&'a str>,
    ) -> Option<Cow<'a, str>> {
        let item = self.clean(self.name(event, url, screen));
        let item = match self.grouping(&item) {
            Some(grouping) => Cow::Borrowed(grouping.text.as_str()),
            None => item,
        };
        (!self.excluded.contains(item.as_ref())).then_some(item)
    }

    fn name<'a>(&self, event: &'a str, url: Option<&'a str>, screen: Option<&'a str>) -> &'a str {
        match event {
            PAGE_VIEW if self.urls => without_slash(url.unwrap_or_default()),
            SCREEN if self.screen_names => screen.unwrap_or_default(),
            _ => event,
        }
    }

    fn clean<'a>(&self, name: &'a str) -> Cow<'a, str> {
        self.cleaning
            .iter()
            .fold(Cow::Borrowed(name), |item, (regex, alias)| {
                let cleaned = match regex.replace_all(&item, alias) {
                    Cow::Owned(cleaned) => Some(cleaned),
                    Cow::Borrowed(_) => None,
                };
                cleaned.map_or(item, Cow::Owned)
            })
    }

    /// Of several groupings it is the one whose match is complete first when reading from the left.
    fn grouping(&self, item: &str) -> Option<&Grouping> {
        self.groupings
            .iter()
            .filter_map(|grouping| Some((grouping.end_of_match(item)?, grouping)))
            .min_by_key(|(end, _)| *end)
            .map(|(_, grouping)| grouping)
    }
}

/// A URL without the slash at its end, unless it is nothing else.
fn without_slash(url: &str) -> &str {
    match url.strip_suffix('/') {
        Some(stripped) if !stripped.is_empty() => stripped,
        _ => url,
    }
}

/// A text in which `*` is any text.
#[derive(Debug, Clone)]
struct Grouping {
    text: String,
    /// What stands before, between and after the stars.
    pieces: Vec<String>,
}

impl Grouping {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            pieces: text.split('*').map(str::to_owned).collect(),
        }
    }

    /// Where the match that ends first ends, anywhere in the item: taking each piece as early as possible leaves most to the
    /// next.
    fn end_of_match(&self, item: &str) -> Option<usize> {
        self.pieces.iter().try_fold(0, |from, piece| {
            let found = item.get(from..)?.find(piece.as_str())?;
            Some(from + found + piece.len())
        })
    }
}

/// What a match becomes.
#[derive(Debug, Clone)]
struct Alias(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Group(usize),
}

impl Alias {
    fn new(alias: &str) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut characters = alias.chars().peekable();
        while let Some(character) = characters.next() {
            let escaped = characters.next_if(|_| character == '\\');
            match escaped.and_then(|escaped| escaped.to_digit(10)) {
                Some(group) => {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                    parts.push(Part::Group(group as usize));
                }
                None => text.push(escaped.unwrap_or(character)),
            }
        }
        parts.push(Part::Text(text));
        Self(parts)
    }
}

impl Replacer for &Alias {
    fn replace_append(&mut self, captures: &Captures<'_>, to: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => to.push_str(text),
                Part::Group(group) => {
                    to.push_str(captures.get(*group).map_or("", |found| found.as_str()));
                }
            }
        }
    }

    fn no_expansion<'r>(&'r mut self) -> Option<Cow<'r, str>> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
