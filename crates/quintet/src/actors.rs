//! Lists of actors: from keys to persons and groups as results show them.

use std::collections::HashMap;

use datafusion::functions_aggregate::array_agg::array_agg;
use datafusion::logical_expr::expr_fn::in_list;
use datafusion::prelude::{DataFrame, lit};
use datafusion::scalar::ScalarValue;
use quintet_query::ActorsPage;
use quintet_query::groups::display_name;
use quintet_query::trends::Actor;
use quintet_store::schema;
use serde_json::{Map, Value, json};

use crate::Result;
use crate::data::{Data, column};
use crate::rows::objects;
use crate::run::Run;

/// The column that tells actors apart.
pub(crate) const KEY: &str = "key";
/// A group's key or a person's id.
pub(crate) const REAL_KEY: &str = "real key";
/// One of the distinct ids that the actor's events carry.
pub(crate) const DISTINCT_ID: &str = "distinct id";
/// How many events of the actor stand behind the figure.
pub(crate) const EVENT_COUNT: &str = "event_count";

/// The rows of a list of actors, and whether more follow.
pub(crate) async fn rows(
    actors: DataFrame,
    actor: Actor,
    page: &ActorsPage,
    data: &Data,
    run: &Run,
) -> Result<(Vec<Value>, bool)> {
    // A search needs to know all of them; otherwise only the page is read.
    let (found, rest) = match page.search {
        Some(_) => (actors, page.clone()),
        None => {
            let one_more = page.limit.map(|limit| limit.saturating_add(1));
            let rest = ActorsPage {
                offset: 0,
                ..page.clone()
            };
            (actors.limit(page.offset, one_more)?, rest)
        }
    };
    described(
        objects(&run.collect(found).await?)?,
        actor,
        &rest,
        data,
        run,
    )
    .await
}

/// The rows of a list of actors that is in memory already, in the list's order, and whether more follow.
pub(crate) async fn described(
    mut found: Vec<Map<String, Value>>,
    actor: Actor,
    page: &ActorsPage,
    data: &Data,
    run: &Run,
) -> Result<(Vec<Value>, bool)> {
    let limit = page.limit.unwrap_or(usize::MAX);
    if page.search.is_none() {
        found.drain(..page.offset.min(found.len()));
        found.truncate(limit.saturating_add(1));
    }
    let mut rows = match actor {
        Actor::Person => persons(found, data, run).await?,
        Actor::Group(_) => groups(found, actor, data, run).await?,
    };
    if let Some(search) = &page.search {
        let search = search.to_lowercase();
        rows.retain(|row| is_found(row, &search));
        rows.drain(..page.offset.min(rows.len()));
    }
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    Ok((rows, has_more))
}

async fn persons(found: Vec<Map<String, Value>>, data: &Data, run: &Run) -> Result<Vec<Value>> {
    let known = known(&found, data.persons()?, run).await?;
    let mut ids = distinct_ids(&found, data, run).await?;
    let row = |actor: Map<String, Value>| {
        let key = text(&actor, KEY);
        let person = known.get(&key);
        let of_person = |name: &str| {
            person
                .and_then(|p| p.get(name).cloned())
                .unwrap_or(Value::Null)
        };
        let properties = json_of(&of_person(schema::PROPERTIES));
        let distinct_ids = ids
            .remove(&key)
            .unwrap_or_else(|| vec![actor.get(DISTINCT_ID).cloned().unwrap_or(Value::Null)]);
        let name = ["email", "name", "username"]
            .iter()
            .find_map(|p| properties.get(p).and_then(Value::as_str));
        let name = name.map(str::to_owned).or_else(|| {
            distinct_ids
                .first()
                .and_then(Value::as_str)
                .map(str::to_owned)
        });
        let row = json!({
            "type": "person",
            "id": actor.get(REAL_KEY),
            "distinct_ids": distinct_ids,
            "display_name": name,
            "is_identified": of_person("is_identified"),
            "properties": properties,
            "created_at": of_person("created_at"),
            "event_count": actor.get(EVENT_COUNT),
        });
        with_what_else_is_told(row, actor)
    };
    Ok(found.into_iter().map(row).collect())
}

async fn groups(
    found: Vec<Map<String, Value>>,
    actor: Actor,
    data: &Data,
    run: &Run,
) -> Result<Vec<Value>> {
    let Actor::Group(index) = actor else {
        return Ok(Vec::new());
    };
    let known = known(&found, data.groups(index)?, run).await?;
    let row = |actor: Map<String, Value>| {
        let group = known.get(&text(&actor, KEY));
        let of_group = |name: &str| {
            group
                .and_then(|g| g.get(name).cloned())
                .unwrap_or(Value::Null)
        };
        let properties = json_of(&of_group(schema::PROPERTIES));
        let key = actor.get(REAL_KEY).cloned().unwrap_or(Value::Null);
        let name = display_name(&properties, key.as_str().unwrap_or_default());
        let row = json!({
            "type": "group",
            "id": key,
            "group_type_index": index.get(),
            "group_key": key,
            "display_name": name,
            "properties": properties,
            "created_at": of_group("created_at"),
            "event_count": actor.get(EVENT_COUNT),
        });
        with_what_else_is_told(row, actor)
    };
    Ok(found.into_iter().map(row).collect())
}

/// A row with the columns of the list that only its insight has, at the end.
fn with_what_else_is_told(mut row: Value, actor: Map<String, Value>) -> Value {
    const NAMES: [&str; 4] = [KEY, REAL_KEY, DISTINCT_ID, EVENT_COUNT];
    let others = actor
        .into_iter()
        .filter(|(name, _)| !NAMES.contains(&name.as_str()));
    if let Some(row) = row.as_object_mut() {
        row.extend(others);
    }
    row
}

/// What is known of the actors found, by key.
async fn known(
    found: &[Map<String, Value>],
    entities: Option<(DataFrame, &'static str)>,
    run: &Run,
) -> Result<HashMap<String, Map<String, Value>>> {
    let Some((entities, key)) = entities else {
        return Ok(HashMap::new());
    };
    let rows = run
        .collect(entities.filter(in_list(column(key), keys(found), false))?)
        .await?;
    Ok(objects(&rows)?
        .into_iter()
        .map(|row| (text(&row, key), row))
        .collect())
}

/// All distinct ids of the persons found, by key.
async fn distinct_ids(
    found: &[Map<String, Value>],
    data: &Data,
    run: &Run,
) -> Result<HashMap<String, Vec<Value>>> {
    let Some(known) = data.distinct_ids()? else {
        return Ok(HashMap::new());
    };
    let key = data.joined_by(Actor::Person);
    let ids = known
        .filter(in_list(column(key), keys(found), false))?
        .aggregate(
            vec![column(key)],
            vec![array_agg(column(schema::DISTINCT_ID)).alias("ids")],
        )?;
    let rows = objects(&run.collect(ids).await?)?;
    let sorted = |row: &Map<String, Value>| {
        let mut ids = row
            .get("ids")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        ids.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        ids
    };
    Ok(rows
        .iter()
        .map(|row| (text(row, key), sorted(row)))
        .collect())
}

fn keys(found: &[Map<String, Value>]) -> Vec<datafusion::logical_expr::Expr> {
    let key = |row: &Map<String, Value>| match row.get(KEY) {
        Some(Value::Number(id)) => lit(ScalarValue::UInt32(
            id.as_u64().and_then(|id| u32::try_from(id).ok()),
        )),
        _ => crate::data::text(text(row, KEY)),
    };
    found.iter().map(key).collect()
}

/// A cell as text, whatever it holds.
fn text(row: &Map<String, Value>, name: &str) -> String {
    match row.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// Properties are stored as JSON text.
fn json_of(text: &Value) -> Value {
    text.as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| json!({}))
}

/// Whether an actor's name, key, ids or email contain a text.
fn is_found(row: &Value, search: &str) -> bool {
    let contains = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.to_lowercase().contains(search))
    };
    let ids = row.get("distinct_ids").and_then(Value::as_array);
    ["display_name", "group_key", "id"]
        .iter()
        .filter_map(|name| row.get(name))
        .any(contains)
        || ids.is_some_and(|ids| ids.iter().any(contains))
        || row.pointer("/properties/email").is_some_and(contains)
}
