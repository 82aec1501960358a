//! Questions about groups as things, from question to answer, and what people change of groups by hand.

mod change;
mod list;
mod page;
mod related;

use datafusion::prelude::DataFrame;
use quintet_query::groups::{self, GroupFind, GroupRow, Groups, GroupsQuestion};
use quintet_query::{Context, GroupIndex};
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::data::{Data, column, text};
use crate::rows::objects;
use crate::run::Run;
use crate::{Error, Result};

/// Columns of groups, as the store names them.
const KEY: &str = "key";
const CREATED_AT: &str = "created_at";

/// What a question is answered from.
#[derive(Clone, Copy)]
struct Asked<'a> {
    context: &'a Context,
    data: &'a Data,
    run: &'a Run,
}

impl Asked<'_> {
    async fn rows(&self, plan: DataFrame) -> Result<Vec<Map<String, Value>>> {
        objects(&self.run.collect(plan).await?)
    }

    /// A group that somebody has declared.
    async fn declared(&self, group_type: GroupIndex, key: &str) -> Result<Option<GroupRow>> {
        let Some((groups, _)) = self.data.groups(group_type)? else {
            return Ok(None);
        };
        let found = self
            .rows(groups.filter(column(KEY).eq(text(key)))?)
            .await?
            .into_iter()
            .next();
        Ok(found.map(row))
    }
}

/// The answer to a question about groups.
pub(crate) async fn answer(
    question: &GroupsQuestion,
    context: &Context,
    data: &Data,
    run: &Run,
) -> Result<Answer> {
    let asked = Asked { context, data, run };
    match question {
        GroupsQuestion::Table(query) => table(&query.resolve(context)?, asked).await,
        GroupsQuestion::List(query) => whole(&query.resolve(context)?, asked).await,
        GroupsQuestion::Find(query) => find(query, asked).await,
        GroupsQuestion::PropertyValues(query) => {
            let group_type = query.group_type.index(context)?;
            match list::property_values(query, group_type, data)? {
                Some(values) => Ok(Answer::of_rows(objects_of(asked.rows(values).await?))),
                None => Ok(Answer::of_rows(Vec::new())),
            }
        }
        GroupsQuestion::Types => types(asked).await,
        GroupsQuestion::Related(query) => related::answer(&query.resolve(context)?, asked).await,
        GroupsQuestion::Page(query) => page::answer(&query.resolve(context)?, asked).await,
        _ => Err(Error::unsupported(
            "this question about groups",
            "use a newer version",
        )),
    }
}

async fn table(groups: &Groups, asked: Asked<'_>) -> Result<Answer> {
    let (rows, has_more) = if groups.is_aggregate() {
        (figures(groups, asked).await?, false)
    } else {
        let (found, has_more) = page_of(groups, asked).await?;
        (groups::shape(groups, found), has_more)
    };
    Ok(Answer::of_rows(rows)
        .with("kind", json!("GroupsQuery"))
        .with("columns", json!(groups.columns()))
        .with("types", json!(groups.types()))
        .with("hasMore", json!(has_more))
        .with("limit", json!(groups.limit))
        .with("offset", json!(groups.offset)))
}

async fn figures(groups: &Groups, asked: Asked<'_>) -> Result<Vec<Value>> {
    let found = match list::figures(groups, asked.data)? {
        Some(figures) => asked.rows(figures).await?.into_iter().next(),
        None => None,
    };
    Ok(groups::aggregated(groups, &found.unwrap_or_default()))
}

async fn whole(groups: &Groups, asked: Asked<'_>) -> Result<Answer> {
    let (found, has_more) = page_of(groups, asked).await?;
    let rows = found.iter().map(|row| row.to_json(groups.group_type));
    Ok(Answer::of_rows(rows.collect())
        .with("hasMore", json!(has_more))
        .with("limit", json!(groups.limit))
        .with("offset", json!(groups.offset)))
}

/// The groups of the page that a list asks for, and whether more follow.
async fn page_of(groups: &Groups, asked: Asked<'_>) -> Result<(Vec<GroupRow>, bool)> {
    let Some(listed) = list::listed(groups, asked.data)? else {
        return Ok((Vec::new(), false));
    };
    let one_more = groups.limit.saturating_add(1);
    let mut rows = asked
        .rows(listed.limit(groups.offset, Some(one_more))?)
        .await?;
    let has_more = rows.len() > groups.limit;
    rows.truncate(groups.limit);
    Ok((rows.into_iter().map(row).collect(), has_more))
}

async fn find(query: &GroupFind, asked: Asked<'_>) -> Result<Answer> {
    let group_type = query.group_type.index(asked.context)?;
    match asked.declared(group_type, &query.key).await? {
        Some(found) => Ok(Answer::of(found.to_json(group_type))),
        None => Err(not_found(group_type, &query.key)),
    }
}

fn not_found(group_type: GroupIndex, key: &str) -> Error {
    Error::invalid(
        "group_key",
        format!(
            "group \"{key}\" of type {} is not found; `quintet groups list` shows those there are",
            group_type.get()
        ),
    )
}

async fn types(asked: Asked<'_>) -> Result<Answer> {
    let Some(tables) = asked.data.entity_tables()? else {
        return Ok(Answer::of_rows(Vec::new()));
    };
    let types = tables.group_types.select(vec![
        column("group_type"),
        column("index").alias("group_type_index"),
        column("name_singular"),
        column("name_plural"),
        column(CREATED_AT),
    ])?;
    let by_index = types.sort(vec![column("group_type_index").sort(true, false)])?;
    Ok(Answer::of_rows(objects_of(asked.rows(by_index).await?)))
}

fn objects_of(rows: Vec<Map<String, Value>>) -> Vec<Value> {
    rows.into_iter().map(Value::Object).collect()
}

/// A group from a row with its key, its beginning and its properties as JSON text.
fn row(row: Map<String, Value>) -> GroupRow {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let properties = text(quintet_store::schema::PROPERTIES)
        .and_then(|properties| serde_json::from_str(properties).ok());
    GroupRow {
        key: text(KEY).unwrap_or_default().to_owned(),
        created_at: text(CREATED_AT).map(str::to_owned),
        properties: properties.unwrap_or_else(|| json!({})),
    }
}
