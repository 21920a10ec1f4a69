//! Folders that are not ours to use.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use s3_service::{InitError, Spool, SpoolError};

use super::support::filled;
use crate::support::{server, settings};

const WRITER: &str = env!("CARGO_BIN_EXE_spool-writer");
const NOBODY: u32 = 65_534;

#[tokio::test]
async fn a_folder_in_use_or_of_another_bucket_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let spool = filled(folder.path()).await;
    let second = Spool::builder(folder.path()).open("bucket").await.unwrap_err();
    let SpoolError::InUse { pid, .. } = second else { panic!("{second:?}") };
    assert_eq!(pid, Some(std::process::id()));
    let server = server().await;
    let service = settings(&server).0.spool(Spool::builder(folder.path())).build().await;
    assert!(matches!(service, Err(InitError::Spool(SpoolError::InUse { .. }))));

    spool.close().await.unwrap();
    let other = Spool::builder(folder.path()).open("other").await.unwrap_err();
    let SpoolError::OtherBucket { found, expected, .. } = other else { panic!("{other:?}") };
    assert_eq!((&*found, &*expected), ("bucket", "other"));
    let again = Spool::builder(folder.path()).open("bucket").await.unwrap();
    assert_eq!(again.status().depth, 3, "nothing was lost");
}

#[tokio::test]
async fn settings_that_can_not_work_are_typed_errors() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Spool::builder(folder.path());
    for bad in [builder().max_entries(0), builder().max_bytes(0), builder().concurrency(0)] {
        let refused = bad.open("bucket").await;
        assert!(matches!(refused, Err(SpoolError::Setting(_))), "{refused:?}");
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let refused = Spool::builder(folder.path().join("file")).open("bucket").await;
    assert!(matches!(refused, Err(SpoolError::Folder { .. })), "{refused:?}");
}

/// Opens `folder` in another process, as a user for whom permissions hold: root may write anywhere.
fn unprivileged(folder: &Path) -> Output {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Command::new(WRITER).arg(folder).output().unwrap();
    }
    // The program lies where only its owner may look.
    let program = folder.with_file_name("writer");
    fs::copy(WRITER, &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(program).arg(folder).uid(NOBODY).gid(NOBODY).output().unwrap()
}

#[test]
fn a_folder_without_permission_is_refused_and_nothing_in_it_is_touched() {
    let outer = tempfile::tempdir().unwrap();
    fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let folder = outer.path().join("spool");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("lock"), "bucket bucket\n").unwrap();
    for mode in [0o000, 0o555] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let run = unprivileged(&folder);
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(!run.status.success());
        assert!(said.contains("can not be used: Permission denied"), "{said}");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[tokio::test]
async fn a_second_process_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let spool = filled(folder.path()).await;
    let run = Command::new(WRITER).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success());
    assert!(said.contains(&format!("in use by process {}", std::process::id())), "{said}");
    assert_eq!(spool.status().depth, 3);
}
