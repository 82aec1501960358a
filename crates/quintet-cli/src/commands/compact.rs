//! `quintet compact`: small files into larger ones.

use quintet::Compaction;

use super::engine;
use super::stats::print_facts;
use crate::arguments::{Compact, Limits};
use crate::failure::Result;
use crate::output;

pub(super) async fn run(compact: Compact, limits: Limits) -> Result<()> {
    let format = output::format(compact.output.format)?;
    let engine = engine(limits).open(&compact.store).await?;
    let wanted = Compaction {
        promote: compact.promote,
        promote_frequent: compact.promote_frequent,
    };
    print_facts(&engine.compact(wanted).await?, format)
}
