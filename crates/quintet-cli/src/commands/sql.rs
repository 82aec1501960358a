//! `quintet sql`: one statement over the tables of a store or a folder of events.

use std::path::Path;

use super::query::print_answer;
use super::{open, text};
use crate::arguments::{Limits, Sql};
use crate::failure::Result;
use crate::output;

pub(super) async fn run(sql: Sql, limits: Limits) -> Result<()> {
    let format = output::format(sql.output.format)?;
    let statement = if sql.statement == "-" {
        text(Path::new("-"))?
    } else {
        sql.statement
    };
    let engine = open(&sql.store, sql.names, limits).await?;
    let answer = engine.sql(&statement).await?;
    print_answer(&answer, format)
}
