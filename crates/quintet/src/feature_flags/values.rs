//! The value of a flag for every group of a type.

use quintet_behavior::flags::Context as Somebody;
use quintet_query::flags::FlagValuesQuery;
use quintet_query::groups::display_name;
use quintet_query::{GroupIndex, trends::Actor};
use quintet_store::schema;
use serde_json::{Map, Value, json};

use super::stored::{KEY, properties_of};
use super::{Asked, Flags, row, with_warnings};
use crate::answer::Answer;
use crate::data::column;
use crate::{Error, Result};

/// One row per declared group and flag, by key.
pub(super) async fn answer(query: &FlagValuesQuery, asked: Asked<'_>) -> Result<Answer> {
    let flags = Flags::new(&query.definitions, asked.context)?;
    let group_type = group_type(query)?;
    let mut rows = Vec::new();
    let mut has_more = false;
    if let Some((groups, _)) = asked.data.groups(group_type)? {
        let groups = groups
            .select(vec![column(KEY), column(schema::PROPERTIES)])?
            .sort(vec![column(KEY).sort(true, false)])?
            .limit(query.offset, Some(query.limit.saturating_add(1)))?;
        let groups = asked.rows(groups).await?;
        has_more = groups.len() > query.limit;
        for group in groups.into_iter().take(query.limit) {
            let (somebody, named) = member(group_type, &group);
            for flag in query.definitions.asked() {
                let Some(Value::Object(value)) = row(&flags, &flag.key, &somebody) else {
                    continue;
                };
                rows.push(named.iter().map(owned).chain(value).collect());
            }
        }
    }
    let columns = [
        "group_key",
        "display_name",
        "key",
        "value",
        "reason",
        "condition_index",
        "payload",
    ];
    Ok(with_warnings(Answer::of_rows(rows), flags.warnings())
        .with("columns", json!(columns))
        .with("hasMore", json!(has_more))
        .with("limit", json!(query.limit))
        .with("offset", json!(query.offset)))
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// The type that is asked for: that of the first flag, or else of its first condition about groups.
fn group_type(query: &FlagValuesQuery) -> Result<GroupIndex> {
    let of_flag = || {
        let flag = query.definitions.asked().next()?;
        let mut of_conditions = flag.conditions.iter().filter_map(|one| match one.by {
            Actor::Group(index) => Some(index),
            Actor::Person => None,
        });
        flag.group_type.or_else(|| of_conditions.next())
    };
    query.group_type.or_else(of_flag).ok_or_else(|| {
        Error::invalid(
            "group_type_index",
            "is missing; the flag is about persons, so that it is not clear which groups are meant",
        )
    })
}

/// Nobody in particular who acts for a group, and how the group is called.
fn member(group_type: GroupIndex, group: &Map<String, Value>) -> (Somebody, Map<String, Value>) {
    let key = group.get(KEY).and_then(Value::as_str).unwrap_or_default();
    let properties = properties_of(group);
    let name = display_name(&Value::Object(properties.clone()), key);
    let mut somebody = Somebody::default();
    if let Some(group) = somebody.groups.get_mut(usize::from(group_type.get())) {
        group.key = Some(key.to_owned());
        group.properties = properties;
    }
    let named = [("group_key", json!(key)), ("display_name", json!(name))];
    let named = named.map(|(name, value)| (name.to_owned(), value));
    (somebody.with_ids(), named.into_iter().collect())
}
