//! Which groups a list shows and in which order, figures over them, and the values of a property.

use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::{avg, count, count_distinct, max, min, sum};
use datafusion::logical_expr::{Expr, SortExpr};
use datafusion::prelude::{DataFrame, coalesce, contains, lit, lower, starts_with, when};
use datafusion::scalar::ScalarValue;
use quintet_functions::expr_fn::{json_property, property_number};
use quintet_query::GroupIndex;
use quintet_query::groups::{Aggregate, Column, GroupOrder, GroupPropertyValues, Groups, OrderKey};
use quintet_query::trends::Actor;
use quintet_store::schema;

use super::{CREATED_AT, KEY};
use crate::Result;
use crate::data::{Data, column, text};
use crate::plan;

/// How a group is called.
const NAME: &str = "display name";
/// A value of a property and how many groups have it.
const VALUE: &str = "name";
const COUNT: &str = "count";

/// The groups of a list in its order, with key, beginning and properties; `None` where groups are not known at all.
pub(super) fn listed(list: &Groups, data: &Data) -> Result<Option<DataFrame>> {
    let Some(groups) = found(list, data)? else {
        return Ok(None);
    };
    let search = list.search.as_deref().unwrap_or_default();
    let order = list.order.iter().map(|order| sorted(order, search));
    let order: Vec<SortExpr> = order.collect::<Result<Vec<_>>>()?.concat();
    Ok(Some(groups.sort(order)?.select(columns())?))
}

/// One row of figures over the groups of a list, named as its columns are.
pub(super) fn figures(list: &Groups, data: &Data) -> Result<Option<DataFrame>> {
    let Some(groups) = found(list, data)? else {
        return Ok(None);
    };
    let columns = list
        .select
        .iter()
        .filter_map(|select| match &select.column {
            Column::Aggregate(figure) => Some(aggregate(figure).alias(&select.name)),
            _ => None,
        });
    Ok(Some(groups.aggregate(vec![], columns.collect())?))
}

/// The values that a property has, each as text with the number of its groups.
pub(super) fn property_values(
    query: &GroupPropertyValues,
    group_type: GroupIndex,
    data: &Data,
) -> Result<Option<DataFrame>> {
    let Some((groups, _)) = data.groups(group_type)? else {
        return Ok(None);
    };
    let mut values = groups
        .select(vec![value(&query.key).alias(VALUE)])?
        .filter(column(VALUE).is_not_null())?;
    if let Some(search) = &query.search {
        values = values.filter(contains(lower(column(VALUE)), needle(search)))?;
    }
    let counted = values
        .aggregate(vec![column(VALUE)], vec![count(lit(1)).alias(COUNT)])?
        .sort(vec![
            column(COUNT).sort(false, false),
            column(VALUE).sort(true, false),
        ])?;
    Ok(Some(counted.limit(0, query.limit)?))
}

/// The groups that a list is about, with their names.
fn found(list: &Groups, data: &Data) -> Result<Option<DataFrame>> {
    let declared = match data.groups(list.group_type)? {
        Some((declared, _)) => Some(declared.select(columns())?),
        None => None,
    };
    let groups = match (declared, list.include_seen) {
        (Some(declared), true) => {
            let seen = undeclared(list.group_type, Some(declared.clone()), data)?;
            declared.union(seen)?
        }
        (None, true) => undeclared(list.group_type, None, data)?,
        (Some(declared), false) => declared,
        (None, false) => return Ok(None),
    };
    let name = coalesce(vec![value("name"), column(KEY)]);
    let named = plan::groups::that(data, groups.with_column(NAME, name)?, &list.filter)?;
    Ok(Some(match &list.search {
        Some(search) => {
            let has = |name: &str| contains(lower(column(name)), needle(search));
            named.filter(has(NAME).or(has(KEY)))?
        }
        None => named,
    }))
}

/// The groups that events name and nobody has declared.
fn undeclared(
    group_type: GroupIndex,
    declared: Option<DataFrame>,
    data: &Data,
) -> Result<DataFrame> {
    let key = column(Data::key_column(Actor::Group(group_type)));
    let seen = data
        .events(false)?
        .filter(key.clone().is_not_null().and(key.clone().not_eq(text(""))))?
        .select(vec![key.alias(KEY)])?
        .distinct()?;
    let unknown = match declared {
        Some(declared) => {
            let declared = declared.select(vec![column(KEY).alias("declared")])?;
            seen.join(declared, JoinType::LeftAnti, &[KEY], &["declared"], None)?
        }
        None => seen,
    };
    let never = lit(ScalarValue::TimestampMicrosecond(None, Some("UTC".into())));
    Ok(unknown.select(vec![
        column(KEY),
        never.alias(CREATED_AT),
        text("{}").alias(schema::PROPERTIES),
    ])?)
}

fn columns() -> Vec<Expr> {
    vec![column(KEY), column(CREATED_AT), column(schema::PROPERTIES)]
}

/// A property as text.
fn value(property: &str) -> Expr {
    json_property(column(schema::PROPERTIES), property)
}

fn needle(search: &str) -> Expr {
    text(search.to_lowercase())
}

fn aggregate(figure: &Aggregate) -> Expr {
    let number = |property: &str| property_number(value(property));
    match figure {
        Aggregate::Count => count(lit(1)),
        Aggregate::CountOf(property) => count(value(property)),
        Aggregate::CountDistinct(property) => count_distinct(value(property)),
        Aggregate::Sum(property) => sum(number(property)),
        Aggregate::Average(property) => avg(number(property)),
        Aggregate::Min(property) => min(number(property)),
        Aggregate::Max(property) => max(number(property)),
    }
}

fn sorted(order: &GroupOrder, search: &str) -> Result<Vec<SortExpr>> {
    let by = match &order.key {
        OrderKey::Name => vec![column(NAME)],
        OrderKey::Key => vec![column(KEY)],
        OrderKey::CreatedAt => vec![column(CREATED_AT)],
        OrderKey::Property(name) => vec![property_number(value(name)), value(name)],
        OrderKey::Rank => {
            let name = || lower(column(NAME));
            let rank = when(name().eq(needle(search)), lit(0))
                .when(starts_with(name(), needle(search)), lit(1))
                .otherwise(lit(2))?;
            vec![rank]
        }
    };
    let sorted = by.into_iter().map(|by| by.sort(!order.descending, false));
    Ok(sorted.collect())
}
