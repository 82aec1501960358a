//! Funnels: the fast machines against a slow oracle, and laws that hold for any history.

mod against_oracle;
mod case;
mod coverage;
mod facts;
mod laws;
mod oracle;
