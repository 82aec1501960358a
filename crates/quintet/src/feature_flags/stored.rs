//! What is stored of those for whom flags are asked, under what the caller gives.

use std::collections::{BTreeSet, HashMap};

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr_fn::in_list;
use quintet_behavior::flags::{Context as Somebody, GROUP_TYPES, Subject};
use quintet_query::GroupIndex;
use quintet_query::flags::FlagContext;
use quintet_store::schema;
use serde_json::{Map, Value};

use super::{Asked, Flags};
use crate::Result;
use crate::data::{column, text};

/// Columns of persons and groups, as the store names them.
pub(super) const ID: &str = "id";
pub(super) const KEY: &str = "key";

/// Everybody for whom flags are asked, in their order. All of them are looked up at once, and only what the flags ask for.
pub(super) async fn contexts(
    given: &[FlagContext],
    flags: &Flags,
    asked: Asked<'_>,
) -> Result<Vec<Somebody>> {
    let mut all: Vec<Somebody> = given.iter().map(|one| flags.context(one)).collect();
    let asks_about = |subject| flags.set().flags().iter().any(|f| f.asks_about(subject));
    if asks_about(Subject::Person) {
        persons(&mut all, asked).await?;
    }
    for (index, at) in (0..).zip(0..GROUP_TYPES) {
        if let Some(index) = GroupIndex::new(index).filter(|_| asks_about(Subject::Group(at))) {
            groups(&mut all, index, asked).await?;
        }
    }
    Ok(all)
}

async fn persons(all: &mut [Somebody], asked: Asked<'_>) -> Result<()> {
    let wanted: BTreeSet<&String> = all
        .iter()
        .filter_map(|one| one.distinct_id.as_ref())
        .collect();
    let (Some((persons, _)), Some(distinct_ids)) =
        (asked.data.persons()?, asked.data.distinct_ids()?)
    else {
        return Ok(());
    };
    if wanted.is_empty() {
        return Ok(());
    }
    let columns = || vec![column(schema::DISTINCT_ID), column(schema::PERSON_ID)];
    let known = distinct_ids.clone().select(columns())?;
    let known = known.filter(one_of(schema::DISTINCT_ID, wanted))?;
    let mut person_of: HashMap<String, String> = HashMap::new();
    for row in asked.rows(known).await? {
        let [id, person] = [schema::DISTINCT_ID, schema::PERSON_ID].map(|name| own(&row, name));
        person_of.insert(id, person);
    }
    let found: BTreeSet<&String> = person_of.values().collect();
    if found.is_empty() {
        return Ok(());
    }
    let properties = persons
        .select(vec![column(ID), column(schema::PROPERTIES)])?
        .filter(one_of(ID, found.clone()))?;
    let stored: HashMap<String, Map<String, Value>> = asked
        .rows(properties)
        .await?
        .iter()
        .map(|row| (own(row, ID), properties_of(row)))
        .collect();
    let ids = distinct_ids
        .select(columns())?
        .filter(one_of(schema::PERSON_ID, found))?;
    let mut ids_of: HashMap<String, Vec<String>> = HashMap::new();
    for row in asked.rows(ids).await? {
        let [id, person] = [schema::DISTINCT_ID, schema::PERSON_ID].map(|name| own(&row, name));
        ids_of.entry(person).or_default().push(id);
    }
    for somebody in all {
        let id = somebody.distinct_id.as_ref();
        let Some(person) = id.and_then(|id| person_of.get(id)) else {
            continue;
        };
        let properties = &mut somebody.person.properties;
        *properties = laid_over(stored.get(person), std::mem::take(properties));
        somebody.person.distinct_ids = ids_of.get(person).cloned().unwrap_or_default();
    }
    Ok(())
}

async fn groups(all: &mut [Somebody], index: GroupIndex, asked: Asked<'_>) -> Result<()> {
    let at = usize::from(index.get());
    let key = |somebody: &Somebody| somebody.groups.get(at)?.key.clone();
    let wanted: BTreeSet<String> = all.iter().filter_map(key).collect();
    let Some((groups, _)) = asked.data.groups(index)?.filter(|_| !wanted.is_empty()) else {
        return Ok(());
    };
    let found = groups
        .select(vec![column(KEY), column(schema::PROPERTIES)])?
        .filter(one_of(KEY, &wanted))?;
    let stored: HashMap<String, Map<String, Value>> = asked
        .rows(found)
        .await?
        .iter()
        .map(|row| (own(row, KEY), properties_of(row)))
        .collect();
    for group in all.iter_mut().filter_map(|one| one.groups.get_mut(at)) {
        if let Some(stored) = group.key.as_ref().and_then(|key| stored.get(key)) {
            group.properties = laid_over(Some(stored), std::mem::take(&mut group.properties));
        }
    }
    Ok(())
}

fn one_of<'a>(name: &str, values: impl IntoIterator<Item = &'a String>) -> Expr {
    in_list(column(name), values.into_iter().map(text).collect(), false)
}

fn laid_over(stored: Option<&Map<String, Value>>, given: Map<String, Value>) -> Map<String, Value> {
    let mut properties = stored.cloned().unwrap_or_default();
    properties.extend(given);
    properties
}

fn own(row: &Map<String, Value>, name: &str) -> String {
    let value = row.get(name).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}

/// The properties of a row, which are JSON text.
pub(super) fn properties_of(row: &Map<String, Value>) -> Map<String, Value> {
    let text = row.get(schema::PROPERTIES).and_then(Value::as_str);
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}
