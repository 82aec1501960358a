//! `quintet verify`: is everything as it was written?

use super::engine;
use super::stats::print_facts;
use crate::arguments::{Limits, Verify};
use crate::failure::{Failure, Result};
use crate::output;
use crate::render::clean;

pub(super) async fn run(verify: Verify, limits: Limits) -> Result<()> {
    let format = output::format(verify.output.format)?;
    let found = engine(limits).open(&verify.store).await?.verify().await?;
    print_facts(&found, format)?;
    match found.problems.as_slice() {
        [] => Ok(()),
        [first, others @ ..] => {
            let first = format!(
                "{} is damaged: {}",
                clean(&first.file),
                clean(&first.reason)
            );
            Err(Failure::damaged(match others.len() {
                0 => first,
                more => format!("{first}; {more} more are in the report"),
            }))
        }
    }
}
