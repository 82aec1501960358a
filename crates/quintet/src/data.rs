//! What a question reads: one pinned version of a store, or a plain folder of Parquet.
//!
//! Both give the same relations; a folder has no persons, no groups and no dense ids, so its actors go by their real keys.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, SessionContext, coalesce, lit, when};
use datafusion::scalar::ScalarValue;
use quintet_query::GroupIndex;
use quintet_query::trends::Actor;
use quintet_store::schema::{self, Promoted, PropertyType};
use quintet_store::{Folder, PropertyColumn, Snapshot};

use crate::Result;
use crate::plan::matching::time;

/// A column by its exact name; DataFusion's own `col` folds case and splits at dots.
pub(crate) fn column(name: impl Into<String>) -> Expr {
    Expr::Column(Column::from_name(name))
}

/// A literal in the type that texts have in every table, so that no comparison has to cast a column.
pub(crate) fn text(value: impl Into<String>) -> Expr {
    lit(ScalarValue::Utf8View(Some(value.into())))
}

/// How actors are told apart (decision 10 of the design).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ActorKeys {
    /// By the store's dense ids; a folder falls back to keys.
    #[default]
    Ids,
    /// By their real keys, as on any Parquet.
    Keys,
}

/// One pinned version of the data, and the session that reads it.
#[derive(Clone)]
pub(crate) struct Data {
    pub(crate) session: SessionContext,
    events: Arc<dyn TableProvider>,
    entities: Option<Entities>,
    /// The properties that have a column of their own: its name and type by theirs.
    promoted: HashMap<String, (String, PropertyType)>,
    keys: ActorKeys,
    /// Group types whose index had another type before: events before these instants have no such group.
    reused: Vec<(usize, i64)>,
}

/// The persons and groups of a store.
#[derive(Clone)]
struct Entities {
    persons: RecordBatch,
    distinct_ids: RecordBatch,
    groups: RecordBatch,
    group_types: RecordBatch,
    overrides: RecordBatch,
}

/// The relations of persons and groups, as SQL names them.
pub(crate) struct EntityTables {
    pub(crate) persons: DataFrame,
    pub(crate) distinct_ids: DataFrame,
    pub(crate) groups: DataFrame,
    pub(crate) group_types: DataFrame,
}

impl Data {
    /// The data of a snapshot.
    pub(crate) async fn of_snapshot(
        session: SessionContext,
        snapshot: &Snapshot,
        keys: ActorKeys,
    ) -> Result<Self> {
        session.register_object_store(
            snapshot.object_store_url().as_ref(),
            Arc::clone(snapshot.object_store()),
        );
        let known = snapshot.entities().await?;
        let entities = Entities {
            persons: known.persons()?.clone(),
            distinct_ids: known.person_distinct_ids()?.clone(),
            groups: known.groups()?.clone(),
            group_types: known.group_types()?.clone(),
            overrides: known.person_overrides()?.clone(),
        };
        let own_column = |promoted: Promoted| {
            let column = promoted.column();
            (promoted.name, (column, promoted.kind))
        };
        let promoted = snapshot.promoted().into_iter().map(own_column).collect();
        let reused = snapshot
            .group_types()
            .iter()
            .filter_map(|known| Some((usize::from(known.index), known.created_at?)));
        Ok(Self {
            session,
            events: snapshot.events(),
            entities: Some(entities),
            promoted,
            keys,
            reused: reused.collect(),
        })
    }

    /// The data of a plain folder.
    pub(crate) fn of_folder(session: SessionContext, folder: &Folder) -> Self {
        let location = folder.location();
        session.register_object_store(
            location.object_store_url().as_ref(),
            Arc::clone(location.object_store()),
        );
        let own_column = |found: &PropertyColumn| {
            let Promoted { name, kind } = &found.property;
            (name.clone(), (found.column.clone(), *kind))
        };
        let promoted = folder.properties().iter().map(own_column).collect();
        Self {
            session,
            events: folder.events(),
            entities: None,
            promoted,
            keys: ActorKeys::Keys,
            reused: Vec::new(),
        }
    }

    /// The same data, read in another session.
    pub(crate) fn in_session(&self, session: SessionContext) -> Self {
        Self {
            session,
            ..self.clone()
        }
    }

    /// The events, with merged persons resolved if `with_person`.
    pub(crate) fn events(&self, with_person: bool) -> Result<DataFrame> {
        let events = self.session.read_table(Arc::clone(&self.events))?;
        let events = self.hide_former_types(events)?;
        match &self.entities {
            Some(entities) if with_person && entities.overrides.num_rows() > 0 => {
                self.resolve_merges(events, &entities.overrides)
            }
            None if with_person => Ok(events.with_column(
                schema::PERSON_ID,
                coalesce(vec![column(schema::PERSON_ID), column(schema::DISTINCT_ID)]),
            )?),
            _ => Ok(events),
        }
    }

    /// Takes the groups of a deleted type off the events that are older than the type which has its index now.
    fn hide_former_types(&self, mut events: DataFrame) -> Result<DataFrame> {
        for (index, since) in &self.reused {
            let is_of_type = || column(schema::TIMESTAMP).gt_eq(time(*since));
            if let Some(key) = schema::GROUPS.get(*index) {
                let kept = when(is_of_type(), column(*key)).end()?;
                events = events.with_column(key, kept)?;
            }
            if let Some(reference) = schema::GROUP_REFS.get(*index) {
                let kept = when(is_of_type(), column(*reference)).otherwise(lit(0u32))?;
                events = events.with_column(reference, kept)?;
            }
        }
        Ok(events)
    }

    /// Rows keep the person of their ingestion; a merge moves them to the person that remained.
    fn resolve_merges(&self, events: DataFrame, overrides: &RecordBatch) -> Result<DataFrame> {
        let overrides = self.session.read_batch(overrides.clone())?.select(vec![
            column("old_ref").alias("merged_old_ref"),
            column(schema::PERSON_REF).alias("merged_ref"),
            column(schema::PERSON_ID).alias("merged_id"),
        ])?;
        let joined = events.join(
            overrides,
            JoinType::Left,
            &[schema::PERSON_REF],
            &["merged_old_ref"],
            None,
        )?;
        let resolved = joined
            .with_column(
                schema::PERSON_REF,
                coalesce(vec![column("merged_ref"), column(schema::PERSON_REF)]),
            )?
            .with_column(
                schema::PERSON_ID,
                coalesce(vec![column("merged_id"), column(schema::PERSON_ID)]),
            )?;
        Ok(resolved.drop_columns(&["merged_old_ref", "merged_ref", "merged_id"])?)
    }

    /// The column that tells actors apart, and the condition that an event has one.
    pub(crate) fn actor(&self, actor: Actor) -> (&'static str, Option<Expr>) {
        match (actor, self.keys) {
            (Actor::Person, ActorKeys::Ids) => (schema::PERSON_REF, None),
            (Actor::Person, ActorKeys::Keys) => (schema::PERSON_ID, None),
            (Actor::Group(index), ActorKeys::Ids) => {
                let name = schema::GROUP_REFS[usize::from(index.get())];
                (name, Some(column(name).not_eq(lit(0u32))))
            }
            (Actor::Group(index), ActorKeys::Keys) => {
                let name = schema::GROUPS[usize::from(index.get())];
                (
                    name,
                    Some(column(name).is_not_null().and(column(name).not_eq(lit("")))),
                )
            }
        }
    }

    /// The column of an actor's real key.
    pub(crate) fn key_column(actor: Actor) -> &'static str {
        match actor {
            Actor::Person => schema::PERSON_ID,
            Actor::Group(index) => schema::GROUPS[usize::from(index.get())],
        }
    }

    /// Persons, one row each: the column that [`actor`](Self::actor) compares, and `properties`. `None` where nothing is known of them.
    pub(crate) fn persons(&self) -> Result<Option<(DataFrame, &'static str)>> {
        let Some(entities) = &self.entities else {
            return Ok(None);
        };
        let key = if self.keys == ActorKeys::Ids {
            "ref"
        } else {
            "id"
        };
        Ok(Some((
            self.session.read_batch(entities.persons.clone())?,
            key,
        )))
    }

    /// Which person each distinct id belongs to now.
    pub(crate) fn distinct_ids(&self) -> Result<Option<DataFrame>> {
        self.entities
            .as_ref()
            .map(|entities| Ok(self.session.read_batch(entities.distinct_ids.clone())?))
            .transpose()
    }

    /// The declared groups of a type, as [`persons`](Self::persons).
    pub(crate) fn groups(&self, index: GroupIndex) -> Result<Option<(DataFrame, &'static str)>> {
        let Some(entities) = &self.entities else {
            return Ok(None);
        };
        let key = if self.keys == ActorKeys::Ids {
            "ref"
        } else {
            "key"
        };
        let all = self.session.read_batch(entities.groups.clone())?;
        Ok(Some((
            all.filter(column("index").eq(lit(i64::from(index.get()))))?,
            key,
        )))
    }

    /// Everything known of persons and groups; `None` in a folder.
    pub(crate) fn entity_tables(&self) -> Result<Option<EntityTables>> {
        let Some(entities) = &self.entities else {
            return Ok(None);
        };
        Ok(Some(EntityTables {
            persons: self.session.read_batch(entities.persons.clone())?,
            distinct_ids: self.session.read_batch(entities.distinct_ids.clone())?,
            groups: self.session.read_batch(entities.groups.clone())?,
            group_types: self.session.read_batch(entities.group_types.clone())?,
        }))
    }

    /// The name and type of a property's own column, if every file has one.
    pub(crate) fn promoted(&self, property: &str) -> Option<(&str, PropertyType)> {
        let (column, kind) = self.promoted.get(property)?;
        Some((column, *kind))
    }

    /// True where the events have a column of this name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.events.schema().column_with_name(name).is_some()
    }
}
