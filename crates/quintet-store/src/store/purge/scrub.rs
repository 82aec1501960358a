//! JSON texts without a group: where the properties of events and persons name it, and what they say of it.

use crate::entities::Groups;
use crate::ingest::json;

/// What is said of a group by the event that declares it, beside its type.
const DECLARATION: [&str; 3] = ["$group_key", "$group_set", "$group_unset"];

/// A group to be taken out.
pub(super) struct Target<'a> {
    pub(super) index: usize,
    pub(super) key: &'a str,
    pub(super) groups: &'a Groups,
}

impl Target<'_> {
    /// Whether a JSON text may name the group; if not, it need not be parsed.
    fn may_be_in(&self, text: &str) -> bool {
        text.contains(self.key) || text.contains('\\')
    }

    fn is(&self, value: &str) -> bool {
        json::plain(value).is_some_and(|key| key == self.key)
    }

    /// Whether groups called by this type name are groups of this index. Types that nobody knows (any longer) may have been.
    fn is_type(&self, name: &str) -> bool {
        self.groups
            .index_of(name)
            .is_none_or(|index| index == self.index)
    }

    /// Whether a distinct id is the one under which a group declares itself. Of an index without a type any type that is not
    /// known may have been its own.
    pub(super) fn is_static_id(&self, distinct_id: &str) -> bool {
        let name = distinct_id
            .strip_prefix('$')
            .and_then(|rest| rest.strip_suffix(self.key)?.strip_suffix('_'));
        let own = self.groups.types().get(self.index).and_then(Option::as_ref);
        name.is_some_and(|name| match own {
            Some(own) => own.name == name,
            None => !name.is_empty() && self.groups.index_of(name).is_none(),
        })
    }

    /// The properties of an event without the group; none where they stay as they are.
    pub(super) fn event(&self, properties: &str) -> Option<String> {
        let json::Entries(entries) = self.entries(properties)?;
        let last = |name: &str| {
            let found = entries.iter().rfind(|(key, _)| key == name);
            found.map(|(_, value)| *value)
        };
        let declares = last("$group_key").is_some_and(|key| self.is(key))
            && last("$group_type")
                .and_then(json::plain)
                .is_none_or(|name| self.is_type(&name));
        let column = format!("$group_{}", self.index);
        // A list of ids without types is OpenPanel's; beside `$groups` it is a property like any other.
        let is_untyped = last("$groups").is_none();
        let new = |name: &str, value: &str| match name {
            name if declares && DECLARATION.contains(&name) => Edit::Drop,
            name if name == column && self.is(value) => Edit::Drop,
            "distinct_id" if json::plain(value).is_some_and(|id| self.is_static_id(&id)) => {
                Edit::Drop
            }
            "$groups" => self.without_entry(value).map_or(Edit::Keep, Edit::Change),
            "groups" if is_untyped => self.without_item(value).map_or(Edit::Keep, Edit::Change),
            _ => Edit::Keep,
        };
        edited(&entries, new)
    }

    /// The properties of a person without the group; none where they stay as they are.
    pub(super) fn person(&self, properties: &str) -> Option<String> {
        let json::Entries(entries) = self.entries(properties)?;
        edited(&entries, |name, value| match name {
            "groups" => self.without_item(value).map_or(Edit::Keep, Edit::Change),
            _ => Edit::Keep,
        })
    }

    /// Whether some property is the group's key, whatever it means.
    pub(super) fn is_mentioned(&self, properties: &str) -> bool {
        let entries = self.entries(properties).unwrap_or_default();
        entries.0.iter().any(|(_, value)| self.is(value))
    }

    fn entries<'a>(&self, properties: &'a str) -> Option<json::Entries<'a>> {
        json::entries(properties).filter(|_| self.may_be_in(properties))
    }

    fn without_entry(&self, groups: &str) -> Option<String> {
        let json::Entries(entries) = json::entries(groups)?;
        edited(&entries, |name, value| {
            if self.is(value) && self.is_type(name) {
                Edit::Drop
            } else {
                Edit::Keep
            }
        })
    }

    fn without_item(&self, list: &str) -> Option<String> {
        let items = list.starts_with('[').then(|| json::items(list).ok())??;
        let kept: Vec<&str> = items
            .iter()
            .copied()
            .filter(|item| !self.is(item))
            .collect();
        (kept.len() < items.len()).then(|| format!("[{}]", kept.join(",")))
    }
}

/// What becomes of an entry.
enum Edit {
    Keep,
    Drop,
    Change(String),
}

/// The object with its entries edited; none where all of them stay.
fn edited<'a>(
    entries: &[(std::borrow::Cow<'a, str>, &'a str)],
    edit: impl Fn(&str, &str) -> Edit,
) -> Option<String> {
    let edits: Vec<Edit> = entries
        .iter()
        .map(|(name, value)| edit(name, value))
        .collect();
    if edits.iter().all(|edit| matches!(edit, Edit::Keep)) {
        return None;
    }
    let kept = entries.iter().zip(&edits);
    Some(json::object(kept.filter_map(
        |((name, value), edit)| match edit {
            Edit::Keep => Some((name.as_ref(), *value)),
            Edit::Drop => None,
            Edit::Change(new) => Some((name.as_ref(), new.as_str())),
        },
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn groups() -> Groups {
        let mut groups = Groups::default();
        groups.claim("company", 0).unwrap();
        groups.claim("project", 0).unwrap();
        groups
    }

    fn event(key: &str, properties: &str) -> Option<String> {
        let groups = groups();
        let target = Target {
            index: 0,
            key,
            groups: &groups,
        };
        target.event(properties)
    }

    #[test]
    fn the_entry_of_its_type_goes_and_a_like_named_group_of_another_type_stays() {
        let properties = r#"{"a":1,"$groups":{"company":"acme","project":"acme"},"$group_0":"acme","$group_1":"acme"}"#;
        let expected = r#"{"a":1,"$groups":{"project":"acme"},"$group_1":"acme"}"#;
        assert_eq!(event("acme", properties).unwrap(), expected);
    }

    #[test]
    fn a_declaration_keeps_its_type_alone() {
        let properties =
            r#"{"$group_type":"company","$group_key":"acme","$group_set":{"name":"Acme"},"x":1}"#;
        let expected = r#"{"$group_type":"company","x":1}"#;
        assert_eq!(event("acme", properties).unwrap(), expected);
        assert_eq!(
            event("acme", &properties.replace("company", "project")),
            None
        );
    }

    #[test]
    fn keys_are_told_by_what_they_mean_not_by_how_they_are_written() {
        assert_eq!(
            event("42", r#"{"$groups":{"company":42}}"#).unwrap(),
            r#"{"$groups":{}}"#
        );
        assert_eq!(event("4", r#"{"$groups":{"company":42}}"#), None);
        assert_eq!(
            event("a/b", r#"{"$groups":{"company":"a\u002fb"}}"#).unwrap(),
            r#"{"$groups":{}}"#
        );
    }

    #[test]
    fn ids_without_types_go_from_their_list() {
        assert_eq!(
            event("b", r#"{"groups":["a","b"]}"#).unwrap(),
            r#"{"groups":["a"]}"#
        );
        assert_eq!(event("b", r#"{"groups":["a","b"],"$groups":{}}"#), None);
        assert_eq!(event("b", r#"{"groups":"b","other":["b"]}"#), None);
    }

    #[test]
    fn the_id_under_which_a_group_declares_itself_is_known_by_its_type() {
        let groups = groups();
        let is = |index, id| {
            let target = Target {
                index,
                key: "acme",
                groups: &groups,
            };
            target.is_static_id(id)
        };
        assert!(is(0, "$company_acme") && is(2, "$former_acme"));
        for id in [
            "$project_acme",
            "company_acme",
            "acme",
            "$former_acme",
            "$company_acme2",
        ] {
            assert!(!is(0, id), "{id}");
        }
        assert!(!is(2, "$company_acme") && !is(2, "$_acme"));
    }

    #[test]
    fn what_is_no_object_stays() {
        for text in [
            "[]",
            "acme",
            "",
            r#"{"$groups":"acme"}"#,
            r#"{"$groups":["acme"]}"#,
        ] {
            assert_eq!(event("acme", text), None, "{text}");
        }
    }
}
