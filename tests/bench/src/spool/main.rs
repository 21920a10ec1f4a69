//! What a durable entry of the upload queue costs.
//!
//! A disk is as fast as the day it has, so a sync here takes one millisecond by decree, and what is
//! left is what the queue makes of it: two syncs for each entry, the one of the folder shared by
//! everybody who waits.
//!
//! The files lie in memory where there is room for them. On ext4 the order of the rows decides: it gives
//! the inode of a removed file out again after a minute or more only, and for each new file searches past
//! all of those, so that 64 producers came to 800 entries a second after a run before, and to 8 100
//! without one.
//!
//! Measured on two idle cores, on ext4: 4 660 entries of 4 KiB a second from 16 producers, where the goal
//! is 4 000; 3.4 ms each at the median, 4.8 at the 99th percentile, 1.19 syncs. In memory, with ten other
//! processes on the two cores: 3 700 to 4 000 from 16 producers, and 13 000 from 64, with 1.05 syncs. One
//! producer alone waits for both syncs: 424.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use s3_service::spool::{Disk, OsDisk};
use s3_service::{Spool, Upload};
use tempfile::TempDir;

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
    let folder = folder();
    for (size, producers) in [(4 << 10, 1), (4 << 10, 16), (4 << 10, 64), (256 << 10, 16)] {
        runtime.block_on(row(folder.path(), size, producers));
    }
}

fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = match OsDisk.free(memory) {
        Ok(4_294_967_296..) => tempfile::tempdir_in(memory),
        Ok(_) | Err(_) => tempfile::tempdir(),
    };
    folder.expect("a folder")
}

async fn row(folder: &Path, size: usize, producers: usize) {
    let disk = Slow::default();
    let folder = folder.join(format!("{size}-{producers}"));
    let settings = Spool::builder(folder).keep_free(0).max_entries(usize::MAX);
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
