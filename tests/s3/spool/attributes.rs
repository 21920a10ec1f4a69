//! All that belongs to a write beside its bytes, on its way through the queue.

use circuit_layer::{Clock, State};
use s3_service::spool::EntryState;
use s3_service::{MemoryStore, S3, Spool, Start, Upload};

use super::support::{entries, id};
use crate::moto::Moto;
use crate::operations::contract::{assert_has_all_attributes, with_all_attributes};
use crate::support::{BUCKET, RESET, until};

#[tokio::test]
async fn tags_class_encryption_and_condition_outlive_the_queue_and_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = MemoryStore::new(BUCKET);
    let service = async || {
        let settings = S3::builder().bucket(BUCKET).client(store.client()).start(Start::Lazy);
        settings.spool(Spool::builder(folder.path())).build().await.unwrap()
    };
    let s3 = service().await;
    s3.upload(Upload::new("there", b"first".to_vec())).await.unwrap();
    s3.breaker().force_open("a drill", None);
    id(&s3.upload(with_all_attributes("new")).await.unwrap());
    let refused = id(&s3.upload(with_all_attributes("there")).await.unwrap());
    s3.spool().unwrap().close().await.unwrap();

    let next = service().await;
    let spool = next.spool().unwrap();
    until("both have left", || spool.status().depth == 0).await;
    assert_has_all_attributes(&next, "new").await;
    let [dead] = spool.list().try_into().unwrap();
    assert_eq!((dead.id, &*dead.key), (refused, "there"));
    let EntryState::Dead { reason } = dead.state else { panic!("{:?}", dead.state) };
    assert!(reason.contains("412"), "{reason}");
    let kept = next.download("there").await.unwrap().into_bytes().await.unwrap();
    assert_eq!(kept, "first", "the condition was kept");
}

#[tokio::test]
async fn what_was_queued_while_moto_was_dead_is_there_when_it_is_back() {
    let mut moto = Moto::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (clock, time) = Clock::manual();
    let settings = moto.settings().clock(clock).max_attempts(1).fail_max(2);
    let s3 = settings.spool(Spool::builder(folder.path())).build().await.unwrap();
    let spool = s3.spool().unwrap();

    moto.kill();
    id(&s3.upload(with_all_attributes("full")).await.unwrap());
    for n in 0..10 {
        id(&s3.upload(Upload::new("counted", n.to_string().into_bytes())).await.unwrap());
    }
    id(&s3.upload(Upload::new("gone", b"v".to_vec())).await.unwrap());
    id(&s3.delete("gone").await.unwrap());
    until("the breaker opens", || s3.breaker().state() == State::Open).await;
    assert_eq!(spool.status().depth, 13);

    moto.restart().await;
    let direct = moto.service().await;
    time.advance(RESET);
    until("the queue is empty", || {
        // An attempt that failed at the end of the outage rests, by the clock that stands still.
        time.advance(std::time::Duration::from_millis(1));
        spool.status().depth == 0
    })
    .await;
    assert_eq!((spool.status().uploaded, spool.status().dead), (13, 0));
    assert_eq!(entries(folder.path()), Vec::<String>::new());
    assert_eq!(s3.breaker().state(), State::Closed);
    assert_has_all_attributes(&direct, "full").await;
    let last = direct.download("counted").await.unwrap().into_bytes().await.unwrap();
    assert_eq!(last, "9");
    assert!(direct.head("gone").await.unwrap_err().is_not_found());
}
