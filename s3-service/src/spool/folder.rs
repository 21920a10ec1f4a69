//! The folder: who may use it, what is in it, and moves within it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::Disk;
use super::draft::Draft;
use super::error::SpoolError;
use super::group::GroupSync;
use super::name::Name;
use super::scan::{self, Found};

pub(super) const DRAFT: &str = ".draft-";
const LOCK: &str = "lock";
const DEAD: &str = "dead";
const DAMAGED: &str = "damaged";
/// Ends the name of a note beside an entry. No key has this in its escaped form.
const REASON: &str = "~reason";

/// Of a move or a removal that is done: whether it would survive a loss of power. Where it would not,
/// the file may be back at its old place then, and before then it is not.
pub(super) type Durable = io::Result<()>;

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) root: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
    names: File,
    dead_names: File,
    lock: File,
    drafts: AtomicU64,
    arrivals: GroupSync,
}

impl Folder {
    /// Makes the folder if need be, locks it, and reads what is in it. Blocks.
    pub(super) fn open(
        root: &Path,
        bucket: &str,
        disk: &Arc<dyn Disk>,
    ) -> Result<(Self, Found), SpoolError> {
        let unusable = |source| SpoolError::Folder { folder: root.to_owned(), source };
        make(root, &**disk).map_err(unusable)?;
        let lock = locked(root, bucket)?;
        let opened = || -> io::Result<Self> {
            for folder in [DEAD, DAMAGED] {
                make(&root.join(folder), &**disk)?;
            }
            Ok(Self {
                root: root.to_owned(),
                names: File::open(root)?,
                dead_names: File::open(root.join(DEAD))?,
                disk: Arc::clone(disk),
                lock,
                drafts: AtomicU64::new(0),
                arrivals: GroupSync::default(),
            })
        };
        let folder = opened().map_err(unusable)?;
        let found = scan::scan(&folder).map_err(unusable)?;
        // A folder that can not be written is better found out now than in an outage.
        drop(folder.draft().map_err(unusable)?);
        Ok((folder, found))
    }

    pub(super) fn draft(&self) -> io::Result<Draft> {
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        Draft::create(Arc::clone(&self.disk), self.root.join(format!("{DRAFT}{number}")))
    }

    pub(super) fn path(&self, name: &Name) -> PathBuf {
        self.root.join(name.to_string())
    }

    pub(super) fn dead_folder(&self) -> PathBuf {
        self.root.join(DEAD)
    }

    pub(super) fn damaged_folder(&self) -> PathBuf {
        self.root.join(DAMAGED)
    }

    /// Makes every rename and removal so far durable, together with everybody who asks. Blocks.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.arrivals.join(|| self.disk.sync_folder(&self.names))
    }

    /// Moves an entry to `dead/`, with the reason beside it.
    pub(super) fn bury(&self, name: &Name, reason: &str) -> io::Result<Durable> {
        let to = self.dead_folder().join(name.to_string());
        note(&to, reason);
        self.disk.rename(&self.path(name), &to)?;
        Ok(self.disk.sync_folder(&self.dead_names).and_then(|()| self.sync()))
    }

    /// Moves an entry back from `dead/`.
    pub(super) fn revive(&self, name: &Name) -> io::Result<Durable> {
        let from = self.dead_folder().join(name.to_string());
        self.disk.rename(&from, &self.path(name))?;
        let synced = self.sync();
        forget(&from);
        Ok(synced.and_then(|()| self.disk.sync_folder(&self.dead_names)))
    }

    /// Why an entry is dead, as far as it was noted.
    pub(super) fn reason(&self, name: &Name) -> String {
        let path = self.dead_folder().join(name.to_string());
        fs::read_to_string(beside(&path)).unwrap_or_default()
    }

    /// Removes an entry for good.
    pub(super) fn remove(&self, name: &Name) -> io::Result<Durable> {
        self.disk.remove(&self.path(name))?;
        Ok(self.sync())
    }

    /// Removes a dead entry for good.
    pub(super) fn remove_dead(&self, name: &Name) -> io::Result<Durable> {
        let path = self.dead_folder().join(name.to_string());
        self.disk.remove(&path)?;
        forget(&path);
        Ok(self.disk.sync_folder(&self.dead_names))
    }

    /// Moves a file that is not what it should be out of the way, with the reason beside it.
    pub(super) fn set_aside(&self, file: &str, flaw: &str) -> io::Result<()> {
        let to = self.damaged_folder().join(file);
        note(&to, flaw);
        self.disk.rename(&self.root.join(file), &to)
    }

    /// Lets the next process in.
    pub(super) fn unlock(&self) {
        if let Err(error) = self.lock.unlock() {
            tracing::debug!(%error, "the lock of the spool ends with the process");
        }
    }
}

fn beside(entry: &Path) -> PathBuf {
    let mut path = entry.as_os_str().to_owned();
    path.push(REASON);
    PathBuf::from(path)
}

/// The reason, for people: the entry is as good without it.
fn note(entry: &Path, reason: &str) {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(beside(entry));
    if let Err(error) = file.and_then(|mut file| file.write_all(reason.as_bytes())) {
        tracing::debug!(%error, "the reason was not noted");
    }
}

fn forget(entry: &Path) {
    if let Err(error) = fs::remove_file(beside(entry)) {
        tracing::debug!(%error, "there was no reason to forget");
    }
}

/// Makes a folder that only its owner may read: payloads are somebody's data. What is in it survives a
/// loss of power if the names on the way to it do.
fn make(folder: &Path, disk: &dyn Disk) -> io::Result<()> {
    let sync = |holder: &Path| disk.sync_folder(&File::open(holder)?);
    if folder.is_dir() {
        // Whoever made it may have been killed before the sync; and may have been somebody else, whose
        // folders we are not let into.
        if let Err(error) = sync(holder(folder)) {
            tracing::debug!(%error, "the folder around the spool was not synced");
        }
        return Ok(());
    }
    let new: Vec<_> = folder.ancestors().take_while(|path| !is_there(path)).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    new.into_iter().try_for_each(|path| sync(holder(path)))
}

fn is_there(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.is_dir()
}

/// The folder that holds this one's name.
fn holder(folder: &Path) -> &Path {
    match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => folder,
    }
}

/// Takes the lock and leaves a note in it: whose folder it is, and who holds it.
fn locked(root: &Path, bucket: &str) -> Result<File, SpoolError> {
    let folder = || root.to_owned();
    let unusable = |source| SpoolError::Folder { folder: folder(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut lock = options.open(root.join(LOCK)).map_err(unusable)?;
    let taken = lock.try_lock();
    let mut note = String::new();
    if let Err(error) = lock.read_to_string(&mut note) {
        // What is no text was not written by us.
        tracing::debug!(%error, "the lock of the spool can not be read");
        note.clear();
    }
    let line = |name: &str| {
        note.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    match taken {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = line("pid ").and_then(|pid| pid.parse().ok());
            return Err(SpoolError::InUse { folder: folder(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(unusable(source)),
    }
    if let Some(found) = line("bucket ").filter(|found| found != bucket) {
        let expected = bucket.to_owned();
        return Err(SpoolError::OtherBucket { folder: folder(), found, expected });
    }
    let mut write = || {
        lock.set_len(0)?;
        lock.rewind()?;
        write!(lock, "bucket {bucket}\npid {}\n", std::process::id())?;
        lock.sync_data()
    };
    write().map_err(unusable)?;
    Ok(lock)
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
