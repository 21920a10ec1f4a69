//! The names on the way to the spool.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Mutex;

use super::{holder, make};
use crate::spool::disk::Disk;

/// Knows which folders were synced.
#[derive(Debug, Default)]
struct Synced(Mutex<BTreeSet<u64>>);

impl Disk for Synced {
    fn sync_folder(&self, folder: &File) -> io::Result<()> {
        self.0.lock().unwrap().insert(folder.metadata()?.ino());
        folder.sync_all()
    }
}

fn ino(folder: &Path) -> u64 {
    fs::metadata(folder).unwrap().ino()
}

#[test]
fn every_folder_that_holds_a_new_one_is_synced_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (app, spool) = (folder.path().join("app"), folder.path().join("app/data/spool"));
    let disk = Synced::default();
    make(&spool, &disk).unwrap();
    let wanted = [folder.path(), &app, &app.join("data")].map(ino);
    assert_eq!(*disk.0.lock().unwrap(), BTreeSet::from(wanted));
}

#[test]
fn a_folder_that_a_killed_process_made_is_synced_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    fs::create_dir(&spool).unwrap();
    let disk = Synced::default();
    make(&spool, &disk).unwrap();
    assert_eq!(*disk.0.lock().unwrap(), BTreeSet::from([ino(folder.path())]));
}

#[test]
fn a_path_of_one_name_is_held_by_the_working_directory() {
    let holders = ["spool", "app/spool", "/spool", "/"].map(|path| holder(Path::new(path)));
    assert_eq!(holders, [".", "app", "/", "/"].map(Path::new));
}
