//! All about one group: what is known of it, when it was active, what it did and who belongs to it.

use datafusion::functions_aggregate::expr_fn::{count, count_distinct, max, min};
use datafusion::prelude::{DataFrame, lit};
use quintet_functions::expr_fn::bucket;
use quintet_query::groups::{GroupPage, GroupRow, RelatedGroups, RelatedTo};
use quintet_query::trends::Actor;
use quintet_store::schema;
use serde_json::{Map, Value, json};

use super::related::{self, Company, of_group};
use super::{Asked, not_found};
use crate::Result;
use crate::answer::Answer;
use crate::data::column;
use crate::plan::Reading;

const EVENTS: &str = "events";
const MEMBERS: &str = "members";
const FIRST: &str = "first_seen";
const LAST: &str = "last_seen";
const DAY: &str = "day";

/// Everything about a group, also about one that only events name.
pub(super) async fn answer(page: &GroupPage, asked: Asked<'_>) -> Result<Answer> {
    let reading = Reading::of([], asked.data, asked.run).await?;
    let group = Events {
        page,
        reading,
        asked,
    };
    let summary = group.summary().await?;
    let declared = asked.declared(page.group_type, &page.key).await?;
    if declared.is_none() && number(&summary, EVENTS) == 0 {
        return Err(not_found(page.group_type, &page.key));
    }
    let is_declared = declared.is_some();
    let row = declared.unwrap_or_else(|| GroupRow {
        key: page.key.clone(),
        created_at: None,
        properties: json!({}),
    });
    let of = RelatedTo::Group(page.group_type.into(), page.key.clone());
    let related = RelatedGroups {
        limit: Some(page.top),
        ..RelatedGroups::to(of)
    };
    let of_type = asked
        .context
        .group_types
        .get(usize::from(page.group_type.get()));
    let condition = of_group(page.group_type, &page.key);
    let members = Company::sharing(condition, Some(page.top), asked).await?;
    Ok(Answer::of(json!({
        "group_type_index": page.group_type.get(),
        "group_type": of_type,
        "group_key": row.key,
        "display_name": row.display_name(),
        "properties": row.properties,
        "created_at": row.created_at,
        "is_declared": is_declared,
        FIRST: summary.get(FIRST),
        LAST: summary.get(LAST),
        EVENTS: number(&summary, EVENTS),
        MEMBERS: number(&summary, MEMBERS),
        "activity": group.activity().await?,
        "top_events": group.top_events().await?,
        "top_members": members.persons().await?,
        "related": related::groups(&related.resolve(asked.context)?, asked).await?,
    })))
}

/// The events of the group that a page is about.
struct Events<'a> {
    page: &'a GroupPage,
    reading: Reading<'a>,
    asked: Asked<'a>,
}

impl Events<'_> {
    /// The events, and the column that tells their persons apart.
    fn all(&self) -> Result<(DataFrame, &'static str)> {
        let of_group = of_group(self.page.group_type, &self.page.key);
        let mut events = self.reading.events(None).only(of_group);
        let person = events.of(Actor::Person);
        Ok((events.events()?, person))
    }

    async fn summary(&self) -> Result<Map<String, Value>> {
        let (events, person) = self.all()?;
        let facts = vec![
            count(lit(1)).alias(EVENTS),
            count_distinct(column(person)).alias(MEMBERS),
            min(column(schema::TIMESTAMP)).alias(FIRST),
            max(column(schema::TIMESTAMP)).alias(LAST),
        ];
        let rows = self.asked.rows(events.aggregate(vec![], facts)?).await?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    async fn top_events(&self) -> Result<Vec<Map<String, Value>>> {
        let (events, _) = self.all()?;
        let counted = events
            .aggregate(
                vec![column(schema::EVENT)],
                vec![count(lit(1)).alias("count")],
            )?
            .sort(vec![
                column("count").sort(false, false),
                column(schema::EVENT).sort(true, false),
            ])?;
        self.asked
            .rows(counted.limit(0, Some(self.page.top))?)
            .await
    }

    /// One row per day, also where nothing happened.
    async fn activity(&self) -> Result<Vec<Value>> {
        let edges = &self.page.days.edges;
        let (events, person) = self.all()?;
        let firsts = events.clone().aggregate(
            vec![column(person)],
            vec![min(column(schema::TIMESTAMP)).alias(FIRST)],
        )?;
        let active = events.aggregate(
            vec![bucket(column(schema::TIMESTAMP), edges).alias(DAY)],
            vec![
                count(lit(1)).alias(EVENTS),
                count_distinct(column(person)).alias(MEMBERS),
            ],
        )?;
        let new = firsts.aggregate(
            vec![bucket(column(FIRST), edges).alias(DAY)],
            vec![count(lit(1)).alias(MEMBERS)],
        )?;
        let in_range = |days: DataFrame| days.filter(column(DAY).is_not_null());
        let active = self.asked.rows(in_range(active)?).await?;
        let new = self.asked.rows(in_range(new)?).await?;
        let figure = |rows: &[Map<String, Value>], day: u64, name: &str| {
            let row = rows.iter().find(|row| number(row, DAY) == day);
            row.map_or(0, |row| number(row, name))
        };
        let row = |(at, day): (u64, &String)| {
            json!({
                DAY: day,
                EVENTS: figure(&active, at, EVENTS),
                MEMBERS: figure(&active, at, MEMBERS),
                "new_members": figure(&new, at, MEMBERS),
            })
        };
        Ok((0..).zip(&self.page.days.days).map(row).collect())
    }
}

fn number(row: &Map<String, Value>, name: &str) -> u64 {
    row.get(name).and_then(Value::as_u64).unwrap_or_default()
}
