//! The files of the repository: what is tracked, or would be by the next `git add`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Paths from the root, with `/` between names, sorted.
///
/// Outside a git work tree (an unpacked archive) there is nothing ignored to leave out except what
/// the build made.
pub(crate) fn files() -> Vec<String> {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(root())
        .output();
    let mut files = match git {
        Ok(answer) if answer.status.success() => {
            String::from_utf8(answer.stdout).unwrap().lines().map(str::to_owned).collect()
        }
        Ok(_) | Err(_) => walk(&root(), ""),
    };
    // A file that was deleted and not yet committed is still listed.
    files.retain(|file| root().join(file).is_file());
    files.sort();
    assert!(files.len() > 20, "this is not the repository: {files:?}");
    files
}

/// The Rust files of each crate's library and programs: `*/src/**`.
pub(crate) fn sources() -> Vec<String> {
    files()
        .into_iter()
        .filter(|f| f.ends_with(".rs") && f.split('/').nth(1) == Some("src"))
        .collect()
}

pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn walk(folder: &Path, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_file() {
            found.push(name);
        } else if !matches!(name.as_str(), "target" | ".git") {
            found.extend(walk(&entry.path(), &format!("{name}/")));
        }
    }
    found
}

#[test]
fn the_walk_without_git_finds_every_file_that_git_lists() {
    let walked = walk(&root(), "");
    let missed: Vec<_> = files().into_iter().filter(|file| !walked.contains(file)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
