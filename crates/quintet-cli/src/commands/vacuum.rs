//! `quintet vacuum`: away with files that are not needed any longer.

use super::engine;
use super::stats::print_facts;
use crate::arguments::{Limits, Vacuum};
use crate::failure::Result;
use crate::output;

pub(super) async fn run(vacuum: Vacuum, limits: Limits) -> Result<()> {
    let format = output::format(vacuum.output.format)?;
    let engine = engine(limits).open(&vacuum.store).await?;
    print_facts(&engine.vacuum(vacuum.older_than).await?, format)
}
