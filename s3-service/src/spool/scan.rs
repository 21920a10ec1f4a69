//! What opening a spool finds in its folder.
//!
//! Only names and sizes are read. What a file holds is proven when it is used, so a flipped bit
//! costs nobody a start; a file that has lost its end is found here.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use super::folder::{DRAFT, Folder};
use super::name::Name;
use super::sound::{Flaw, peek};

#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Name>,
    pub(super) dead: Vec<Name>,
    /// How many files are in `damaged/`.
    pub(super) damaged: u64,
}

pub(super) fn scan(folder: &Folder) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(&folder.root)? {
        let entry = entry?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        if file.starts_with(DRAFT) {
            folder.disk.remove(&entry.path())?;
        } else if let Some(name) = own(&file) {
            match whole(&entry, name) {
                Ok(name) => found.entries.push(name),
                Err(Flaw::Damaged(flaw)) => {
                    tracing::error!(entry = file, flaw, "a damaged entry was set aside");
                    folder.set_aside(&file, &flaw)?;
                }
                Err(Flaw::Gone) => {}
                Err(Flaw::Io(error)) => return Err(error),
            }
        }
    }
    for (entry, name) in names(&folder.dead_folder())? {
        if let Ok(name) = whole(&entry, name) {
            found.dead.push(name);
        }
    }
    let damaged = names(&folder.damaged_folder())?.len();
    found.damaged = u64::try_from(damaged).unwrap_or(u64::MAX);
    Ok(found)
}

/// The name of an entry; other files are none of our business.
fn own(file: &str) -> Option<Name> {
    Name::parse(file).filter(|name| name.is_cut || name.to_string() == file)
}

/// The name with its whole key, if the file has as many bytes as the name says.
fn whole(entry: &DirEntry, mut name: Name) -> Result<Name, Flaw> {
    let size = entry.metadata()?.len();
    if size != name.size {
        return Err(Flaw::Damaged(format!("it has {size} bytes of {}", name.size)));
    }
    if name.is_cut {
        let cut = name.to_string();
        name.key = peek(&entry.path())?.0.key;
        name.is_cut = false;
        if entry.file_name() != *name.to_string() {
            return Err(Flaw::Damaged(format!("its header is not that of {cut}")));
        }
    }
    Ok(name)
}

fn names(folder: &Path) -> io::Result<Vec<(DirEntry, Name)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().into_string().ok().and_then(|file| own(&file)) {
            found.push((entry, name));
        }
    }
    Ok(found)
}
