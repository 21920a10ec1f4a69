//! What the page listens to: the status document as server-sent events.
//!
//! Each frame is the whole document, so a frame that was missed costs nothing, a reader who comes
//! late is up to date at once, and there is nothing to replay. A frame is made when a reader is
//! about to take it: who reads slowly gets fewer and newer ones, and no queue grows for anybody.
//! Readers who take one at the same time share its bytes. Between two changes a frame goes out
//! every second; it keeps the connection alive, and its absence tells the page that the feed is
//! lost.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use circuit_layer::Moment;
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::seats::{Seat, Seats};
use crate::endpoints::Readiness;
use crate::manager::DegradationManager;
use crate::snapshot::Snapshot;

/// The longest pause between two frames.
const EVERY: Duration = Duration::from_secs(1);

/// The shortest: a dependency that changes all the time must not keep every reader busy.
const PAUSE: Duration = Duration::from_millis(100);

/// How many entries of the log a frame carries; `/status.json` has all.
const LOGGED: usize = 50;

/// Makes frames and hands them to readers. Clones are the same feed.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    pub(super) manager: DegradationManager,
    readiness: Readiness,
    seats: Seats,
    newest: Arc<Mutex<Option<Frame>>>,
}

#[derive(Clone, Debug)]
struct Frame {
    snapshot: Arc<Snapshot>,
    at: Moment,
    bytes: Bytes,
}

impl Feed {
    pub(super) fn new(manager: &DegradationManager, readiness: &Readiness) -> Self {
        let (manager, readiness) = (manager.clone(), readiness.clone());
        Self { manager, readiness, seats: Seats::default(), newest: Arc::default() }
    }

    /// Frames from now on, the first at once; None if there is no seat left.
    ///
    /// They end after the next frame while the instance is not ready, so that a drain never waits
    /// for somebody who watches. The page comes back by itself.
    pub(super) fn open(
        &self,
    ) -> Option<impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static> {
        let seat = self.seats.take(self.manager.clock().now())?;
        let snapshots = self.manager.subscribe();
        let reader = Reader { feed: self.clone(), seat, snapshots, last: None };
        Some(stream::unfold(reader, |mut reader| async move {
            let frame = reader.next().await?;
            Some((Ok(frame), reader))
        }))
    }

    fn frame(&self) -> Frame {
        let (snapshot, now) = (self.manager.snapshot(), self.manager.clock().now());
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = newest
            .as_ref()
            .filter(|frame| Arc::ptr_eq(&frame.snapshot, &snapshot) && now < frame.at + PAUSE);
        if let Some(frame) = shared {
            return frame.clone();
        }
        let frame = Frame { snapshot, at: now, bytes: self.encode() };
        *newest = Some(frame.clone());
        frame
    }

    fn encode(&self) -> Bytes {
        let mut document = self.manager.status();
        document.log.truncate(LOGGED);
        // JSON has no line breaks of its own, so one line is one event. `retry` is how long the
        // browser waits before it comes back.
        match serde_json::to_string(&document) {
            Ok(json) => format!("retry: 1000\ndata: {json}\n\n").into(),
            Err(error) => format!(": {error}\n\n").into(),
        }
    }
}

struct Reader {
    feed: Feed,
    seat: Seat,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    last: Option<Moment>,
}

impl Reader {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(last) = self.last {
            tokio::select! {
                () = due(&self.feed.manager, &mut self.snapshots, last) => {}
                () = self.feed.readiness.until_not_ready() => return None,
            }
        }
        self.snapshots.mark_unchanged();
        let frame = self.feed.frame();
        self.last = Some(frame.at);
        self.seat.keep(self.feed.manager.clock().now()).then_some(frame.bytes)
    }
}

/// Waits for a change, or until it is time anyway.
async fn due(
    manager: &DegradationManager,
    snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    last: Moment,
) {
    let clock = manager.clock();
    clock.sleep_until(last + PAUSE).await;
    tokio::select! {
        // The feed holds the manager, so the channel does not close.
        _ = snapshots.changed() => {}
        () = clock.sleep_until(last + EVERY) => {}
    }
}
