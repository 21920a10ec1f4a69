//! Writes that outlive an outage of S3, and the process: a durable queue in a folder.
//!
//! While S3 is down an upload has nowhere to go, and its caller has seldom anywhere to keep it. In
//! memory it dies with the process, and a database is a dependency more that can be down. So it goes
//! into a file: one for each write, which tells everything about itself, in a folder that `ls`
//! explains. The caller is told so ([`Written::Queued`](crate::Written::Queued)) once the write
//! would survive a loss of power, and not before. When S3 is back, the oldest entry is the probe
//! that finds it out.
//!
//! ```
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("reports");
//! use s3_service::{S3, Spool, Start, Upload, Written};
//!
//! let s3 = S3::builder()
//!     .bucket("reports")
//!     .endpoint("http://127.0.0.1:1") // nobody answers there
//!     .credentials("key", "secret")
//!     .max_attempts(1)
//!     .start(Start::Lazy)
//!     .spool(Spool::builder(folder))
//!     .build()
//!     .await?;
//! let written = s3.upload(Upload::new("2024/q1.txt", b"42".to_vec())).await?;
//! assert!(matches!(written, Written::Queued { .. }));
//!
//! // Readers get what was written.
//! let report = s3.download("2024/q1.txt").await?.into_bytes().await?;
//! assert_eq!(&report[..], b"42");
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! Every write stored before S3 is asked, in tighter bounds, and an operator's look at it:
//!
//! ```
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("reports");
//! use s3_service::{Spool, SpoolError, SpoolMode, Upload};
//!
//! let settings = Spool::builder(&folder)
//!     .mode(SpoolMode::WriteAhead)
//!     .max_entries(1)
//!     .max_bytes(64 << 20)
//!     .keep_free(1 << 20);
//! let spool = settings.open("reports").await?; // or give it to `S3Builder::spool`
//! let id = spool.enqueue(Upload::new("q1.txt", b"42".to_vec()).content_type("text/plain")).await?;
//! let full = spool.enqueue_delete("q2.txt").await;
//! assert!(matches!(full, Err(SpoolError::Full(_))));
//!
//! assert_eq!(spool.status().depth, 1);
//! assert_eq!(spool.list()[0].key, "q1.txt");
//! spool.discard(id).await?;
//! spool.close().await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # What is promised
//! * **A write that was answered `Queued` reaches S3**, or `dead/`, or an operator's hand. It
//!   survives kill -9 and a loss of power.
//! * **Order is kept per key.** While a key has queued writes, new ones queue behind them, and
//!   downloads and HEADs of it are served from the last. Listings show S3 alone; a copy from or to
//!   such a key is [refused](SpoolError::KeyQueued), and so is a write to it past the breaker
//!   ([`S3::bypass`](crate::S3::bypass)). What is sent by [`S3::call`](crate::S3::call) or
//!   [`S3::client`](crate::S3::client) does not see the queue: ask [`Spool::holds`] before.
//! * **Nothing is doubled in effect.** A write may be sent twice, if the process dies between S3's
//!   answer and the removal of the entry; but no later write to its key can have come between. Other
//!   processes can: two spools that write to one key have no order.
//! * **A write that S3 was asked for, and that timed out, may have been done.** It is queued all the
//!   same, and done again as the last word on its key.
//! * **A condition is decided when its write is drained.** One that does not hold then
//!   (`if_none_match`: 412) sends the entry to `dead/`, though its caller was told `Queued`.
//!
//! # The folder
//! ```text
//! reports/
//!   lock                                           who holds it, and which bucket it is for
//!   1764154457123456-put-131-2024%2Fq1.txt         id, action, size of the file, key
//!   1764154457123999-delete-70-2023%2Fq1.txt
//!   dead/                                          refused by S3 for good, each with its ~reason
//!   damaged/                                       not what was written, each with its ~reason
//! ```
//! Ids rise in the order of the writes, so `ls` lists them in order. An escaped key over 200 bytes
//! ends in `~` in the name, and is whole in the header. Folders are made with mode 0700, files with
//! 0600. A process that is stopped leaves nothing else; `.draft-…` files of one that was killed go
//! at the next start.
//!
//! | of a file | bytes |
//! | --- | --- |
//! | `s3-spool 1\n` | what it is, and the version of the format |
//! | `{"action":"put","bucket":…,"key":…,"content_type":…}\n` | one line of JSON: everything that S3 is told beside the payload |
//! | the payload | as it was given |
//! | `\ncrc32 0a1b2c3d\n` | CRC-32 (IEEE, as in gzip) over everything before this line |
//!
//! # When something goes wrong
//! | what | what happens |
//! | --- | --- |
//! | killed while an entry is written | the caller has no answer; the draft goes at the next start |
//! | killed after S3's answer, before the removal | uploaded again; nobody wrote to the key between |
//! | loss of power | what was answered `Queued` is there: file synced, renamed, folder synced |
//! | disk full, quota, bound reached | [`SpoolError::Full`]; nothing of the write is left; the drain goes on and gives room back |
//! | the sync of a file or of the folder fails | the write is an error; its file is removed, and never trusted again |
//! | the sync of a removal, or of a move, fails | it is done, and logged; after a loss of power the file may be at its old place again, and is sent over what was written since |
//! | a file lost its end, or was flipped a bit | found at the start, or before the upload; it goes to `damaged/`, everything else goes on |
//! | a file was removed by hand | the entry is gone, with a [`SpoolEvent::Damaged`] |
//! | the folder can not be read or written | [`SpoolError::Folder`] at the start, [`SpoolError::Write`] later |
//! | a second process | [`SpoolError::InUse`], with the process that holds it |
//! | another bucket | [`SpoolError::OtherBucket`] |
//! | S3 rejects, fails, times out | the entry stays; it rests 250 ms, doubled each time up to 30 s, or until the breaker closes |
//! | S3 refuses whatever comes: `ExpiredToken`, `InvalidAccessKeyId`, `RequestTimeTooSkewed`, `NoSuchBucket`, another region … | the same; one a second is tried until somebody has put it right |
//! | S3 refuses this one for what may pass: 401, 403, a key of KMS, a conflict with another write, a digest that does not fit | the same, but after a dozen times it goes to `dead/` |
//! | S3 refuses it otherwise (400, 412, …) | `dead/`; what is behind it goes on |
//!
//! [`Spool::retry`] brings an entry back from `dead/`, [`Spool::discard`] removes one.

mod busy;
mod claim;
mod disk;
mod draft;
mod drain;
mod error;
mod folder;
mod front;
#[cfg(feature = "otel")]
mod gauges;
mod graveyard;
mod group;
mod handle;
mod header;
mod index;
mod intake;
mod loan;
mod name;
mod pace;
mod reads;
mod report;
mod room;
mod scan;
mod settings;
mod sound;
mod store;

pub use disk::{Disk, OsDisk};
pub use error::{Bound, SpoolError};
#[cfg(feature = "otel")]
pub use gauges::SpoolGauges;
pub use handle::Spool;
pub use name::EntryId;
pub use report::{Entry, EntryState, SpoolEvent, SpoolStatus};
pub use settings::{SpoolBuilder, SpoolMode};

pub(crate) use front::Queue;

#[cfg(test)]
mod tests;
