//! What S3 refuses, and what an operator does about it.

use s3_service::spool::{EntryState, SpoolEvent};
use s3_service::test_server::Fault;
use s3_service::{EntryId, SpoolError};

use super::support::{entries, spooled, upload};

#[tokio::test]
async fn a_refused_entry_is_kept_and_can_be_retried() {
    let rig = spooled().await;
    rig.rig.server.kill().await;
    let one = rig.queue("one", "v").await;
    rig.queue("two", "v").await;
    let mut events = rig.spool().events();
    rig.rig.server.inject_times(Fault::Answer { status: 400, code: "InvalidDigest" }, 1);
    rig.rig.server.restart().await.unwrap();
    rig.rig.time.advance(crate::support::RESET);
    let seen = rig.left(&mut events, 2).await;
    let dead = seen.iter().find_map(|event| {
        let SpoolEvent::Dead { id, reason, .. } = event else { return None };
        Some((*id, reason.clone()))
    });
    let (id, reason) = dead.unwrap();
    assert!(reason.contains("InvalidDigest"), "{reason}");
    // Two keys have no order: an attempt that rests since the outage lets the other one pass.
    let (bad, good) = if id == one { ("one", "two") } else { ("two", "one") };
    assert_eq!(rig.stored(good).await.as_deref(), Some("v"));
    assert_eq!(rig.stored(bad).await, None);
    assert_eq!((rig.spool().status().depth, rig.spool().status().dead), (0, 1));
    let [entry] = rig.spool().list().try_into().unwrap();
    assert_eq!(entry.state, EntryState::Dead { reason });
    assert_eq!(entries(&rig.folder.path().join("dead")).len(), 2, "the entry and its reason");

    rig.spool().retry(id).await.unwrap();
    rig.left(&mut events, 2).await;
    assert_eq!(rig.stored(bad).await.as_deref(), Some("v"));
    assert_eq!(rig.spool().status().dead, 0);
    assert!(entries(&rig.folder.path().join("dead")).is_empty());
}

#[tokio::test]
async fn an_operator_discards_single_entries() {
    let rig = spooled().await;
    rig.rig.server.kill().await;
    let first = rig.queue("k", "1").await;
    let second = rig.queue("k", "2").await;
    rig.spool().discard(second).await.unwrap();
    let gone = rig.spool().discard(second).await;
    assert!(matches!(gone, Err(SpoolError::NoSuchEntry(id)) if id == second));
    let unknown: EntryId = "42".parse().unwrap();
    assert!(matches!(rig.spool().retry(unknown).await, Err(SpoolError::NoSuchEntry(_))));
    let left: Vec<_> = rig.spool().list().into_iter().map(|entry| entry.id).collect();
    assert_eq!(left, [first]);
    let read = rig.s3().download("k").await.unwrap().into_bytes().await.unwrap();
    assert_eq!(read, "1");
}

#[tokio::test]
async fn an_entry_that_is_on_its_way_is_not_discarded() {
    let rig = spooled().await;
    rig.rig.server.kill().await;
    let id = rig.queue("k", "v").await;
    rig.rig.server.inject(Fault::Stall);
    rig.rig.server.restart().await.unwrap();
    rig.rig.time.advance(crate::support::RESET);
    crate::support::until("it is on its way", || rig.spool().status().uploading == 1).await;
    let refused = rig.spool().discard(id).await;
    assert!(matches!(refused, Err(SpoolError::Uploading(_))), "{refused:?}");
    let queued = rig.s3().upload(upload("k", "w")).await.unwrap();
    assert!(super::support::id(&queued) > id);
}
