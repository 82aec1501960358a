//! The scan of a folder's own fast path: chooses rows by conditions on single columns before it decodes the others, and gives actors
//! dense ids on the way, so that the operators over a store's ids serve files that nobody loaded.
//!
//! ```text
//! files ─► row groups, pruned by their statistics ─► lots, one per thread ─► rows that are left ─► ids ─► batches
//! ```
//! It gives the same rows as the stock scan ([`super::super::EventsTable`]), in the same types, and beside them `person_ref` and the
//! groups' refs. These ids hold for one table, which is made for one question. Being an operator of our own, it stays where it was planned.
//! [`row_group`] reads, [`condition`] chooses, [`ids`] numbers, [`days`] reduces what was read to sets of actors by day.

mod best;
mod bounds;
mod chunks;
mod condition;
mod days;
mod exec;
mod ids;
mod row_group;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Statistics, internal_datafusion_err};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::parquet::arrow::arrow_reader::ArrowReaderMetadata;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::ObjectMeta;

use super::Folder;
use super::find::File;
use crate::location::Location;
use crate::schema;
use crate::sets::ActorKind;
use bounds::Bounds;
use condition::Condition;
use days::Counted;
pub(in crate::scan) use exec::FolderExec;
use ids::Ids;
use row_group::{Column, Wanted};

/// The events of a folder, with ids of actors that hold for one question.
pub struct FolderEvents {
    location: Location,
    files: Vec<Arc<LotFile>>,
    schema: SchemaRef,
    actors: Vec<Actors>,
    event: String,
    timestamp: String,
    has_properties: bool,
    threads: usize,
    counted: Counted,
}

/// Rows that are not worth a thread of their own.
const LEAST_ROWS: usize = 1 << 9;

/// How one kind of actor is found.
#[derive(Debug)]
struct Actors {
    kind: ActorKind,
    keys: String,
    beside: Option<String>,
    ids: Arc<Ids>,
}

/// A file with its footer, and the positions of rows that do not count.
#[derive(Debug)]
pub(super) struct LotFile {
    meta: ObjectMeta,
    footer: ArrowReaderMetadata,
    left_out: Vec<usize>,
    rows: usize,
}

/// Rows of one row group of a file.
#[derive(Debug, Clone)]
struct Piece {
    file: Arc<LotFile>,
    number: usize,
    /// Within the row group.
    rows: Range<usize>,
    /// The positions of the conditions that statistics have not answered.
    open: Arc<[usize]>,
}

impl LotFile {
    /// A file without the rows at some positions, ascending.
    pub(super) fn of(file: &File, left_out: Vec<usize>) -> Arc<Self> {
        Arc::new(Self {
            meta: file.meta.clone(),
            footer: file.footer.clone(),
            rows: file.rows.saturating_sub(left_out.len()),
            left_out,
        })
    }

    /// The position of a column among those of the file.
    fn column(&self, name: &str) -> Option<usize> {
        self.footer.schema().index_of(name).ok()
    }

    /// The positions of what Parquet stores for a column.
    fn leaves(&self, root: usize) -> impl Iterator<Item = usize> {
        let parquet = self.footer.parquet_schema();
        (0..parquet.num_columns()).filter(move |leaf| parquet.get_column_root_idx(*leaf) == root)
    }

    /// The position in the file of a row group's first row.
    fn first_row(&self, number: usize) -> usize {
        let groups = self.footer.metadata().row_groups().iter().take(number);
        groups.map(|group| group.num_rows().max(0) as usize).sum()
    }

    /// May a column be null somewhere in a row group?
    fn may_be_null(&self, number: usize, name: &str) -> bool {
        let nulls = || {
            let group = self.footer.metadata().row_groups().get(number)?;
            let leaf = self.leaves(self.column(name)?).next()?;
            group.columns().get(leaf)?.statistics()?.null_count_opt()
        };
        nulls() != Some(0)
    }

    /// Has every row a value in a column?
    pub(super) fn is_complete(&self, name: &str) -> bool {
        let groups = 0..self.footer.metadata().num_row_groups();
        groups
            .into_iter()
            .all(|number| !self.may_be_null(number, name))
    }
}

/// Pieces in so many lots of about the same number of rows, each in the order of the pieces.
fn deal(pieces: Vec<Piece>, lots: usize) -> Vec<Arc<[Piece]>> {
    let all: usize = pieces.iter().map(|piece| piece.rows.len()).sum();
    let most = all.div_ceil(lots.max(1)).max(LEAST_ROWS);
    let mut dealt = vec![Vec::new()];
    let mut room = most;
    for mut piece in pieces {
        while piece.rows.len() > room {
            let mut part = piece.clone();
            part.rows.end = part.rows.start + room;
            piece.rows.start = part.rows.end;
            if let Some(lot) = dealt.last_mut().filter(|_| !part.rows.is_empty()) {
                lot.push(part);
            }
            dealt.push(Vec::new());
            room = most;
        }
        room -= piece.rows.len();
        if let Some(lot) = dealt.last_mut() {
            lot.push(piece);
        }
    }
    dealt.into_iter().map(Arc::from).collect()
}

/// Whose ids a column of the table holds.
fn actor_of(column: &str) -> Option<ActorKind> {
    if column == schema::PERSON_REF {
        return Some(ActorKind::Person);
    }
    let index = schema::GROUP_REFS.iter().position(|name| *name == column)?;
    Some(ActorKind::Group(u8::try_from(index).ok()?))
}

impl Folder {
    /// The events with ids of their actors, to be read by so many threads; none where it takes more than columns of the files to say
    /// whose a person's events are, and of files of a store, which have some columns in another form.
    pub fn events_by_actors(&self, threads: usize) -> Option<Arc<FolderEvents>> {
        let told = self.told();
        if self.stored.is_some() || told.is_some_and(|told| told.has_persons) {
            return None;
        }
        let merges = told.map_or(&[][..], |told| told.merges);
        let mut actors = vec![Actors {
            kind: ActorKind::Person,
            keys: self.theirs(schema::PERSON_ID).to_owned(),
            beside: Some(self.theirs(schema::DISTINCT_ID).to_owned()),
            ids: Arc::new(Ids::of_persons(merges)),
        }];
        for (index, group) in schema::GROUPS.iter().enumerate() {
            // Keys that are read out of JSON have no column to number.
            if self.group_place(index).is_none() {
                actors.push(Actors {
                    kind: ActorKind::Group(u8::try_from(index).ok()?),
                    keys: self.theirs(group).to_owned(),
                    beside: None,
                    ids: Arc::new(Ids::of_groups()),
                });
            }
        }
        let is_numbered = |name: &str| {
            actor_of(name).is_some_and(|kind| actors.iter().any(|known| known.kind == kind))
        };
        let fields =
            self.table
                .schema
                .fields()
                .iter()
                .map(|field| match is_numbered(field.name()) {
                    true => Arc::new(Field::new(field.name(), DataType::UInt32, false)),
                    false => Arc::clone(field),
                });
        Some(Arc::new(FolderEvents {
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            location: self.location.clone(),
            files: self.lots.clone(),
            actors,
            event: self.theirs(schema::EVENT).to_owned(),
            timestamp: self.theirs(schema::TIMESTAMP).to_owned(),
            has_properties: self.columns().iter().any(|name| name == schema::PROPERTIES),
            threads: threads.max(1),
            counted: Counted::default(),
        }))
    }
}

impl FolderEvents {
    /// Have actors of this kind ids?
    pub fn knows(&self, kind: ActorKind) -> bool {
        self.actors.iter().any(|known| known.kind == kind)
    }

    fn rows(&self) -> usize {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// The row groups in which the conditions may hold, in at most so many lots of the same number of rows, each in the order of
    /// files: of all row groups, fewer than there are lots are cut in two.
    fn lots(&self, conditions: &[Condition], lots: usize) -> Vec<Arc<[Piece]>> {
        let mut pieces = Vec::new();
        for file in &self.files {
            let groups = file.footer.metadata().row_groups();
            let mut kept = vec![true; groups.len()];
            let mut open = vec![Vec::new(); groups.len()];
            for (position, condition) in conditions.iter().enumerate() {
                let name = condition.column.name();
                let bounds = Bounds::of(&file.footer, groups, &condition.column);
                let may = condition.may_hold(&bounds).into_iter();
                let answered = may.zip(condition.must_hold(&bounds));
                for (number, (may, must)) in answered.enumerate() {
                    if let (Some(kept), Some(open)) = (kept.get_mut(number), open.get_mut(number)) {
                        *kept &= may;
                        if !must || file.may_be_null(number, name) {
                            open.push(position);
                        }
                    }
                }
            }
            let groups = groups.iter().enumerate().zip(kept.into_iter().zip(open));
            for ((number, group), (kept, open)) in groups {
                let rows = 0..group.num_rows().max(0) as usize;
                if kept && !rows.is_empty() {
                    pieces.push(Piece {
                        file: Arc::clone(file),
                        number,
                        rows,
                        open: Arc::from(open),
                    });
                }
            }
        }
        deal(pieces, lots)
    }

    /// What is read of every row group for these columns of the table.
    fn wanted(&self, schema: SchemaRef, conditions: Vec<Condition>) -> Wanted {
        let column = |field: &FieldRef| {
            let kind = actor_of(field.name());
            match self.actors.iter().find(|known| Some(known.kind) == kind) {
                Some(actors) => Column::Ids {
                    ids: Arc::clone(&actors.ids),
                    keys: actors.keys.clone(),
                    beside: actors.beside.clone(),
                },
                None => Column::Own(Arc::clone(field)),
            }
        };
        Wanted {
            columns: schema.fields().iter().map(column).collect(),
            schema,
            conditions,
        }
    }

    /// A condition on a single column.
    fn condition(&self, filter: &Expr) -> Result<Condition> {
        let column = condition::is_on(filter, &self.schema);
        let column = column.ok_or_else(|| internal_datafusion_err!("{filter} is on no column"));
        Condition::new(&[filter], column?)
    }

    /// The filters that choose rows; texts, which files mostly code by dictionaries, before the others.
    fn conditions(&self, filters: &[Expr]) -> Result<Vec<Condition>> {
        let mut by_column: Vec<(FieldRef, Vec<&Expr>)> = Vec::new();
        for filter in filters {
            let Some(column) = condition::is_on(filter, &self.schema) else {
                continue;
            };
            match by_column.iter_mut().find(|(known, _)| *known == column) {
                Some((_, filters)) => filters.push(filter),
                None => by_column.push((column, vec![filter])),
            }
        }
        let found = by_column
            .into_iter()
            .map(|(column, filters)| Condition::new(&filters, column));
        let mut found = found.collect::<Result<Vec<_>>>()?;
        found.sort_by_key(|known| known.column.data_type() != &DataType::Utf8View);
        Ok(found)
    }
}

#[async_trait]
impl TableProvider for FolderEvents {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(Statistics {
            num_rows: Precision::Exact(self.rows()),
            ..Statistics::new_unknown(&self.schema)
        })
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match condition::is_on(filter, &self.schema) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let conditions = self.conditions(filters)?;
        let lots = self.lots(&conditions, state.config().target_partitions());
        if lots.iter().all(|lot| lot.is_empty()) {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let wanted = self.wanted(schema, conditions);
        Ok(Arc::new(FolderExec::new(
            self.location.clone(),
            lots,
            wanted,
        )))
    }
}

impl std::fmt::Debug for FolderEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FolderEvents")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
