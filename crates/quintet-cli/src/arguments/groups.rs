//! The arguments of `quintet groups` and `quintet group-types`.

use clap::{Args, Subcommand};

use super::Output;

/// What to do with groups. A type is given by its name or its index.
#[derive(Debug, Subcommand)]
pub(crate) enum Groups {
    /// Lists the groups of a type.
    List(ListGroups),
    /// Shows all about one group: properties, activity, events, members, related groups.
    Show(ShowGroup),
    /// Sets properties of a group; declares it if nobody has.
    Set(SetGroup),
    /// Takes a property away from a group.
    Unset(UnsetGroup),
    /// Lists the persons and groups that share events with a group, or the groups of a person.
    Related(RelatedTo),
    /// Deletes a group; its events stay and are still counted.
    Delete(DeleteGroup),
}

#[derive(Debug, Args)]
pub(crate) struct ListGroups {
    /// A store, or a folder of Parquet files with events (with --include-seen).
    pub(crate) store: String,
    /// The group type.
    pub(crate) group_type: String,
    /// A column: group_name, key, created_at, properties, properties.<name>, or a figure such as count(*) or
    /// sum(properties.<name>); may be repeated [default: group_name, key, created_at].
    #[arg(long, value_name = "COLUMN")]
    pub(crate) select: Vec<String>,
    /// Only groups whose name or key contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only groups that satisfy these property filters, a JSON list as in an insight.
    #[arg(long, value_name = "JSON")]
    pub(crate) properties: Option<String>,
    /// A column to order by, such as "properties.size DESC"; may be repeated [default: newest first].
    #[arg(long, value_name = "COLUMN")]
    pub(crate) order: Vec<String>,
    /// Groups to list at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Groups to skip.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: usize,
    /// Lists groups too that events name and nobody has declared.
    #[arg(long)]
    pub(crate) include_seen: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct ShowGroup {
    /// A store, or a folder of Parquet files with events.
    pub(crate) store: String,
    /// The group type.
    pub(crate) group_type: String,
    /// The group's key.
    pub(crate) key: String,
    /// Days of activity to show.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) days: usize,
    /// Events, members and related groups to name at most.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) limit: usize,
    /// The clock (RFC 3339) that days are counted back from [default: now].
    #[arg(long, value_name = "TS")]
    pub(crate) now: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct SetGroup {
    /// The store.
    pub(crate) store: String,
    /// The group type.
    pub(crate) group_type: String,
    /// The group's key.
    pub(crate) key: String,
    /// The properties, a JSON object such as {"plan": "pro"}.
    pub(crate) properties: String,
    /// Refuses a group that is declared already.
    #[arg(long)]
    pub(crate) new: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UnsetGroup {
    /// The store.
    pub(crate) store: String,
    /// The group type.
    pub(crate) group_type: String,
    /// The group's key.
    pub(crate) key: String,
    /// The property to take away.
    pub(crate) property: String,
}

#[derive(Debug, Args)]
pub(crate) struct RelatedTo {
    /// A store, or a folder of Parquet files with events.
    pub(crate) store: String,
    /// The group type.
    #[arg(required_unless_present = "person", requires = "key")]
    pub(crate) group_type: Option<String>,
    /// The group's key.
    pub(crate) key: Option<String>,
    /// A person's id or distinct id, in place of a group.
    #[arg(long, value_name = "ID", conflicts_with = "group_type")]
    pub(crate) person: Option<String>,
    /// Only events of so many days before now.
    #[arg(long, value_name = "N", default_value_t = 90)]
    pub(crate) days: usize,
    /// Persons, and groups of each type, to list at most [default: all].
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// The clock (RFC 3339) that days are counted back from [default: now].
    #[arg(long, value_name = "TS")]
    pub(crate) now: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteGroup {
    /// The store.
    pub(crate) store: String,
    /// The group type.
    pub(crate) group_type: String,
    /// The group's key.
    pub(crate) key: String,
    /// Removes the key from every file too, for good.
    #[arg(long)]
    pub(crate) purge: bool,
}

/// What to do with group types. A type is given by its name or its index.
#[derive(Debug, Subcommand)]
pub(crate) enum GroupTypes {
    /// Lists the group types by index.
    List(ListTypes),
    /// Sets how one and several groups of a type are called.
    Rename(RenameType),
    /// Deletes a type and what is known of its groups; its index is free for another type.
    Delete(DeleteType),
}

#[derive(Debug, Args)]
pub(crate) struct ListTypes {
    /// The store.
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct RenameType {
    /// The store.
    pub(crate) store: String,
    /// The group type.
    pub(crate) group_type: String,
    /// How one group is called; empty takes the name away.
    #[arg(long, value_name = "NAME", required_unless_present = "plural")]
    pub(crate) singular: Option<String>,
    /// How several groups are called; empty takes the name away.
    #[arg(long, value_name = "NAME")]
    pub(crate) plural: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteType {
    /// The store.
    pub(crate) store: String,
    /// The group type.
    pub(crate) group_type: String,
}
