//! Reads of a key that has queued writes: the last of them is what the object will be, so it is what
//! a reader gets.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use super::error::SpoolError;
use super::front::Queue;
use super::header::Header;
use super::index::Item;
use super::intake::blocking;
use super::name::{Action, EntryId};
use super::sound::{Flaw, Sound, peek};
use super::store::Store;
use crate::error::S3Error;
use crate::operation::Operation;
use crate::request::{CopyObject, Download};
use crate::response::{Downloaded, ObjectInfo};
use crate::service::Inner;

impl Queue {
    /// `None` if S3 has to answer.
    pub(crate) async fn download(
        &self,
        service: &Inner,
        download: &Download,
    ) -> Option<Result<Downloaded, S3Error>> {
        let (id, item) = self.newest(&download.key)?;
        let answer = self.open(id, item, &download.key, Store::read).await?;
        service.ledger.rejected(Operation::Download);
        Some(match answer {
            Ok(sound) => downloaded(id, sound, download.range.as_deref()).await,
            Err(error) => Err(error),
        })
    }

    /// `None` if S3 has to answer.
    pub(crate) async fn head(
        &self,
        service: &Inner,
        key: &str,
    ) -> Option<Result<ObjectInfo, S3Error>> {
        let (id, item) = self.newest(key)?;
        let look = |store: &Store, id, item: &Item| {
            let (header, length) = peek(&store.folder.path(&item.name(id)))?;
            Ok(info(id, header, length))
        };
        let answer = self.open(id, item, key, look).await?;
        service.ledger.rejected(Operation::Head);
        Some(answer)
    }

    /// An error if a copy would read, or write, past what is queued.
    pub(crate) fn check_copy(&self, service: &Inner, copy: &CopyObject) -> Result<(), S3Error> {
        let own = &service.target.bucket;
        let source = (copy.source_bucket.as_ref().unwrap_or(own), &copy.source_key);
        let destination = (copy.destination_bucket.as_ref().unwrap_or(own), &copy.destination_key);
        for (bucket, key) in [source, destination] {
            if bucket == own && self.spool.holds(key) {
                service.ledger.rejected(Operation::Copy);
                return Err(S3Error::spool(SpoolError::KeyQueued(key.clone()), None));
            }
        }
        Ok(())
    }

    fn newest(&self, key: &str) -> Option<(EntryId, Item)> {
        if self.is_bypassed() {
            return None;
        }
        let state = self.spool.store.state();
        state.index.newest(key).map(|(id, item)| (id, item.clone()))
    }

    /// What `read` finds in the entry; `None` if S3 has it by now.
    async fn open<T: Send + 'static>(
        &self,
        id: EntryId,
        item: Item,
        key: &str,
        read: impl FnOnce(&Store, EntryId, &Item) -> Result<T, Flaw> + Send + 'static,
    ) -> Option<Result<T, S3Error>> {
        if item.action == Action::Delete {
            let message = format!("the removal of `{key}` is queued");
            return Some(Err(S3Error::answer(404, "NoSuchKey", message)));
        }
        let store = Arc::clone(&self.spool.store);
        let opened = blocking(move || match read(&store, id, &item) {
            Ok(found) => Ok(Some(found)),
            Err(Flaw::Gone) => Ok(None),
            Err(Flaw::Io(source)) => Err(SpoolError::Read { id, source }),
            Err(Flaw::Damaged(flaw)) => {
                // One that is on its way is the drain's to set aside.
                let hidden = store.state().index.hide(id);
                if let Some(Ok(item)) = hidden {
                    store.condemn(id, &item, &flaw);
                }
                Err(SpoolError::Damaged { id, flaw })
            }
        });
        opened.await.map_err(|error| S3Error::spool(error, None)).transpose()
    }
}

async fn downloaded(id: EntryId, sound: Sound, range: Option<&str>) -> Result<Downloaded, S3Error> {
    let range = match range.map(|range| (range, bytes(range, sound.length))) {
        None => 0..sound.length,
        Some((_, Some(range))) => range,
        Some((range, None)) => {
            let message = format!("`{range}` is not within the object");
            return Err(S3Error::answer(416, "InvalidRange", message));
        }
    };
    let length = range.end.saturating_sub(range.start);
    let info = info(id, sound.header.clone(), length);
    match sound.slice(range.start, length).await {
        Ok(body) => Ok(Downloaded { info, body }),
        Err(source) => Err(S3Error::spool(SpoolError::Read { id, source }, None)),
    }
}

fn info(id: EntryId, header: Header, size: u64) -> ObjectInfo {
    let attributes = header.attributes;
    let metadata = attributes.metadata.into_iter();
    ObjectInfo {
        size,
        content_type: attributes.content_type,
        cache_control: attributes.cache_control,
        storage_class: attributes.storage_class,
        encryption: attributes.encryption,
        // As S3 does.
        metadata: metadata.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
        last_modified: SystemTime::UNIX_EPOCH.checked_add(id.queued_at()),
        ..ObjectInfo::default()
    }
}

/// The bytes that an HTTP range asks of an object of `length`: RFC 9110, section 14.1.2.
fn bytes(range: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, end) = if first.is_empty() {
        (length.saturating_sub(last.parse().ok()?), length)
    } else if last.is_empty() {
        (first.parse().ok()?, length)
    } else {
        let last: u64 = last.parse().ok()?;
        (first.parse().ok()?, last.saturating_add(1).min(length))
    };
    (first < end).then_some(first..end)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn a_range_is_read_as_http_means_it() {
        let rows = [
            ("bytes=2-4", Some(2..5)),
            ("bytes=2-", Some(2..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=8-99", Some(8..10)),
            ("bytes=10-12", None),
            ("bytes=5-4", None),
            ("lines=1-2", None),
        ];
        for (text, range) in rows {
            assert_eq!(bytes(text, 10), range, "{text}");
        }
    }
}
