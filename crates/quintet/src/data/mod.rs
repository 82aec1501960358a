//! What a question reads: one pinned version of a store, or a plain folder of Parquet.
//!
//! Both give the same relations. A folder has no dense ids; figures may go by those that its actors get while it is read, all else goes
//! by their real keys. What a folder of exports lacks of columns, persons and groups is made up for in [`folder`]; [`sets`] says
//! whose days are known without reading rows into a plan.

mod folder;
mod sets;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, JoinType};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, SessionContext, coalesce, lit, when};
use datafusion::scalar::ScalarValue;
use quintet_query::GroupIndex;
use quintet_query::trends::Actor;
use quintet_store::schema::{self, Promoted, PropertyType};
use quintet_store::{ActorKind, EntityTable, Folder, PropertyColumn, ScanOptions, Snapshot};

use self::folder::Unloaded;
pub(crate) use self::sets::Sets;
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
    /// What makes up for what a folder lacks.
    folder: Option<Unloaded>,
    entities: Option<Entities>,
    /// The properties that have a column of their own, by name.
    own: HashMap<String, OwnColumn>,
    keys: ActorKeys,
    /// Group types whose index had another type before: events before these instants have no such group.
    reused: Vec<(usize, i64)>,
    /// What operators of our own may read by dense ids.
    dense: Option<Sets>,
}

/// The column of a property.
#[derive(Debug, Clone)]
pub(crate) struct OwnColumn {
    pub(crate) name: String,
    pub(crate) kind: PropertyType,
    /// Must be cast to its kind first.
    pub(crate) is_foreign: bool,
    /// The JSON text may have the property too, and wins.
    pub(crate) is_beside: bool,
}

/// The persons and groups of a store, or those that a folder tells of.
#[derive(Clone)]
struct Entities {
    persons: Arc<dyn TableProvider>,
    distinct_ids: Arc<dyn TableProvider>,
    groups: Arc<dyn TableProvider>,
    group_types: Arc<dyn TableProvider>,
    /// Merges to apply to events, if there can be any.
    overrides: Option<Arc<dyn TableProvider>>,
}

impl Entities {
    fn of(snapshot: &Arc<Snapshot>) -> Self {
        let table = |table| snapshot.entity_table(table);
        Self {
            persons: table(EntityTable::Persons),
            distinct_ids: table(EntityTable::DistinctIds),
            groups: table(EntityTable::Groups),
            group_types: table(EntityTable::GroupTypes),
            overrides: snapshot.has_merges().then(|| table(EntityTable::Overrides)),
        }
    }

    /// Those that a folder tells of.
    fn told(known: &quintet_store::Entities) -> Result<Self> {
        let table = |rows: &RecordBatch| -> Result<Arc<dyn TableProvider>> {
            Ok(Arc::new(MemTable::try_new(
                rows.schema(),
                vec![vec![rows.clone()]],
            )?))
        };
        Ok(Self {
            persons: table(known.persons()?)?,
            distinct_ids: table(known.person_distinct_ids()?)?,
            groups: table(known.groups()?)?,
            group_types: table(known.group_types()?)?,
            overrides: None,
        })
    }
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
    pub(crate) fn of_snapshot(
        session: SessionContext,
        snapshot: &Arc<Snapshot>,
        keys: ActorKeys,
        has_dense_actors: bool,
    ) -> Self {
        session.register_object_store(
            snapshot.object_store_url().as_ref(),
            Arc::clone(snapshot.object_store()),
        );
        let own_column = |promoted: Promoted| {
            let own = OwnColumn {
                name: promoted.column(),
                kind: promoted.kind,
                is_foreign: false,
                is_beside: false,
            };
            (promoted.name, own)
        };
        let own = snapshot.promoted().into_iter().map(own_column).collect();
        let reused = snapshot
            .group_types()
            .iter()
            .filter_map(|known| Some((usize::from(known.index), known.created_at?)));
        Self {
            session,
            events: match has_dense_actors {
                true => snapshot.events_by_runs(),
                false => snapshot.events(),
            },
            folder: None,
            entities: Some(Entities::of(snapshot)),
            own,
            keys,
            reused: reused.collect(),
            dense: has_dense_actors.then(|| Sets::Store(Arc::clone(snapshot))),
        }
    }

    /// The data of a folder that nobody loaded.
    pub(crate) fn of_folder(
        session: SessionContext,
        folder: &Folder,
        has_dense_actors: bool,
    ) -> Result<Self> {
        let location = folder.location();
        session.register_object_store(
            location.object_store_url().as_ref(),
            Arc::clone(location.object_store()),
        );
        let threads = session.state().config().target_partitions();
        let numbered = match has_dense_actors {
            true => folder.events_by_actors(threads),
            false => None,
        };
        let events: Arc<dyn TableProvider> = match &numbered {
            Some(numbered) => Arc::clone(numbered) as _,
            None => folder.events(),
        };
        let schema = events.schema();
        let own_column = |found: &PropertyColumn| {
            let Promoted { name, kind } = &found.property;
            let theirs = folder.theirs(&found.column);
            let is_kind = schema
                .field_with_name(theirs)
                .is_ok_and(|field| *field.data_type() == kind.data_type());
            let own = OwnColumn {
                name: found.column.clone(),
                kind: *kind,
                is_foreign: !is_kind,
                is_beside: found.is_beside,
            };
            (name.clone(), own)
        };
        let told = folder.told();
        let entities = told.map(|told| Entities::told(told.entities)).transpose()?;
        Ok(Self {
            session,
            own: folder.properties().iter().map(own_column).collect(),
            folder: Some(Unloaded::of(folder)?),
            events,
            entities,
            keys: ActorKeys::Keys,
            reused: Vec::new(),
            dense: numbered.map(Sets::Folder),
        })
    }

    /// The same data, read in another session by stock scans: these know the statistics of every column, whatever is compared, and
    /// decode the other columns only where a filter leaves rows. That pays for SQL, which mostly asks for a few rows whole.
    pub(crate) fn in_session(&self, session: SessionContext) -> Self {
        let late_materialization = true;
        let events = match &self.dense {
            Some(Sets::Store(snapshot)) => snapshot.events_by_group(ScanOptions {
                late_materialization,
            }),
            _ => Arc::clone(&self.events),
        };
        Self {
            session,
            events,
            ..self.clone()
        }
    }

    /// The events, with merged persons resolved if `with_person`.
    pub(crate) fn events(&self, with_person: bool) -> Result<DataFrame> {
        let events = self.session.read_table(Arc::clone(&self.events))?;
        if let Some(folder) = &self.folder {
            let events = folder.complete(events)?;
            return match with_person {
                true => folder.with_person(self, events),
                false => Ok(events),
            };
        }
        let events = self.hide_former_types(events)?;
        let overrides = self
            .entities
            .as_ref()
            .and_then(|known| known.overrides.as_ref());
        match overrides {
            Some(overrides) if with_person => self.resolve_merges(events, overrides),
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
    fn resolve_merges(
        &self,
        events: DataFrame,
        overrides: &Arc<dyn TableProvider>,
    ) -> Result<DataFrame> {
        let overrides = self
            .session
            .read_table(Arc::clone(overrides))?
            .select(vec![
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
        match (actor, self.keys_of(actor)) {
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

    /// How actors of this kind are told apart: in a folder some kinds may have no ids.
    fn keys_of(&self, actor: Actor) -> ActorKeys {
        let kind = match actor {
            Actor::Person => ActorKind::Person,
            Actor::Group(index) => ActorKind::Group(index.get()),
        };
        match &self.dense {
            Some(sets) if !sets.knows(kind) => ActorKeys::Keys,
            _ => self.keys,
        }
    }

    /// The column by which what is known of persons and groups is joined. A folder knows them by their real keys only.
    pub(crate) fn joined_by(&self, actor: Actor) -> &'static str {
        match &self.folder {
            Some(_) => Self::key_column(actor),
            None => self.actor(actor).0,
        }
    }

    /// The same data to compute figures of, which name nobody: these may go by the ids that a folder gives its actors while it is read.
    pub(crate) fn for_figures(&self) -> Self {
        let keys = match &self.dense {
            Some(Sets::Folder(_)) => ActorKeys::Ids,
            _ => self.keys,
        };
        Self {
            keys,
            ..self.clone()
        }
    }

    /// The column of an actor's real key.
    pub(crate) fn key_column(actor: Actor) -> &'static str {
        match actor {
            Actor::Person => schema::PERSON_ID,
            Actor::Group(index) => schema::GROUPS[usize::from(index.get())],
        }
    }

    /// Have persons and groups the ids that their events have?
    fn has_refs(&self) -> bool {
        self.keys == ActorKeys::Ids && self.folder.is_none()
    }

    /// Persons, one row each: the column that [`joined_by`](Self::joined_by) names on events, and `properties`. `None` where nothing is known of them.
    pub(crate) fn persons(&self) -> Result<Option<(DataFrame, &'static str)>> {
        let Some(entities) = &self.entities else {
            return Ok(None);
        };
        if let Some(folder) = self.folder.as_ref().filter(|folder| !folder.has_persons()) {
            return Ok(Some((
                folder.persons(self, self.table(&entities.persons)?)?,
                "id",
            )));
        }
        let key = match self.has_refs() {
            true => "ref",
            false => "id",
        };
        Ok(Some((self.table(&entities.persons)?, key)))
    }

    /// Which person each distinct id belongs to now.
    pub(crate) fn distinct_ids(&self) -> Result<Option<DataFrame>> {
        let Some(entities) = &self.entities else {
            return Ok(None);
        };
        if let Some(folder) = self.folder.as_ref().filter(|folder| !folder.has_persons()) {
            return Ok(Some(folder.distinct_ids(self)?));
        }
        Ok(Some(self.table(&entities.distinct_ids)?))
    }

    /// The declared groups of a type, as [`persons`](Self::persons).
    pub(crate) fn groups(&self, index: GroupIndex) -> Result<Option<(DataFrame, &'static str)>> {
        let Some(entities) = &self.entities else {
            return Ok(None);
        };
        let key = match self.has_refs() {
            true => "ref",
            false => "key",
        };
        let all = self.table(&entities.groups)?;
        Ok(Some((
            all.filter(column("index").eq(lit(i64::from(index.get()))))?,
            key,
        )))
    }

    /// Everything known of persons and groups; `None` in a plain folder.
    pub(crate) fn entity_tables(&self) -> Result<Option<EntityTables>> {
        let Some(entities) = &self.entities else {
            return Ok(None);
        };
        let (Some((persons, _)), Some(distinct_ids)) = (self.persons()?, self.distinct_ids()?)
        else {
            return Ok(None);
        };
        Ok(Some(EntityTables {
            persons,
            distinct_ids,
            groups: self.table(&entities.groups)?,
            group_types: self.table(&entities.group_types)?,
        }))
    }

    /// The column that a property has for itself, if there is one to read it from.
    pub(crate) fn own_column(&self, property: &str) -> Option<&OwnColumn> {
        self.own.get(property)
    }

    /// Where sets of actors may be read.
    pub(crate) fn sets(&self) -> Option<&Sets> {
        self.dense.as_ref().filter(|_| self.keys == ActorKeys::Ids)
    }

    /// Is anything known of persons but their events?
    pub(crate) fn knows_persons(&self) -> bool {
        self.entities.is_some()
    }

    /// Had the index of a group type another type before?
    pub(crate) fn is_reused(&self, index: usize) -> bool {
        self.reused.iter().any(|(reused, _)| *reused == index)
    }

    /// True where the events have a column of this name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        let theirs = self
            .folder
            .as_ref()
            .map_or(name, |folder| folder.theirs(name));
        self.events.schema().column_with_name(theirs).is_some()
    }

    /// One of the tables of persons and groups as a relation.
    fn table(&self, table: &Arc<dyn TableProvider>) -> Result<DataFrame> {
        Ok(self.session.read_table(Arc::clone(table))?)
    }

    /// A batch of a few rows as a relation.
    fn read_batch(&self, batch: RecordBatch) -> Result<DataFrame> {
        Ok(self.session.read_batch(batch)?)
    }
}
