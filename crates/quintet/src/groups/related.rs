//! Who shares events with a group or a person.

use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::expr_fn::in_list;
use datafusion::logical_expr::{Expr, SortExpr};
use datafusion::prelude::{DataFrame, lit};
use datafusion::scalar::ScalarValue;
use quintet_query::groups::{Related, RelatedTo};
use quintet_query::trends::Actor;
use quintet_query::{ActorsPage, GroupIndex};
use quintet_store::schema;
use serde_json::Value;

use super::Asked;
use crate::Result;
use crate::actors::{self, DISTINCT_ID, EVENT_COUNT, KEY, REAL_KEY};
use crate::answer::Answer;
use crate::data::{Data, column, text};
use crate::plan::Reading;
use crate::plan::matching::Matching;

/// When an actor's last shared event was.
const LAST_SEEN: &str = "last_seen";

/// The persons first, where a group is asked for, then the groups of each type.
pub(super) async fn answer(related: &Related, asked: Asked<'_>) -> Result<Answer> {
    let company = Company::of(related, asked).await?;
    let mut rows = match &related.of {
        RelatedTo::Group(..) => company.persons().await?,
        RelatedTo::Person(_) => Vec::new(),
    };
    rows.extend(company.groups(related).await?);
    Ok(Answer::of_rows(rows))
}

/// The groups alone.
pub(super) async fn groups(related: &Related, asked: Asked<'_>) -> Result<Vec<Value>> {
    let company = Company::of(related, asked).await?;
    company.groups(related).await
}

/// Only events of this group.
pub(super) fn of_group(group_type: GroupIndex, key: &str) -> Expr {
    column(Data::key_column(Actor::Group(group_type))).eq(text(key))
}

/// Those who share the events for which a condition holds.
pub(super) struct Company<'a> {
    asked: Asked<'a>,
    reading: Reading<'a>,
    condition: Expr,
    /// First and last instant of the events.
    range: Option<(i64, i64)>,
    limit: Option<usize>,
}

impl<'a> Company<'a> {
    async fn of(related: &Related, asked: Asked<'a>) -> Result<Self> {
        let condition = match &related.of {
            RelatedTo::Group(group_type, key) => of_group(*group_type, key),
            RelatedTo::Person(id) => of_person(id, asked).await?,
        };
        let range = (
            related.after.saturating_add(1),
            related.before.saturating_sub(1),
        );
        Ok(Self {
            range: Some(range),
            ..Self::sharing(condition, related.limit, asked).await?
        })
    }

    /// Those who share any such event, at most `limit` of a kind.
    pub(super) async fn sharing(
        condition: Expr,
        limit: Option<usize>,
        asked: Asked<'a>,
    ) -> Result<Self> {
        Ok(Self {
            reading: Reading::of([], asked.data, asked.run).await?,
            asked,
            condition,
            range: None,
            limit,
        })
    }

    /// The persons that exist as such, those with most events first.
    pub(super) async fn persons(&self) -> Result<Vec<Value>> {
        let most_active = vec![
            column(EVENT_COUNT).sort(false, false),
            column(REAL_KEY).sort(true, false),
        ];
        let persons = self.asked.data.persons()?;
        self.described(Actor::Person, persons, most_active).await
    }

    /// The declared groups of the types that are looked for, by type and key.
    async fn groups(&self, related: &Related) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        for index in related.types() {
            let declared = self.asked.data.groups(index)?;
            let by_key = vec![column(REAL_KEY).sort(true, false)];
            rows.extend(
                self.described(Actor::Group(index), declared, by_key)
                    .await?,
            );
        }
        Ok(rows)
    }

    fn events(&self) -> Matching<'_> {
        let events = self.reading.events(None).only(self.condition.clone());
        match self.range {
            Some((from, to)) => events.since(from).until(to),
            None => events,
        }
    }

    async fn described(
        &self,
        actor: Actor,
        known: Option<(DataFrame, &'static str)>,
        order: Vec<SortExpr>,
    ) -> Result<Vec<Value>> {
        let mut events = self.events();
        // The condition may be about the person, who is known only after merges.
        events.of(Actor::Person);
        let key = column(events.of(actor)).alias(KEY);
        let facts = vec![
            min(column(Data::key_column(actor))).alias(REAL_KEY),
            min(column(schema::DISTINCT_ID)).alias(DISTINCT_ID),
            count(lit(1)).alias(EVENT_COUNT),
            max(column(schema::TIMESTAMP)).alias(LAST_SEEN),
        ];
        let mut found = events.events()?.aggregate(vec![key], facts)?;
        if let Some((known, key)) = known {
            let known = known.select(vec![column(key).alias("known")])?;
            found = found.join(known, JoinType::LeftSemi, &[KEY], &["known"], None)?;
        }
        let found = self
            .asked
            .rows(found.sort(order)?.limit(0, self.limit)?)
            .await?;
        let last_seen: Vec<Option<Value>> = found
            .iter()
            .map(|row| row.get(LAST_SEEN).cloned())
            .collect();
        let all = ActorsPage::default();
        let (mut rows, _) =
            actors::described(found, actor, &all, self.asked.data, self.asked.run).await?;
        for (row, last_seen) in rows.iter_mut().zip(last_seen) {
            if let (Value::Object(row), Some(last_seen)) = (row, last_seen) {
                row.insert(LAST_SEEN.to_owned(), last_seen);
            }
        }
        Ok(rows)
    }
}

/// Only events of the person with this id or distinct id.
async fn of_person(id: &str, asked: Asked<'_>) -> Result<Expr> {
    let is_it = column(schema::DISTINCT_ID)
        .eq(text(id))
        .or(column(schema::PERSON_ID).eq(text(id)));
    let Some(known) = asked.data.distinct_ids()? else {
        return Ok(is_it);
    };
    let key = asked.data.joined_by(Actor::Person);
    let persons = known.filter(is_it)?.select(vec![column(key)])?.distinct()?;
    let mut keys = Vec::new();
    for batch in asked.run.collect(persons).await? {
        for row in 0..batch.num_rows() {
            keys.push(lit(ScalarValue::try_from_array(batch.column(0), row)?));
        }
    }
    Ok(in_list(column(key), keys, false))
}
