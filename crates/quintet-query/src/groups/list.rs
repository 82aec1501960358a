//! A list of the groups of a type: PostHog's `GroupsQuery`.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::filter::{Filter, PropertyNode};
use crate::reader::{Field, Path};
use crate::{Context, GroupIndex, GroupType};

use super::columns::{Column, GroupOrder, OrderKey, Select};

/// How many groups a list holds where nothing is said.
pub(super) const USUAL_PAGE: usize = 100;

/// A list of groups as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupsQuery {
    /// Which type.
    pub group_type: GroupType,
    /// The columns; by default how each group is called. Figures over all groups stand alone.
    pub select: Vec<Select>,
    /// Conditions on the groups' properties.
    pub properties: PropertyNode,
    /// Text that the name or the key must contain, whatever its case.
    pub search: Option<String>,
    /// The order; the newest first where it leaves groups equal.
    pub order_by: Vec<GroupOrder>,
    /// Rows to return at most.
    pub limit: usize,
    /// Rows to skip.
    pub offset: usize,
    /// Lists the groups that events name and nobody has declared too.
    pub include_seen: bool,
}

impl GroupsQuery {
    /// The first hundred declared groups of a type by name.
    pub fn of(group_type: impl Into<GroupType>) -> Self {
        Self {
            group_type: group_type.into(),
            select: vec![Select {
                name: "group_name".into(),
                column: Column::Name,
            }],
            properties: PropertyNode::default(),
            search: None,
            order_by: Vec::new(),
            limit: USUAL_PAGE,
            offset: 0,
            include_seen: false,
        }
    }

    /// Shows these columns, written as in JSON; repeats are dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no column, or for figures beside columns.
    pub fn select<'a>(mut self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let columns: Vec<Value> = columns.into_iter().map(Value::from).collect();
        let path = Path::root().field("select");
        let columns: Vec<Field<'_>> = (0..)
            .zip(&columns)
            .map(|(at, value)| Field::new(path.index(at), value))
            .collect();
        self.select = selected(&columns)?;
        Ok(self)
    }

    /// What the question means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown type or a condition on anything but these groups.
    pub fn resolve(&self, context: &Context) -> Result<Groups> {
        let path = Path::root().field("group_type_index");
        let group_type = self.group_type.resolve(context, &path)?;
        let path = Path::root().field("properties");
        let filter = self.properties.resolve(context, &path)?;
        if !filter.asks_only_about_groups(group_type) {
            return Err(Error::invalid(
                &path,
                format!(
                    "groups of type {} are filtered by properties of their own only: take filters of type group with this group_type_index",
                    group_type.get()
                ),
            ));
        }
        let mut order = self.order_by.clone();
        if self.search.is_some() {
            order.push(ascending(OrderKey::Rank));
        }
        order.extend(NEWEST_FIRST);
        Ok(Groups {
            group_type,
            select: self.select.clone(),
            filter,
            search: self.search.clone(),
            order,
            limit: self.limit,
            offset: self.offset,
            include_seen: self.include_seen,
        })
    }
}

/// A validated list of groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// Which type.
    pub group_type: GroupIndex,
    /// The columns.
    pub select: Vec<Select>,
    /// Conditions, on properties of groups of this type only.
    pub filter: Filter,
    /// Text that the name or the key must contain, whatever its case.
    pub search: Option<String>,
    /// The order, which leaves no two groups equal.
    pub order: Vec<GroupOrder>,
    /// Rows to return at most.
    pub limit: usize,
    /// Rows to skip.
    pub offset: usize,
    /// Lists the groups that events name and nobody has declared too.
    pub include_seen: bool,
}

impl Groups {
    /// The names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.select
            .iter()
            .map(|select| select.name.as_str())
            .collect()
    }

    /// What the cells of each column hold: `text`, `time`, `number`, `object`, or any `json`.
    pub fn types(&self) -> Vec<&'static str> {
        self.select
            .iter()
            .map(|select| select.column.kind())
            .collect()
    }

    /// True where the list is one row of figures over all groups.
    pub fn is_aggregate(&self) -> bool {
        self.select
            .iter()
            .any(|select| is_aggregate(&select.column))
    }
}

pub(super) const NEWEST_FIRST: [GroupOrder; 2] = [
    GroupOrder {
        key: OrderKey::CreatedAt,
        descending: true,
    },
    ascending(OrderKey::Key),
];

const fn ascending(key: OrderKey) -> GroupOrder {
    GroupOrder {
        key,
        descending: false,
    }
}

fn is_aggregate(column: &Column) -> bool {
    matches!(column, Column::Aggregate(_))
}

/// Reads columns, the first of each name.
pub(super) fn selected(columns: &[Field<'_>]) -> Result<Vec<Select>> {
    let mut selected: Vec<Select> = Vec::new();
    for field in columns {
        let select = Select {
            name: field.text()?,
            column: Column::parse(field)?,
        };
        if let Some(first) = selected.first()
            && is_aggregate(&first.column) != is_aggregate(&select.column)
        {
            return Err(Error::unsupported(
                format!("a figure over all groups beside a column ({})", field.path),
                "ask for the figures alone, or group with SQL over the table `groups`",
            ));
        }
        if selected.iter().all(|known| known.name != select.name) {
            selected.push(select);
        }
    }
    Ok(selected)
}
