//! What the tests of the modules share: entries planted by hand, a disk that never syncs, and an
//! uplink that writes down what it gets.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_layer::Clock;

use super::claim::Uplink;
use super::disk::Disk;
use super::draft::trailer;
use super::header::Header;
use super::intake::Write;
use super::name::{Action, EntryId, Name};
use super::store::{Limits, Store};
use crate::error::S3Error;
use crate::request::{Attributes, Upload};
use crate::response::{Stored, Written};

/// Files on a disk that nobody waits for.
#[derive(Debug)]
pub(super) struct NoSync;

impl Disk for NoSync {
    fn sync_file(&self, _file: &std::fs::File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _folder: &std::fs::File) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn open(folder: &Path, clock: Clock) -> Arc<Store> {
    let limits = Limits { entries: 1_000_000, bytes: u64::MAX, keep_free: 0 };
    let disk: Arc<dyn Disk> = Arc::new(NoSync);
    Store::open(folder, "bucket".to_owned(), limits, clock, &disk).unwrap()
}

pub(super) fn upload(key: &str, payload: &str) -> Write {
    Upload::new(key, payload.as_bytes().to_vec()).into()
}

/// Writes the file of an entry without the spool's help.
pub(super) fn plant(folder: &Path, n: u64, key: &str, payload: &str) {
    let attributes = Attributes::default();
    let (bucket, key) = ("bucket".to_owned(), key.to_owned());
    let header = Header { action: Action::Put, bucket, key: key.clone(), attributes };
    let mut content = header.to_bytes().unwrap();
    content.extend_from_slice(payload.as_bytes());
    content.extend_from_slice(trailer(crc32fast::hash(&content)).as_bytes());
    let id = EntryId::FIRST.next(Duration::from_micros(n));
    let size = u64::try_from(content.len()).unwrap();
    let name = Name { id, action: Action::Put, size, key, is_cut: false };
    std::fs::write(folder.join(name.to_string()), content).unwrap();
}

/// A key, and what was written to it; nothing for a removal.
pub(super) type Taken = (String, Option<String>);

/// An S3 that takes everything, unless it was told what to answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Notebook {
    pub(super) taken: Arc<Mutex<Vec<Taken>>>,
    pub(super) answers: Arc<Mutex<Vec<S3Error>>>,
}

impl Uplink for Notebook {
    async fn send(&self, write: Write) -> Result<Written, S3Error> {
        let answer = self.answers.lock().unwrap().pop();
        if let Some(error) = answer {
            return Err(error);
        }
        let entry = match write {
            Write::Delete(key) => (key, None),
            Write::Upload(upload) => {
                let body = aws_sdk_s3::primitives::ByteStream::new(upload.body);
                let bytes = body.collect().await.unwrap().to_vec();
                (upload.key, Some(String::from_utf8(bytes).unwrap()))
            }
        };
        self.taken.lock().unwrap().push(entry);
        Ok(Written::Stored(Stored::default()))
    }
}
