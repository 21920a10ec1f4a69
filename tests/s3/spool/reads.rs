//! Readers see what was written, wherever it is.

use s3_service::{CopyObject, Download, S3Error, SpoolError, Upload};

use super::support::{id, spooled, upload};

#[tokio::test]
async fn reads_of_a_queued_key_are_served_from_the_queue() {
    let rig = spooled().await;
    rig.s3().upload(upload("k", "old")).await.unwrap();
    rig.rig.server.kill().await;
    rig.queue("k", "between").await;
    let last = Upload::new("k", b"0123456789".to_vec()).content_type("text/plain");
    id(&rig.s3().upload(last.metadata("Owner", "me")).await.unwrap());

    let object = rig.s3().download("k").await.unwrap();
    assert_eq!(object.info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(object.info.metadata.get("owner").map(String::as_str), Some("me"));
    assert!(object.info.last_modified.is_some());
    assert_eq!(object.into_bytes().await.unwrap(), "0123456789");
    let part = rig.s3().download(Download::new("k").range(2, 4)).await.unwrap();
    assert_eq!(part.info.size, 3);
    assert_eq!(part.into_bytes().await.unwrap(), "234");
    let beyond = rig.s3().download(Download::new("k").range(20, 30)).await.unwrap_err();
    assert_eq!((beyond.status(), beyond.code()), (Some(416), Some("InvalidRange")));
    assert_eq!(rig.s3().head("k").await.unwrap().size, 10);

    id(&rig.s3().delete("k").await.unwrap());
    assert!(rig.s3().download("k").await.unwrap_err().is_not_found());
    assert!(rig.s3().head("k").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_long_object_is_read_from_its_file_though_it_is_uploaded_meanwhile() {
    let rig = spooled().await;
    rig.rig.server.kill().await;
    let bytes: Vec<u8> = (0..3_000_001_u32).map(|n| n.to_le_bytes()[0]).collect();
    id(&rig.s3().upload(Upload::new("big", bytes.clone())).await.unwrap());
    let object = rig.s3().download("big").await.unwrap();
    let part = rig.s3().download(Download::new("big").range(1_000_000, 2_999_999)).await.unwrap();

    let mut events = rig.spool().events();
    rig.heal().await;
    rig.left(&mut events, 1).await;
    assert!(object.into_bytes().await.unwrap() == bytes, "the bytes differ");
    assert!(part.into_bytes().await.unwrap() == bytes[1_000_000..3_000_000], "the part differs");
    let direct = rig.s3().download("big").await.unwrap().into_bytes().await.unwrap();
    assert!(direct == bytes, "S3 has other bytes");
}

#[tokio::test]
async fn a_copy_does_not_overtake_queued_writes() {
    let rig = spooled().await;
    rig.s3().upload(upload("here", "v")).await.unwrap();
    rig.hold("held", "v").await;
    for copy in [CopyObject::new("held", "x"), CopyObject::new("here", "held")] {
        let error = rig.s3().copy(copy).await.unwrap_err();
        let S3Error::Spool { error, .. } = error else { panic!("{error:?}") };
        assert!(matches!(*error, SpoolError::KeyQueued(key) if key == "held"));
    }
    rig.s3().copy(CopyObject::new("here", "free")).await.unwrap();
}
