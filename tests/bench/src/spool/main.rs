//! What a durable entry of the upload queue costs.
//!
//! A disk is as fast as the day it has, so a sync here takes one millisecond by decree, and what is
//! left is what the queue makes of it: two syncs for each entry, the one of the folder shared by
//! everybody who waits.
//!
//! Measured once, on two cores that a dozen builds shared: 1 738 entries of 4 KiB a second from 16
//! producers, 1.32 syncs each. The goal is 4 000, and on a quiet machine this has not been measured.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use s3_service::spool::Disk;
use s3_service::{Spool, Upload};

const SYNC: Duration = Duration::from_millis(1);
const RUN: Duration = Duration::from_secs(2);

/// A sync takes one millisecond, and is counted.
#[derive(Clone, Debug, Default)]
struct Slow {
    files: Arc<AtomicU64>,
    folders: Arc<AtomicU64>,
}

impl Disk for Slow {
    fn sync_file(&self, _file: &File) -> io::Result<()> {
        self.files.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(SYNC);
        Ok(())
    }

    fn sync_folder(&self, _folder: &File) -> io::Result<()> {
        self.folders.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(SYNC);
        Ok(())
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("the upload queue, with syncs of 1 ms");
    println!(
        "{:<40} {:>9} {:>9} {:>9} {:>13}",
        "entries of, producers", "entries/s", "p50 ms", "p99 ms", "syncs/entry"
    );
    for (size, producers) in [(4 << 10, 1), (4 << 10, 16), (256 << 10, 16), (4 << 10, 64)] {
        runtime.block_on(row(size, producers));
    }
}

async fn row(size: usize, producers: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Slow::default();
    let settings = Spool::builder(folder.path()).keep_free(0).max_entries(usize::MAX);
    let spool = settings.disk(disk.clone()).open("bench").await.expect("a spool");
    let before = disk.folders.load(Ordering::Relaxed);
    let payload = bytes::Bytes::from(vec![7; size]);
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for producer in 0..producers {
        let (spool, payload) = (spool.clone(), payload.clone());
        tasks.spawn(async move {
            let mut waits = Vec::new();
            while begin.elapsed() < RUN {
                let since = Instant::now();
                let upload = Upload::new(format!("p{producer}/{}", waits.len()), payload.clone());
                spool.enqueue(upload).await.expect("stored");
                waits.push(since.elapsed());
            }
            waits
        });
    }
    let mut waits: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let took = begin.elapsed();
    waits.sort();
    let at = |share: f64| waits[(waits.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    let syncs = disk.files.load(Ordering::Relaxed) + disk.folders.load(Ordering::Relaxed) - before;
    println!(
        "{:<40} {:>9.0} {:>9.2} {:>9.2} {:>13.2}",
        format!("{} KiB, {producers}", size >> 10),
        waits.len() as f64 / took.as_secs_f64(),
        at(0.5),
        at(0.99),
        syncs as f64 / waits.len() as f64,
    );
}
