//! `quintet groups`: groups as things.

use quintet::{Engine, QueryOptions};
use serde_json::{Map, Value, json};

use super::engine;
use super::query::print_answer;
use super::stats::facts;
use crate::arguments::{
    DeleteGroup, Groups, Limits, ListGroups, Output, RelatedTo, SetGroup, ShowGroup, UnsetGroup,
};
use crate::failure::{Failure, Result};
use crate::output::{self, Printed, tell};
use crate::render::View;

/// What a list shows where nothing is said: a reader wants the key beside the name.
const USUAL_COLUMNS: [&str; 3] = ["group_name", "key", "created_at"];

pub(super) async fn run(groups: Groups, limits: Limits) -> Result<()> {
    match groups {
        Groups::List(list) => self::list(list, limits).await,
        Groups::Show(show) => self::show(show, limits).await,
        Groups::Set(set) => self::set(set, limits).await,
        Groups::Unset(unset) => self::unset(unset, limits).await,
        Groups::Related(related) => self::related(related, limits).await,
        Groups::Delete(delete) => self::delete(delete, limits).await,
    }
}

async fn list(list: ListGroups, limits: Limits) -> Result<()> {
    let engine = engine(limits).open(&list.store).await?;
    let select = if list.select.is_empty() {
        USUAL_COLUMNS.map(str::to_owned).to_vec()
    } else {
        list.select
    };
    let properties = list.properties.as_deref();
    let definition = json!({
        "kind": "GroupsQuery",
        "group_type_index": engine.group_type_index(&list.group_type).await?.get(),
        "select": select,
        "search": list.search,
        "properties": properties.map(|text| parsed("--properties", text)).transpose()?,
        "orderBy": list.order,
        "limit": list.limit,
        "offset": list.offset,
        "includeSeen": list.include_seen,
    });
    ask(&engine, &definition, None, list.output).await
}

async fn show(show: ShowGroup, limits: Limits) -> Result<()> {
    let format = output::format(show.output.format)?;
    let engine = engine(limits).open(&show.store).await?;
    let definition = json!({
        "kind": "GroupPage",
        "group_type_index": engine.group_type_index(&show.group_type).await?.get(),
        "group_key": show.key,
        "days": show.days,
        "limit": show.limit,
    });
    let answer = engine
        .query_with(&definition.to_string(), &at(show.now))
        .await?;
    let rows = page(answer.results());
    output::print(
        &Printed {
            json: &answer.to_json(),
            view: View::rows(&rows, Vec::new()),
            rows: &rows,
        },
        format,
    )
}

/// A page about a group as one row per fact: what is counted by day, event, member and relation goes by these.
fn page(page: &Value) -> Value {
    let mut known = page.clone();
    let mut rows = Vec::new();
    let counted = [
        ("activity", "day", "events"),
        ("top_events", "event", "count"),
        ("top_members", "display_name", "event_count"),
        ("related", "display_name", "event_count"),
    ];
    for (list, name, figure) in counted {
        let items = known.get_mut(list).map(Value::take).unwrap_or_default();
        for item in items.as_array().into_iter().flatten() {
            let name = item.get(name).and_then(Value::as_str).unwrap_or_default();
            if item.get(figure).and_then(Value::as_u64) != Some(0) {
                rows.push(json!({"fact": format!("{list}.{name}"), "value": item.get(figure)}));
            }
        }
    }
    let facts = facts(&known);
    facts
        .as_array()
        .into_iter()
        .flatten()
        .cloned()
        .chain(rows)
        .collect()
}

async fn set(set: SetGroup, limits: Limits) -> Result<()> {
    let properties = parsed("properties", &set.properties)?;
    let engine = engine(limits).open(&set.store).await?;
    let group_type = engine.group_type_index(&set.group_type).await?;
    if set.new {
        engine
            .create_group(group_type, &set.key, &properties)
            .await?;
    } else {
        engine
            .set_group_properties(group_type, &set.key, &properties)
            .await?;
    }
    let number = properties.as_object().map_or(0, Map::len);
    tell(&format!(
        "set {number} properties of {} {}",
        set.group_type, set.key
    ));
    Ok(())
}

async fn unset(unset: UnsetGroup, limits: Limits) -> Result<()> {
    let engine = engine(limits).open(&unset.store).await?;
    let group_type = engine.group_type_index(&unset.group_type).await?;
    engine
        .unset_group_property(group_type, &unset.key, &unset.property)
        .await?;
    tell(&format!(
        "took {} away from {} {}",
        unset.property, unset.group_type, unset.key
    ));
    Ok(())
}

async fn related(related: RelatedTo, limits: Limits) -> Result<()> {
    let engine = engine(limits).open(&related.store).await?;
    let group_type = match &related.group_type {
        Some(group_type) => Some(engine.group_type_index(group_type).await?.get()),
        None => None,
    };
    let definition = json!({
        "kind": "RelatedGroups",
        "group_type_index": group_type,
        "id": related.key,
        "person": related.person,
        "days": related.days,
        "limit": related.limit,
    });
    ask(&engine, &definition, related.now, related.output).await
}

async fn delete(delete: DeleteGroup, limits: Limits) -> Result<()> {
    let engine = engine(limits).open(&delete.store).await?;
    let group_type = engine.group_type_index(&delete.group_type).await?;
    if delete.purge {
        let report = engine.purge_group(group_type.get(), &delete.key).await?;
        tell(&format!(
            "removed {} {} for good: {} events changed in {} files, {} files deleted",
            delete.group_type,
            delete.key,
            report.events_changed,
            report.files_rewritten,
            report.files_deleted
        ));
        if report.events_mentioning > 0 {
            tell(&format!(
                "{} events still hold the same text as a distinct id or in another property",
                report.events_mentioning
            ));
        }
        return Ok(());
    }
    engine.delete_group(group_type, &delete.key).await?;
    tell(&format!(
        "deleted {} {}; its events stay",
        delete.group_type, delete.key
    ));
    Ok(())
}

async fn ask(
    engine: &Engine,
    definition: &Value,
    now: Option<String>,
    output: Output,
) -> Result<()> {
    let format = output::format(output.format)?;
    let answer = engine.query_with(&definition.to_string(), &at(now)).await?;
    print_answer(&answer, format)
}

fn at(now: Option<String>) -> QueryOptions {
    QueryOptions {
        now,
        ..QueryOptions::default()
    }
}

fn parsed(argument: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Failure::invalid(argument, format!("it is no JSON ({error})")))
}
