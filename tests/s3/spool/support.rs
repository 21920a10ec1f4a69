//! A server, a service with a spool, and what both hold.

use std::path::Path;
use std::time::Duration;

use s3_service::spool::SpoolEvent;
use s3_service::test_server::Fault;
use s3_service::{EntryId, S3, S3Builder, Spool, SpoolBuilder, Upload, Written};
use tempfile::TempDir;

use crate::support::{BUCKET, RESET, Rig, server, settings, until};

pub(super) struct Spooled {
    pub(super) rig: Rig,
    pub(super) folder: TempDir,
}

pub(super) async fn spooled() -> Spooled {
    spooled_with(|spool| spool, |s3| s3).await
}

pub(super) async fn spooled_with(
    spool: impl FnOnce(SpoolBuilder) -> SpoolBuilder,
    change: impl FnOnce(S3Builder) -> S3Builder,
) -> Spooled {
    let server = server().await;
    let folder = tempfile::tempdir().unwrap();
    let (settings, time) = settings(&server);
    let settings = settings.spool(spool(Spool::builder(folder.path())));
    let s3 = change(settings).build().await.unwrap();
    Spooled { rig: Rig { server, time, s3 }, folder }
}

pub(super) fn upload(key: &str, payload: &str) -> Upload {
    Upload::new(key, payload.as_bytes().to_vec())
}

pub(super) fn id(written: &Written) -> EntryId {
    let Written::Queued { id } = written else { panic!("not queued: {written:?}") };
    *id
}

/// A spool without a service, with three entries.
pub(super) async fn filled(folder: &Path) -> Spool {
    let spool = Spool::builder(folder).open(BUCKET).await.unwrap();
    for n in 0..3 {
        spool.enqueue(upload(&format!("k{n}"), &format!("payload {n}"))).await.unwrap();
    }
    spool
}

impl Spooled {
    pub(super) fn s3(&self) -> &S3 {
        &self.rig.s3
    }

    pub(super) fn spool(&self) -> &Spool {
        self.rig.s3.spool().unwrap()
    }

    /// Queues an upload, whatever S3 is like.
    pub(super) async fn queue(&self, key: &str, payload: &str) -> EntryId {
        id(&self.s3().upload(upload(key, payload)).await.unwrap())
    }

    /// Queues an upload that rests, by a clock that stands still, though S3 is well and the breaker
    /// closed.
    pub(super) async fn hold(&self, key: &str, payload: &str) -> EntryId {
        self.rig.server.inject_times(Fault::InternalError, 2);
        let id = self.queue(key, payload).await;
        // The second failure is the drain's.
        until("the drain has tried", || {
            self.spool().list().iter().any(|entry| entry.id == id && entry.attempts == 1)
        })
        .await;
        id
    }

    /// The server comes back, and the breaker's wait is over.
    pub(super) async fn heal(&self) {
        self.rig.server.clear();
        self.rig.server.restart().await.unwrap();
        self.rig.time.advance(RESET);
    }

    /// Waits for `count` entries to leave the queue.
    pub(super) async fn left(
        &self,
        events: &mut tokio::sync::broadcast::Receiver<SpoolEvent>,
        count: usize,
    ) -> Vec<SpoolEvent> {
        let mut seen = Vec::new();
        let mut patience = 200;
        while seen.len() < count {
            let event = tokio::time::timeout(Duration::from_millis(100), events.recv()).await;
            let Ok(event) = event else {
                // An attempt that was under way when the server came back rests from now on.
                self.rig.time.advance(RESET);
                patience -= 1;
                assert!(patience > 0, "the drain does not move; so far {seen:?}");
                continue;
            };
            let event = event.unwrap();
            if !matches!(event, SpoolEvent::Queued { .. }) {
                seen.push(event);
            }
        }
        seen
    }

    /// What the server itself holds under a key.
    pub(super) async fn stored(&self, key: &str) -> Option<String> {
        let object = self.rig.server.client().get_object().bucket(BUCKET).key(key).send().await;
        let body = object.ok()?.body.collect().await.unwrap().to_vec();
        Some(String::from_utf8(body).unwrap())
    }
}

/// The names of the entries in a folder, in the order of `ls`.
pub(super) fn entries(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let names = files.map(|name| name.into_string().unwrap());
    let mut entries: Vec<_> = names.filter(|name| name.starts_with(char::is_numeric)).collect();
    entries.sort();
    entries
}

/// The payload of an entry, by the table of the format and nothing else.
pub(super) fn payload(file: &Path) -> Vec<u8> {
    let content = std::fs::read(file).unwrap();
    let lines = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let (second, _) = lines.clone().nth(1).unwrap();
    content[second + 1..content.len() - 16].to_vec()
}
