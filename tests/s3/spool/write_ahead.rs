//! Stored first, always.

use s3_service::test_server::Fault;
use s3_service::{ErrorType, S3Error, SpoolBuilder, SpoolError, SpoolMode, Written};

use super::support::{entries, id, spooled_with, upload};

fn ahead(spool: SpoolBuilder) -> SpoolBuilder {
    spool.mode(SpoolMode::WriteAhead)
}

#[tokio::test]
async fn while_s3_is_well_a_write_is_stored_and_leaves_nothing_behind() {
    let rig = spooled_with(ahead, |s3| s3).await;
    for n in 1..=3 {
        let written = rig.s3().upload(upload("k", &n.to_string())).await.unwrap();
        let Written::Stored(stored) = written else { panic!("{written:?}") };
        assert!(stored.etag.is_some());
    }
    assert_eq!(rig.stored("k").await.as_deref(), Some("3"));
    assert!(matches!(rig.s3().delete("k").await.unwrap(), Written::Stored(_)));
    assert_eq!(rig.stored("k").await, None);
    assert_eq!(entries(rig.folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_write_that_s3_fails_stays_queued_and_one_that_it_refuses_does_not() {
    let rig = spooled_with(ahead, |s3| s3).await;
    rig.rig.server.inject_times(Fault::Answer { status: 400, code: "InvalidTag" }, 1);
    let error = rig.s3().upload(upload("k", "refused")).await.unwrap_err();
    assert_eq!(error.error_type(), Some(ErrorType::Client));
    assert_eq!(rig.spool().status().depth, 0);

    rig.rig.server.kill().await;
    id(&rig.s3().upload(upload("k", "kept")).await.unwrap());
    let mut events = rig.spool().events();
    rig.heal().await;
    rig.left(&mut events, 1).await;
    assert_eq!(rig.stored("k").await.as_deref(), Some("kept"));
}

#[tokio::test]
async fn without_room_nothing_is_sent() {
    let rig = spooled_with(|spool| ahead(spool).max_bytes(10), |s3| s3).await;
    let error = rig.s3().upload(upload("k", "v")).await.unwrap_err();
    let S3Error::Spool { error, cause: None } = error else { panic!("{error:?}") };
    assert!(matches!(*error, SpoolError::Full(_)));
    assert_eq!(rig.rig.server.requests(), 1, "the bucket's creation");
}

#[tokio::test]
async fn a_call_that_is_dropped_after_its_write_was_stored_is_finished_by_the_drain() {
    let rig = spooled_with(ahead, |s3| s3).await;
    rig.rig.server.inject_times(Fault::Stall, 1);
    let asked = rig.rig.server.requests();
    {
        let call = rig.s3().upload(upload("k", "v"));
        tokio::pin!(call);
        while rig.rig.server.requests() == asked {
            tokio::select! {
                _ = &mut call => panic!("the server stalls"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    crate::support::until("the drain has it", || rig.spool().status().depth == 0).await;
    assert_eq!(rig.stored("k").await.as_deref(), Some("v"));
}
