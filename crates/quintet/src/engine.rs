//! The engine that others embed: open, load, ask.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::SessionContext;
use quintet_query::{Context, Definitions, Query};
use quintet_store::{
    Columns, Folder, GroupTypeEntry, Load, LoadReport, Location, Progress, SOME_FILE, Settings,
    Snapshot, Stats, Store, Unloaded, WeekStart,
};
use serde_json::{Value, json};

use crate::alarm::Alarm;
use crate::answer::Answer;
use crate::data::{ActorKeys, Data};
use crate::run::{Run, Stop, Transport};
use crate::session::{Limits, session};
use crate::{Error, ErrorKind, Result, feature_flags, groups, insights, sql};

/// Answers questions over one store, or over a folder of events that nobody loaded. Cheap to clone; may be shared between threads.
#[derive(Clone)]
pub struct Engine {
    origin: Arc<Origin>,
    options: EngineBuilder,
    session: SessionContext,
}

enum Origin {
    Store(Store),
    /// Parquet, read as it lies.
    Folder(Box<Folder>),
    /// JSON lines, which were loaded into memory when they were opened; nothing can be added.
    Loaded(Store, LoadReport),
}

/// How an engine runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineBuilder {
    limits: Limits,
    keys: ActorKeys,
    transport: Transport,
    files_in_sql: bool,
    /// Bytes; `None` is the default.
    cache: Option<usize>,
}

/// What an engine keeps of decoded files if nothing is said.
const CACHE: usize = 256 << 20;

/// What a question is asked against. The default: the real clock, the store's zone and week, no definitions.
#[derive(Debug, Clone, Default)]
pub struct QueryOptions {
    /// The clock that relative dates are resolved against, RFC 3339.
    pub now: Option<String>,
    /// `{"actions": [..], "cohorts": [..], "test_account_filters": [..], "path_cleaning_filters": [..]}`.
    pub definitions: Option<Value>,
    /// IANA name of a zone instead of the store's.
    pub timezone: Option<String>,
    /// First day of a week instead of the store's.
    pub week_start: Option<WeekStart>,
}

impl EngineBuilder {
    /// An engine without limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many bytes are held by queries at once; beyond it they spill to disk, or are refused with
    /// [`ErrorKind::ResourcesExhausted`](crate::ErrorKind::ResourcesExhausted).
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: usize) -> Self {
        self.limits.memory = Some(bytes);
        self
    }

    /// A question that takes longer than this is given up, with [`ErrorKind::ResourcesExhausted`](crate::ErrorKind::ResourcesExhausted),
    /// and what it was doing stops. No limit unless set. Loads and upkeep are not limited.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.limits.time = Some(limit);
        self
    }

    /// Number of partitions that plans run in; one per core unless set.
    #[must_use]
    pub fn with_target_partitions(mut self, partitions: usize) -> Self {
        self.limits.target_partitions = Some(partitions);
        self
    }

    /// By what actors are told apart; answers are the same.
    #[must_use]
    pub fn with_actor_keys(mut self, keys: ActorKeys) -> Self {
        self.keys = keys;
        self
    }

    /// How plans reach their execution; answers are the same.
    #[must_use]
    pub fn with_transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// At most so many bytes of what was decoded of a store's files are kept for later questions, 256 MiB unless set; 0 keeps nothing,
    /// which suits whoever asks once. They do not count towards the memory limit.
    #[must_use]
    pub fn with_cache(mut self, bytes: usize) -> Self {
        self.cache = Some(bytes);
        self
    }

    fn location(self, location: &str) -> Result<Location> {
        Ok(Location::parse(location)?.with_cache(self.cache.unwrap_or(CACHE)))
    }

    /// Lets SQL read files by path (`select … from 'data.csv'`). Off unless set: then SQL reaches nothing but the store.
    #[must_use]
    pub fn with_files_in_sql(mut self, allowed: bool) -> Self {
        self.files_in_sql = allowed;
        self
    }

    /// Makes an empty store.
    ///
    /// # Errors
    /// `Conflict` where a store is already, `Invalid` for an unknown zone or a sixth group type.
    pub async fn create(self, location: &str, settings: Settings) -> Result<Engine> {
        zone(&settings.timezone)?;
        self.of(Origin::Store(
            Store::create(self.location(location)?, settings).await?,
        ))
    }

    /// Opens a store, or what nobody has loaded: a folder of Parquet (tables of events, or PostHog's exports), which is read as it
    /// lies, or else one of JSON lines, which are loaded into memory. A single file of either kind may be named too.
    ///
    /// # Errors
    /// `NotFound` where there is nothing of that, `Invalid` naming a column that is missing, `Corrupt` naming an unreadable file.
    pub async fn open(self, location: &str) -> Result<Engine> {
        self.open_with_columns(location, Columns::default()).await
    }

    /// [`open`](Self::open), where the columns of a folder may have other names than ours, as in [`Load::columns`].
    ///
    /// # Errors
    /// As there; `Invalid` for names that are given for a store.
    pub async fn open_with_columns(self, location: &str, columns: Columns) -> Result<Engine> {
        let location = self.location(location)?;
        if Store::exists(&location).await? {
            if !columns.is_empty() {
                let reason = "a store has columns of its own; names are given when tables are loaded into it";
                return Err(Error::invalid("column", reason));
            }
            return self.of(Origin::Store(Store::open(location).await?));
        }
        let origin = match Unloaded::open(location, columns.clone()).await? {
            Unloaded::Folder(folder) => Origin::Folder(folder),
            Unloaded::Lines(sources) => {
                let load = Load {
                    sources,
                    columns,
                    memory: self.limits.memory,
                    ..Load::default()
                };
                let (store, report) = Store::in_memory(load).await?;
                Origin::Loaded(store, report)
            }
        };
        self.of(origin)
    }

    /// Opens a store, and makes it first where there is none.
    ///
    /// # Errors
    /// As [`create`](Self::create) and [`open`](Self::open).
    pub async fn open_or_create(self, location: &str, settings: Settings) -> Result<Engine> {
        zone(&settings.timezone)?;
        self.of(Origin::Store(
            Store::open_or_create(self.location(location)?, settings).await?,
        ))
    }

    /// Whether operators of our own may go by the dense ids of a store.
    fn has_dense_actors(self) -> bool {
        self.keys == ActorKeys::Ids && self.transport == Transport::Direct
    }

    /// Whether the actors of a folder may get dense ids while it is read; these are kept in memory that no limit knows of.
    fn has_numbered_actors(self) -> bool {
        self.has_dense_actors() && self.limits.memory.is_none()
    }

    fn of(self, origin: Origin) -> Result<Engine> {
        let has_dense_actors = match origin {
            Origin::Folder(_) => self.has_numbered_actors(),
            _ => self.has_dense_actors(),
        };
        Ok(Engine {
            origin: Arc::new(origin),
            options: self,
            session: session(self.limits, has_dense_actors)?,
        })
    }
}

impl Engine {
    /// Makes an empty store; see [`EngineBuilder::create`].
    ///
    /// # Errors
    /// As there.
    pub async fn create(location: &str, settings: Settings) -> Result<Self> {
        EngineBuilder::new().create(location, settings).await
    }

    /// Opens a store, or a folder that nobody loaded; see [`EngineBuilder::open`].
    ///
    /// # Errors
    /// As there.
    pub async fn open(location: &str) -> Result<Self> {
        EngineBuilder::new().open(location).await
    }

    /// Opens other people's tables, whose columns have names of their own; see [`EngineBuilder::open_with_columns`].
    ///
    /// # Errors
    /// As there.
    pub async fn open_with_columns(location: &str, columns: Columns) -> Result<Self> {
        EngineBuilder::new()
            .open_with_columns(location, columns)
            .await
    }

    /// Opens a store, and makes it first where there is none; see [`EngineBuilder::open_or_create`].
    ///
    /// # Errors
    /// As there.
    pub async fn open_or_create(location: &str, settings: Settings) -> Result<Self> {
        EngineBuilder::new()
            .open_or_create(location, settings)
            .await
    }

    /// Loads events, persons and groups; all of a load becomes visible at once or nothing does.
    ///
    /// # Errors
    /// `NotFound` and `Corrupt` name the file, `Unsupported` where the engine reads a plain folder. A bad line is no error:
    /// it is in the report, and the rest is loaded.
    pub async fn ingest(&self, load: Load) -> Result<LoadReport> {
        self.ingest_with(load, Arc::new(())).await
    }

    /// [`ingest`](Self::ingest), telling how far it is.
    ///
    /// # Errors
    /// As there.
    pub async fn ingest_with(&self, load: Load, progress: Arc<dyn Progress>) -> Result<LoadReport> {
        Ok(self.store("loading")?.ingest(load, progress).await?)
    }

    /// Answers an insight, written as PostHog's query JSON, or `{"kind": "SQL", "query": "…"}`.
    ///
    /// # Errors
    /// `Invalid` and `Unsupported` name the place in the definition.
    pub async fn query(&self, definition: &str) -> Result<Answer> {
        self.query_with(definition, &QueryOptions::default()).await
    }

    /// [`query`](Self::query), with a clock, definitions and settings of its own.
    ///
    /// # Errors
    /// As there.
    pub async fn query_with(&self, definition: &str, options: &QueryOptions) -> Result<Answer> {
        self.run(&Query::parse(definition)?, options).await
    }

    /// Answers a question made with the builders of [`query`](crate::query).
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn run(&self, query: &Query, options: &QueryOptions) -> Result<Answer> {
        let run = Run::new(self.options.transport);
        let answer = async { self.answer(query, options, &self.pin().await?, &run).await };
        self.in_time(answer, run.stop()).await
    }

    /// What a question comes to, unless it takes too long.
    pub(crate) async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T>>,
        stop: Stop,
    ) -> Result<T> {
        let Some(limit) = self.options.limits.time else {
            return asked.await;
        };
        let mut alarm = Alarm::after(limit, stop)?;
        tokio::select! {
            // What was stopped has failed for that.
            biased;
            () = alarm.rung() => Err(Error::took_too_long(limit)),
            answer = asked => answer,
        }
    }

    /// The physical plans that answer a question, as text. They are run: some steps need what earlier ones found.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn explain(&self, definition: &str, options: &QueryOptions) -> Result<String> {
        let (run, query) = (Run::explaining(), Query::parse(definition)?);
        let answer = async { self.answer(&query, options, &self.pin().await?, &run).await };
        self.in_time(answer, run.stop()).await?;
        Ok(run.explained().join("\n"))
    }

    /// Answers SQL over `events`, `persons`, `person_distinct_ids`, `groups`, `group_types` and a view per group type.
    ///
    /// # Errors
    /// `Invalid` for SQL that does not parse or names what is not there; statements that would change something are refused.
    pub async fn sql(&self, query: &str) -> Result<Answer> {
        self.run(&Query::Sql(query.to_owned()), &QueryOptions::default())
            .await
    }

    /// The rows of an SQL query as a stream of Arrow batches.
    ///
    /// # Errors
    /// As [`sql`](Self::sql); the stream itself may fail with DataFusion's errors.
    pub async fn sql_stream(&self, query: &str) -> Result<SendableRecordBatchStream> {
        let pinned = self.pin().await?;
        let plan = sql::plan(
            &self.data(&pinned)?,
            &pinned.group_types(),
            query,
            self.options.files_in_sql,
        )
        .await?;
        Ok(plan.execute_stream().await?)
    }

    /// What was left out or changed when a folder was opened; nothing for a store, whose loads have reported it.
    pub fn opening_report(&self) -> Option<&LoadReport> {
        match &*self.origin {
            Origin::Store(_) => None,
            Origin::Folder(folder) => folder.report(),
            Origin::Loaded(_, report) => Some(report),
        }
    }

    /// What is in the store.
    ///
    /// # Errors
    /// `Unsupported` where the engine reads a plain folder.
    pub async fn stats(&self) -> Result<Stats> {
        Ok(self.store("stats")?.snapshot().await?.stats().await?)
    }

    /// The tables of the newest snapshot, registered in a session.
    pub(crate) async fn register(&self, session: &SessionContext) -> Result<()> {
        let pinned = self.pin().await?;
        let data = self.data_in(session.clone(), &pinned)?;
        sql::register(&data, &pinned.group_types())
    }

    /// The group types of the newest version, by index; none in a plain folder.
    pub(crate) async fn group_types(&self) -> Result<Vec<GroupTypeEntry>> {
        Ok(self.pin().await?.group_types())
    }

    pub(crate) fn store(&self, what: &str) -> Result<&Store> {
        match &*self.origin {
            Origin::Store(store) => Ok(store),
            Origin::Folder(_) | Origin::Loaded(..) => Err(Error::unsupported(
                &format!("{what} of a plain folder"),
                "make a store with `quintet init` and load the folder into it",
            )),
        }
    }

    /// The newest version, to ask something that is no query.
    pub(crate) async fn held(&self, options: &QueryOptions) -> Result<Held> {
        let pinned = self.pin().await?;
        Ok(Held {
            context: pinned.context(options)?,
            data: self.data(&pinned)?,
            run: Run::new(self.options.transport),
        })
    }

    async fn pin(&self) -> Result<Pinned<'_>> {
        Ok(match &*self.origin {
            Origin::Store(store) => Pinned::Snapshot(store.snapshot().await?),
            Origin::Folder(folder) => Pinned::Folder(folder),
            Origin::Loaded(store, _) => Pinned::Loaded(store.snapshot().await?),
        })
    }

    fn data(&self, pinned: &Pinned<'_>) -> Result<Data> {
        self.data_in(self.session.clone(), pinned)
    }

    fn data_in(&self, session: SessionContext, pinned: &Pinned<'_>) -> Result<Data> {
        match pinned {
            Pinned::Snapshot(snapshot) | Pinned::Loaded(snapshot) => Ok(Data::of_snapshot(
                session,
                snapshot,
                self.options.keys,
                self.options.has_dense_actors(),
            )),
            Pinned::Folder(folder) => {
                Data::of_folder(session, folder, self.options.has_numbered_actors())
            }
        }
    }

    async fn answer(
        &self,
        query: &Query,
        options: &QueryOptions,
        pinned: &Pinned<'_>,
        run: &Run,
    ) -> Result<Answer> {
        let context = pinned.context(options)?;
        let data = self.data(pinned)?;
        let answered = match query {
            Query::Sql(text) => {
                let types = pinned.group_types();
                let plan = sql::plan(&data, &types, text, self.options.files_in_sql).await?;
                let schema = Arc::clone(plan.schema().inner());
                run.collect(plan)
                    .await
                    .and_then(|batches| Answer::of_batches(schema, batches))
            }
            Query::Groups(question) => groups::answer(question, &context, &data, run).await,
            Query::Flags(question) => {
                let asked = feature_flags::Asked {
                    context: &context,
                    data: &data,
                    run,
                };
                feature_flags::answer(question, asked).await
            }
            _ => insights::answer(query, context.clone(), &data, run).await,
        };
        let answer = pinned.diagnosed(answered).await?;
        Ok(answer
            .with("timezone", json!(context.timezone.name()))
            .with("snapshot", json!(pinned.version())))
    }
}

/// What a question that is no query is answered from.
pub(crate) struct Held {
    pub(crate) context: Context,
    pub(crate) data: Data,
    pub(crate) run: Run,
}

/// What a question reads, not changed by later loads.
enum Pinned<'a> {
    Snapshot(Arc<Snapshot>),
    Folder(&'a Folder),
    /// The only version of what was loaded into memory.
    Loaded(Arc<Snapshot>),
}

impl Pinned<'_> {
    fn snapshot(&self) -> Option<&Snapshot> {
        match self {
            Self::Snapshot(snapshot) | Self::Loaded(snapshot) => Some(snapshot),
            Self::Folder(_) => None,
        }
    }

    /// Number of a store's version.
    fn version(&self) -> Option<u64> {
        match self {
            Self::Snapshot(snapshot) => Some(snapshot.version()),
            Self::Folder(_) | Self::Loaded(_) => None,
        }
    }

    fn group_types(&self) -> Vec<GroupTypeEntry> {
        match self {
            Self::Snapshot(snapshot) | Self::Loaded(snapshot) => snapshot.group_types().to_vec(),
            Self::Folder(folder) => folder.group_types(),
        }
    }

    fn context(&self, options: &QueryOptions) -> Result<Context> {
        let timezone = options
            .timezone
            .as_deref()
            .or(self.snapshot().map(Snapshot::timezone))
            .unwrap_or("UTC");
        let week_start = options
            .week_start
            .or(self.snapshot().map(Snapshot::week_start))
            .unwrap_or_default();
        let mut context = Context::new(clock(options.now.as_deref())?);
        context.timezone = zone(timezone)?;
        context.week_start = match week_start {
            WeekStart::Sunday => quintet_query::WeekStart::Sunday,
            WeekStart::Monday => quintet_query::WeekStart::Monday,
        };
        for known in self.group_types() {
            let index = usize::from(known.index);
            context
                .group_types
                .resize(context.group_types.len().max(index + 1), None);
            if let Some(name) = context.group_types.get_mut(index) {
                *name = Some(known.name);
            }
        }
        if let Some(definitions) = &options.definitions {
            context.definitions = Definitions::parse(definitions)?;
        }
        Ok(context)
    }

    /// An answer that failed while reading: the damaged file is named if there is one, or the value that cannot be read.
    async fn diagnosed(&self, answered: Result<Answer>) -> Result<Answer> {
        let Err(error) = answered else {
            return answered;
        };
        let cause = match (self, error.kind()) {
            (Self::Folder(folder), ErrorKind::Corrupt) => folder.damaged_file().await,
            (Self::Folder(folder), ErrorKind::Invalid) => folder.unreadable_time().await,
            (Self::Snapshot(snapshot) | Self::Loaded(snapshot), ErrorKind::Corrupt) => {
                let damaged = snapshot.damaged_files().await.into_iter().next();
                damaged.or_else(|| undamaged(snapshot, &error))
            }
            _ => None,
        };
        Err(cause.map_or(error, Error::from))
    }
}

/// What a failure was that looked like damage of some file, when all files are whole: storage that did not answer.
fn undamaged(snapshot: &Snapshot, error: &Error) -> Option<quintet_store::Error> {
    let text = error.to_string();
    let reason = text.strip_prefix(SOME_FILE)?;
    Some(snapshot.without_damage(quintet_store::Error::Corrupt {
        file: SOME_FILE.to_owned(),
        reason: reason.trim_start_matches(" is damaged: ").to_owned(),
    }))
}

fn clock(now: Option<&str>) -> Result<DateTime<Utc>> {
    let Some(now) = now else {
        return Ok(Utc::now());
    };
    DateTime::parse_from_rfc3339(now)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| {
            Error::invalid(
                "now",
                format!("\"{now}\" is no RFC 3339 time, such as 2024-03-01T10:00:00Z"),
            )
        })
}

fn zone(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        Error::invalid(
            "timezone",
            format!("\"{name}\" is no time zone of the IANA list, such as Europe/Berlin"),
        )
    })
}
