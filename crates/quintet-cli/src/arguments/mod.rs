//! The command line as types: what `docs` and `CONTRACT` promise, and nothing that does not work.

mod flags;
mod groups;
mod units;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use flags::{EvaluateFlags, FlagAudience, FlagFiles, FlagValues, Flags};
pub(crate) use groups::{
    DeleteGroup, GroupTypes, Groups, ListGroups, RelatedTo, SetGroup, ShowGroup, UnsetGroup,
};

/// Answers product questions about people and the groups they belong to, from events on your disk.
#[derive(Debug, Parser)]
#[command(name = "quintet", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// What a command may take of the machine.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Limits {
    /// Memory that queries and loads may take, such as 512MB or 2GiB [default: no limit; loads 1.5GiB].
    #[arg(long, global = true, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) memory_limit: Option<usize>,
    /// How long a question may take, such as 30s or 5m [default: as long as it does].
    #[arg(long, global = true, value_name = "TIME", value_parser = units::duration)]
    pub(crate) time_limit: Option<Duration>,
    /// Threads to work with [default: one per core].
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes an empty store.
    Init(Init),
    /// Loads events into a store, all of a call's or none; what is there already is not stored twice.
    Ingest(Ingest),
    /// Runs one insight, written as PostHog's query JSON, over a store or a folder of events as they lie.
    Query(Query),
    /// Tells what the variants of a feature flag did to people or groups: an ExperimentQuery and its kind.
    Experiment(Query),
    /// Runs SQL over events, persons, person_distinct_ids, groups and group_types.
    Sql(Sql),
    /// Lists, shows and changes groups.
    #[command(subcommand)]
    Groups(Groups),
    /// Lists, renames and deletes group types.
    #[command(subcommand)]
    GroupTypes(GroupTypes),
    /// Evaluates feature flags, and counts whom they take in.
    #[command(subcommand)]
    Flags(Flags),
    /// Shows what is in a store.
    Stats(Stats),
    /// Writes small files of a store together; answers stay the same.
    Compact(Compact),
    /// Deletes files of a store that are not needed any longer.
    Vacuum(Vacuum),
    /// Reads every file of a store and holds it against the log; ends with 3 if something is damaged.
    Verify(Verify),
    /// Loads bundled real data into a store and shows seven answers with charts.
    Demo(Demo),
    /// Times a question over generated events; see docs/PERFORMANCE.md.
    #[command(hide = true)]
    Bench(Bench),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder to make the store in.
    pub(crate) store: String,
    /// The IANA time zone of days, weeks and months.
    #[arg(long, value_name = "TZ", default_value = "UTC")]
    pub(crate) timezone: String,
    /// The day on which weeks start.
    #[arg(long, value_enum, default_value_t = WeekStart::Sunday)]
    pub(crate) week_start: WeekStart,
    /// A group type, at most five; indexes are given in this order [default: by first use].
    #[arg(long = "group-type", value_name = "NAME")]
    pub(crate) group_types: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// The store; made if there is none.
    pub(crate) store: String,
    /// Files or folders of events: JSON, JSON lines, gzip or zstd of them, Parquet; - is standard input.
    #[arg(required_unless_present_any = ["persons", "groups"])]
    pub(crate) files: Vec<PathBuf>,
    /// What the events look like.
    #[arg(long, value_enum, default_value_t = EventFormat::Auto)]
    pub(crate) format: EventFormat,
    /// JSON lines of persons, loaded before the events.
    #[arg(long, value_name = "FILE")]
    pub(crate) persons: Vec<PathBuf>,
    /// JSON lines of groups, loaded before the events.
    #[arg(long, value_name = "FILE")]
    pub(crate) groups: Vec<PathBuf>,
    /// The clock of receipt (RFC 3339), for messages that do not carry one.
    #[arg(long, value_name = "TS", value_parser = units::instant)]
    pub(crate) received_at: Option<i64>,
    #[command(flatten)]
    pub(crate) names: Names,
    /// The type of groups of which only the id is known (OpenPanel).
    #[arg(long, value_name = "TYPE")]
    pub(crate) default_group_type: Option<String>,
    /// How to report: text on standard error, or JSON on standard output.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) report: ReportFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// A store; or a folder or file of events: Parquet, PostHog's exports, JSON lines.
    pub(crate) store: String,
    /// The file of the insight; - is standard input.
    pub(crate) definition: PathBuf,
    /// The clock (RFC 3339) that relative dates are resolved against [default: now].
    #[arg(long, value_name = "TS")]
    pub(crate) now: Option<String>,
    /// A JSON file of actions, cohorts and test_account_filters that the insight refers to.
    #[arg(long, value_name = "FILE")]
    pub(crate) definitions: Option<PathBuf>,
    /// The time zone, in place of the store's.
    #[arg(long, value_name = "TZ")]
    pub(crate) timezone: Option<String>,
    /// The day on which weeks start, in place of the store's.
    #[arg(long, value_enum)]
    pub(crate) week_start: Option<WeekStart>,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Shows the plan instead of running it.
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// A store; or a folder or file of events: Parquet, PostHog's exports, JSON lines.
    pub(crate) store: String,
    /// The statement; - is standard input.
    pub(crate) statement: String,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// The store.
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Compact {
    /// The store.
    pub(crate) store: String,
    /// A property of events that gets a typed column of its own.
    #[arg(long, value_name = "NAME")]
    pub(crate) promote: Vec<String>,
    /// Chooses anew which properties have columns: those that many events have, with values of one type.
    #[arg(long)]
    pub(crate) promote_frequent: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Vacuum {
    /// The store.
    pub(crate) store: String,
    /// How long files must not have been needed, such as 7d, 12h or 0s.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = units::duration)]
    pub(crate) older_than: Duration,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The store.
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to keep the store [default: a temporary folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// The folder of the generated events.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: String,
    /// Makes a store of the events in DIR/quintet, anew if there is one.
    #[arg(long, conflicts_with = "query")]
    pub(crate) prepare: bool,
    /// The question, by its name among the peers' queries.
    #[arg(long, value_name = "NAME", required_unless_present = "prepare")]
    pub(crate) query: Option<String>,
    /// What is asked, and how fresh the engine is.
    #[arg(long, value_enum, default_value_t = BenchMode::Parquet)]
    pub(crate) mode: BenchMode,
    /// How often to ask.
    #[arg(long, value_name = "N", default_value = "3")]
    pub(crate) runs: NonZeroUsize,
    /// Shows the plan instead of timing it.
    #[arg(long)]
    pub(crate) dump_plan: bool,
}

/// What a timed question is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchMode {
    /// The store, opened anew for every question.
    Cold,
    /// The store, after it was asked the same question once.
    Hot,
    /// The generated file as it is.
    Parquet,
}

/// The names of other people's columns.
#[derive(Clone, Debug, Args)]
pub(crate) struct Names {
    /// How a column is called that is not called as ours is, such as event=action.
    #[arg(long = "column", value_name = "OURS=THEIRS", value_parser = units::pair)]
    pub(crate) columns: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Output {
    /// How to print [default: table on a terminal, json otherwise].
    #[arg(long, value_enum)]
    pub(crate) format: Option<OutputFormat>,
}

/// How answers are printed. The contract's names are all known, also those that are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Table,
    Json,
    Ndjson,
    Csv,
    Chart,
    #[value(hide = true)]
    Arrow,
    #[value(hide = true)]
    Parquet,
    #[value(hide = true)]
    Html,
}

/// What events look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventFormat {
    Auto,
    #[value(name = "posthog")]
    PostHog,
    Segment,
    #[value(name = "openpanel")]
    OpenPanel,
    Parquet,
}

impl From<EventFormat> for quintet::Format {
    fn from(format: EventFormat) -> Self {
        match format {
            EventFormat::Auto => Self::Auto,
            EventFormat::PostHog => Self::PostHog,
            EventFormat::Segment => Self::Segment,
            EventFormat::OpenPanel => Self::OpenPanel,
            EventFormat::Parquet => Self::Parquet,
        }
    }
}

/// How a load is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Text,
    Json,
}

/// The day on which weeks start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WeekStart {
    Sunday,
    Monday,
}

impl From<WeekStart> for quintet::WeekStart {
    fn from(day: WeekStart) -> Self {
        match day {
            WeekStart::Sunday => Self::Sunday,
            WeekStart::Monday => Self::Monday,
        }
    }
}

/// Whether errors are wanted as JSON. Asked of the bare words, so that it holds for a wrong command line too.
pub(crate) fn asks_for_json(words: &[OsString]) -> bool {
    let flags = ["--format", "--report"];
    let joined = words
        .iter()
        .any(|word| word == "--format=json" || word == "--report=json");
    joined
        || words
            .windows(2)
            .any(|pair| flags.iter().any(|flag| pair[0] == *flag) && pair[1] == "json")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn persons_or_groups_may_come_without_events_but_not_nothing() {
        assert!(
            Arguments::try_parse_from(["quintet", "ingest", "s", "--persons", "p.jsonl"]).is_ok()
        );
        assert!(Arguments::try_parse_from(["quintet", "ingest", "s"]).is_err());
    }

    #[test]
    fn json_is_asked_for_in_either_spelling() {
        let asks =
            |words: &[&str]| asks_for_json(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(
            asks(&["query", "--format", "json"])
                && asks(&["query", "--format=json"])
                && asks(&["ingest", "--report", "json"])
        );
        assert!(!asks(&["query", "--format", "csv", "json"]));
    }
}
