//! Limits of time. tokio's own timers are looked after by the threads that do the work: where all of them are busy, nobody does.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::run::Stop;
use crate::{Error, Result};

/// Rings after a while, from a thread of its own, unless it is dropped before.
pub(crate) struct Alarm {
    rings: oneshot::Receiver<()>,
    /// The thread ends when this is dropped.
    _sleeping: mpsc::Sender<()>,
}

impl Alarm {
    /// Sets one. When it rings, what can be stopped is stopped too.
    pub(crate) fn after(limit: Duration, stop: Stop) -> Result<Self> {
        let (ring, rings) = oneshot::channel();
        let (sleeping, woken) = mpsc::channel::<()>();
        let sleep = move || {
            if woken.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                stop.now();
                // Whoever waited may have the answer by now.
                let _ = ring.send(());
            }
        };
        thread::Builder::new()
            .name("quintet-alarm".into())
            .spawn(sleep)
            .map_err(|error| Error::exhausted(format!("no thread can be started: {error}")))?;
        Ok(Self {
            rings,
            _sleeping: sleeping,
        })
    }

    /// Waits until it rings.
    pub(crate) async fn rung(&mut self) {
        // The thread answers before it ends, for the other channel is open as long as this is here.
        let _ = (&mut self.rings).await;
    }
}
