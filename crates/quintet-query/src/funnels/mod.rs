//! Funnels: how many actors go through a sequence of steps, and where they are lost. Rules: `spec/funnels.md`, `spec/funnels-more.md`.

mod correlation_shape;
mod figures;
mod insight;
mod shape;

pub use correlation_shape::{CorrelatedRow, correlation_result, empty_correlation};
pub use figures::Figures;
pub use insight::{
    Attribution, Condition, Exclusion, FirstTime, Funnels, Order, Span, Step, StepEcho, Viz,
};
pub use shape::{FunnelsResult, shape};
