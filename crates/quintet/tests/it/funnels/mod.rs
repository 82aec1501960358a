//! Funnels through the whole engine: random histories against the slow oracle, real data, short stories, SQL.

mod against_oracle;
mod asked;
mod beyond;
mod first_time;
mod history;
// What one actor's events mean is tested in `quintet-behavior`; its oracle judges whole stores here.
#[path = "../../../../quintet-behavior/tests/it/funnel/oracle/mod.rs"]
mod oracle;
mod random;
mod real;
mod spill;
mod sql;
mod story;
