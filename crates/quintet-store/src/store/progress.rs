//! How a load tells how far it is.

/// Told of the steps of a load, on the threads that do it; every method may be left out.
pub trait Progress: Send + Sync {
    /// Source `number` of `of` (counted from 1) is about to be read; `bytes` is its size where it is known.
    fn source(&self, number: usize, of: usize, name: &str, bytes: Option<u64>) {
        let _ = (number, of, name, bytes);
    }

    /// So many more events were written.
    fn written(&self, events: u64) {
        let _ = events;
    }

    /// Everything was written and is about to be committed.
    fn committing(&self) {}
}

/// Tells nobody.
impl Progress for () {}
