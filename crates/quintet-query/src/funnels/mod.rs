//! Funnels: how many actors go through a sequence of steps, and where they are lost. Rules: `spec/funnels.md`, `spec/funnels-more.md`.

mod insight;

pub use insight::{
    Attribution, Condition, Exclusion, FirstTime, Funnels, Order, Span, Step, StepEcho, Viz,
};
