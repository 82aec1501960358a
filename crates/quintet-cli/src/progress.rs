//! A bar for long loads on standard error, unseen when that is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quintet::Progress;

/// What a load is at.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(
            "{spinner} {msg}  {human_pos} events  {per_sec}  {elapsed}",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }
}

impl Progress for Bar {
    fn source(&self, number: usize, of: usize, name: &str, bytes: Option<u64>) {
        let size = bytes
            .map(|bytes| format!(" ({})", indicatif::HumanBytes(bytes)))
            .unwrap_or_default();
        let which = if of > 1 {
            format!("{number}/{of} ")
        } else {
            String::new()
        };
        self.0.set_message(format!(
            "reading {which}{}{size}",
            crate::render::clean(name)
        ));
    }

    fn written(&self, events: u64) {
        self.0.inc(events);
    }

    fn committing(&self) {
        self.0.set_message("committing");
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
