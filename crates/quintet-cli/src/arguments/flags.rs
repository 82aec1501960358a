//! The arguments of `quintet flags`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Output, units};

/// What to do with feature flags, given as PostHog keeps them: one, a list, or what its API answers.
#[derive(Debug, Subcommand)]
pub(crate) enum Flags {
    /// Tells what flags are to a person and its groups, with what is stored of them.
    Evaluate(EvaluateFlags),
    /// Counts how many groups or persons each condition of a flag takes in.
    Audience(FlagAudience),
    /// Lists what a flag is to every group.
    Values(FlagValues),
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateFlags {
    #[command(flatten)]
    pub(crate) flags: FlagFiles,
    /// The id that the person goes by.
    #[arg(long, value_name = "ID")]
    pub(crate) distinct_id: Option<String>,
    /// The id of its device, for flags that are rolled out by device.
    #[arg(long, value_name = "ID")]
    pub(crate) device_id: Option<String>,
    /// A group of the person, such as company=acme; may be repeated.
    #[arg(long = "group", value_name = "TYPE=KEY", value_parser = units::pair)]
    pub(crate) groups: Vec<(String, String)>,
    /// Properties of the person, a JSON object, laid over those that are stored.
    #[arg(long, value_name = "JSON")]
    pub(crate) person_properties: Option<String>,
    /// Properties of a group, such as company='{"plan": "pro"}', laid over those that are stored; may be repeated.
    #[arg(long, value_name = "TYPE=JSON", value_parser = units::pair)]
    pub(crate) group_properties: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct FlagAudience {
    #[command(flatten)]
    pub(crate) flags: FlagFiles,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct FlagValues {
    #[command(flatten)]
    pub(crate) flags: FlagFiles,
    /// The group type, by its name or index [default: that of the flag].
    #[arg(long, value_name = "TYPE")]
    pub(crate) group_type: Option<String>,
    /// Groups to list at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Groups to skip.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: usize,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which flags are meant, over which store.
#[derive(Debug, Args)]
pub(crate) struct FlagFiles {
    /// A store; or a folder or file of events.
    pub(crate) store: String,
    /// The file of the flags; - is standard input.
    pub(crate) file: PathBuf,
    /// Only the flag of this key; the others of the file are there for those that depend on them.
    #[arg(long, value_name = "KEY")]
    pub(crate) flag: Option<String>,
    /// A JSON file with further flags that these depend on.
    #[arg(long, value_name = "FILE")]
    pub(crate) other_flags: Option<PathBuf>,
    /// A JSON file with the cohorts that conditions name.
    #[arg(long, value_name = "FILE")]
    pub(crate) definitions: Option<PathBuf>,
    /// The clock (RFC 3339) that relative dates are counted back from [default: now].
    #[arg(long, value_name = "TS")]
    pub(crate) now: Option<String>,
}
