//! SQL over a snapshot: tables, views, and what a statement may do.

use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider,
};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{DataFrame, SessionContext, lit};
use quintet_store::{FirstRows, GroupTypeEntry, GroupsByRef, schema};

use crate::data::{Data, column};
use crate::{Error, Result};

/// The plan of an SQL query over the tables of a snapshot.
pub(crate) async fn plan(
    data: &Data,
    types: &[GroupTypeEntry],
    query: &str,
    files: bool,
) -> Result<DataFrame> {
    let session = fresh(&data.session, files)?;
    let data = data.in_session(session.clone());
    register(&data, types)?;
    let only_reading = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    session
        .sql_with_options(query, only_reading)
        .await
        .map_err(|error| Error::invalid("query", reason(&error)))
}

/// A session with the same functions, runtime and limits but tables of its own.
fn fresh(session: &SessionContext, files: bool) -> Result<SessionContext> {
    let state = session.state();
    let names = &state.config_options().catalog;
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(&names.default_schema, Arc::new(MemorySchemaProvider::new()))?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(names.default_catalog.clone(), Arc::new(catalog));
    let state = SessionStateBuilder::new_from_existing(state)
        .with_catalog_list(Arc::new(catalogs))
        .with_optimizer_rule(Arc::new(GroupsByRef))
        .with_physical_optimizer_rule(Arc::new(FirstRows))
        .build();
    let session = SessionContext::new_with_state(state);
    Ok(if files {
        session.enable_url_table()
    } else {
        session
    })
}

fn reason(error: &datafusion::error::DataFusionError) -> String {
    let text = error.find_root().message().into_owned();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// Registers `events`, `persons`, `person_distinct_ids`, `groups`, `group_types` and a view per group type. They show real keys only.
pub(crate) fn register(data: &Data, types: &[GroupTypeEntry]) -> Result<()> {
    let session = &data.session;
    let hidden: Vec<&str> = [schema::PERSON_REF]
        .into_iter()
        .chain(schema::GROUP_REFS)
        .collect();
    session.register_table(
        "events",
        data.events(true)?.drop_columns(&hidden)?.into_view(),
    )?;
    let Some(tables) = data.entity_tables()? else {
        return Ok(());
    };
    let groups = tables.groups.drop_columns(&["ref"])?;
    for group_type in types {
        let of_type = groups
            .clone()
            .filter(column("index").eq(lit(i64::from(group_type.index))))?;
        // A type may bear the name of a table; the table wins.
        if !session.table_exist(quoted(&group_type.name))? {
            session.register_table(
                quoted(&group_type.name),
                of_type.drop_columns(&["index"])?.into_view(),
            )?;
        }
    }
    session.register_table(
        "persons",
        tables.persons.drop_columns(&["ref"])?.into_view(),
    )?;
    session.register_table(
        "person_distinct_ids",
        tables
            .distinct_ids
            .drop_columns(&[schema::PERSON_REF])?
            .into_view(),
    )?;
    session.register_table("groups", groups.into_view())?;
    session.register_table("group_types", tables.group_types.into_view())?;
    Ok(())
}

/// A group type's name as one identifier, whatever characters it has.
fn quoted(name: &str) -> datafusion::common::TableReference {
    datafusion::common::TableReference::bare(name.to_owned())
}
