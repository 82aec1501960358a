//! Groups as things: lists of a type's groups, one group as a page, the values of a property, who belongs together.
//!
//! `columns` is what a list can show, `list` a list of groups, `reads` what PostHog answers over REST, `related` what goes
//! with a group or a person, `page` all about one group. Rules: `spec/groups-and-ingestion.md` section 2.
//!
//! ```
//! use quintet_query::Context;
//! use quintet_query::groups::{GroupRow, GroupsQuery, shape};
//! use serde_json::json;
//!
//! let question = GroupsQuery::of(0).select(["group_name", "properties.arr"])?;
//! let groups = question.resolve(&Context::new("2024-02-01T00:00:00Z".parse()?))?;
//! let acme = GroupRow { key: "acme".into(), created_at: None, properties: json!({"arr": 300}) };
//! assert_eq!(shape(&groups, vec![acme])[0].to_string(), r#"[{"display_name":"acme","key":"acme"},300]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod columns;
mod list;
mod page;
mod parse;
mod question;
mod reads;
mod related;
mod row;
mod shape;

pub use columns::{Aggregate, Column, GroupOrder, OrderKey, Select};
pub use list::{Groups, GroupsQuery};
pub use page::{GroupPage, GroupPageQuery};
pub use question::GroupsQuestion;
pub use reads::{GroupFind, GroupPropertyValues, GroupsListQuery};
pub use related::{Related, RelatedGroups, RelatedTo};
pub use row::{GroupRow, display_name};
pub use shape::{aggregated, shape};

#[cfg(test)]
mod tests;
