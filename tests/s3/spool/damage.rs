//! Files that are not what was written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use s3_service::spool::SpoolEvent;
use s3_service::{S3Error, Spool, SpoolError};

use super::support::{entries, filled, payload, spooled, upload};

fn file(folder: &Path, key: &str) -> PathBuf {
    let name = entries(folder).into_iter().find(|name| name.ends_with(key)).unwrap();
    folder.join(name)
}

#[tokio::test]
async fn the_folder_is_what_the_docs_say() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("spool");
    let spool = filled(&root).await;
    let id = spool.enqueue_delete("a/b").await.unwrap();
    let names = entries(&root);
    assert_eq!(names.len(), 4);
    assert!(names[3].starts_with(&id.to_string()) && names[3].ends_with("-a%2Fb"), "{names:?}");
    assert_eq!(payload(&file(&root, "k1")), b"payload 1");
    let content = fs::read_to_string(file(&root, "k1")).unwrap();
    assert!(content.starts_with("s3-spool 1\n{\"action\":\"put\",\"bucket\":\"bucket\""));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&root), mode(&file(&root, "k1"))), (0o700, 0o600));
    let lock = fs::read_to_string(root.join("lock")).unwrap();
    assert_eq!(lock, format!("bucket bucket\npid {}\n", std::process::id()));
}

#[tokio::test]
async fn a_file_that_lost_its_end_costs_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await.close().await.unwrap();
    let torn = file(folder.path(), "k1");
    let length = fs::metadata(&torn).unwrap().len();
    fs::File::options().write(true).open(&torn).unwrap().set_len(length - 5).unwrap();

    let spool = Spool::builder(folder.path()).open("bucket").await.unwrap();
    assert_eq!((spool.status().depth, spool.status().damaged), (2, 1));
    let damaged = folder.path().join("damaged");
    let reason = damaged.join(format!("{}~reason", torn.file_name().unwrap().to_str().unwrap()));
    assert!(fs::read_to_string(reason).unwrap().contains("bytes of"));
}

#[tokio::test]
async fn a_flipped_byte_is_not_handed_to_a_reader() {
    let rig = spooled().await;
    rig.rig.server.kill().await;
    rig.queue("k", "older").await;
    rig.queue("k", "newest").await;
    let path = rig.folder.path().join(entries(rig.folder.path()).pop().unwrap());
    let mut content = fs::read(&path).unwrap();
    let place = content.len() - 18;
    content[place] ^= 0x10;
    fs::write(&path, content).unwrap();

    let mut events = rig.spool().events();
    let error = rig.s3().download("k").await.unwrap_err();
    let S3Error::Spool { error, .. } = error else { panic!("{error:?}") };
    assert!(matches!(*error, SpoolError::Damaged { .. }), "{error:?}");
    assert!(matches!(events.recv().await.unwrap(), SpoolEvent::Damaged { .. }));
    let read = rig.s3().download("k").await.unwrap().into_bytes().await.unwrap();
    assert_eq!(read, "older", "the rest is there");
    assert_eq!(rig.spool().status().damaged, 1);
}

#[tokio::test]
async fn a_file_that_somebody_removed_is_reported_and_holds_nothing_up() {
    let rig = spooled().await;
    rig.rig.server.kill().await;
    rig.queue("k0", "v").await;
    rig.queue("k1", "v").await;
    fs::remove_file(file(rig.folder.path(), "k0")).unwrap();
    let mut events = rig.spool().events();
    rig.heal().await;
    let seen = rig.left(&mut events, 2).await;
    assert!(seen.iter().any(|event| matches!(event, SpoolEvent::Damaged { .. })), "{seen:?}");
    assert_eq!(rig.stored("k1").await.as_deref(), Some("v"));
}

#[tokio::test]
async fn drafts_of_a_killed_process_are_swept_and_files_of_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await.close().await.unwrap();
    fs::write(folder.path().join(".draft-7"), "half").unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let spool = Spool::builder(folder.path()).open("bucket").await.unwrap();
    assert_eq!(spool.status().depth, 3);
    assert!(!folder.path().join(".draft-7").exists());
    assert!(folder.path().join("notes.txt").exists());
}

#[tokio::test]
async fn a_key_too_long_for_a_name_is_whole_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let key = "very/long/ä ".repeat(60);
    let spool = Spool::builder(folder.path()).open("bucket").await.unwrap();
    spool.enqueue(upload(&key, "v")).await.unwrap();
    spool.close().await.unwrap();
    let spool = Spool::builder(folder.path()).open("bucket").await.unwrap();
    assert_eq!(spool.list()[0].key, key);
    assert!(spool.holds(&key));
}
