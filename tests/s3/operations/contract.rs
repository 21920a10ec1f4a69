//! What every store must do for the service, on each: in memory, s3s-fs in the process, moto.

use std::collections::HashMap;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use s3_service::{CopyObject, Download, List, MemoryStore, S3, Start, Upload, Written};

use crate::support::{BUCKET, Frames, Then, rig};

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    let client = MemoryStore::new(BUCKET).client();
    let s3 = S3::builder().bucket(BUCKET).client(client).start(Start::Strict).build();
    let s3 = s3.await.unwrap();
    every_store(&s3).await;
    full_stores(&s3).await;
}

#[tokio::test]
async fn the_server_in_the_process_keeps_the_contract() {
    every_store(&rig().await.s3).await;
}

/// All that s3s-fs does too.
pub(super) async fn every_store(s3: &S3) {
    an_object_comes_back_as_it_was_stored(s3).await;
    an_empty_object_is_an_object(s3).await;
    a_stream_of_unknown_length_is_stored(s3).await;
    a_range_is_part_of_an_object(s3).await;
    pages_list_every_key_once(s3).await;
    a_copy_keeps_its_metadata_unless_told_otherwise(s3).await;
    an_object_that_is_there_is_not_written_over(s3).await;
    a_removed_object_is_gone(s3).await;
    the_bucket_is_there(s3).await;
    the_books_say_that_s3_is_well(s3).await;
}

/// What s3s-fs does not do.
pub(super) async fn full_stores(s3: &S3) {
    tags_class_and_encryption_are_kept(s3).await;
    a_listing_has_entity_tags(s3).await;
    a_missing_bucket_is_told_from_a_missing_key(s3).await;
    an_unchanged_object_is_an_answer(s3).await;
}

async fn put(s3: &S3, key: &str, bytes: &'static [u8]) {
    s3.upload(Upload::new(key, ByteStream::from_static(bytes))).await.unwrap();
}

async fn get(s3: &S3, key: &str) -> Bytes {
    s3.download(key).await.unwrap().into_bytes().await.unwrap()
}

async fn an_object_comes_back_as_it_was_stored(s3: &S3) {
    let upload = Upload::new("a/b +ä.txt", b"hello".to_vec()).content_type("text/plain");
    let upload = upload.cache_control("max-age=60").metadata("owner", "me");
    let Written::Stored(stored) = s3.upload(upload).await.unwrap() else { panic!("not stored") };

    let downloaded = s3.download("a/b +ä.txt").await.unwrap();
    let head = s3.head("a/b +ä.txt").await.unwrap();
    for info in [&downloaded.info, &head] {
        assert_eq!(info.size, 5);
        assert_eq!(info.etag, stored.etag);
        assert_eq!(info.content_type.as_deref(), Some("text/plain"));
        assert_eq!(info.cache_control.as_deref(), Some("max-age=60"));
        assert_eq!(info.metadata.get("owner").map(String::as_str), Some("me"));
        assert!(info.last_modified.is_some());
    }
    assert_eq!(downloaded.into_bytes().await.unwrap(), "hello");
}

async fn an_empty_object_is_an_object(s3: &S3) {
    put(s3, "empty", b"").await;
    assert_eq!(s3.head("empty").await.unwrap().size, 0);
    assert_eq!(get(s3, "empty").await, "");
}

async fn a_stream_of_unknown_length_is_stored(s3: &S3) {
    let stream = Frames::of([Bytes::from("one"), Bytes::from("two")]);
    s3.upload(Upload::new("streamed", stream.then(Then::End))).await.unwrap();
    assert_eq!(get(s3, "streamed").await, "onetwo");
}

async fn a_range_is_part_of_an_object(s3: &S3) {
    put(s3, "digits", b"0123456789").await;
    let part = s3.download(Download::new("digits").range(2, 4)).await.unwrap();
    assert_eq!(part.info.size, 3);
    assert_eq!(part.into_bytes().await.unwrap(), "234");
}

async fn pages_list_every_key_once(s3: &S3) {
    for n in 0..5 {
        put(s3, &format!("p/{n}"), b"x").await;
    }
    put(s3, "p/sub/x", b"x").await;
    let (mut keys, mut sizes, mut next) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let list = List::new().prefix("p/").max_keys(2);
        let page = s3.list(match next.take() {
            Some(next) => list.after(next),
            None => list,
        });
        let page = page.await.unwrap();
        sizes.push(page.objects.len());
        keys.extend(page.objects.into_iter().map(|object| object.key));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [2, 2, 2]);
    assert_eq!(keys, ["p/0", "p/1", "p/2", "p/3", "p/4", "p/sub/x"]);

    let rolled = s3.list(List::new().prefix("p/").delimiter("/")).await.unwrap();
    assert_eq!((rolled.objects.len(), rolled.prefixes), (5, vec!["p/sub/".to_owned()]));
    assert!(s3.list(List::new().prefix("none")).await.unwrap().objects.is_empty());
}

async fn a_copy_keeps_its_metadata_unless_told_otherwise(s3: &S3) {
    let create =
        s3.call(|client| async move { client.create_bucket().bucket("second").send().await });
    create.await.unwrap();
    let upload = Upload::new("from +ä", b"x".to_vec());
    s3.upload(upload.content_type("text/plain").metadata("n", "1")).await.unwrap();

    s3.copy(CopyObject::new("from +ä", "kept")).await.unwrap();
    let kept = s3.head("kept").await.unwrap();
    assert_eq!(kept.metadata.get("n").map(String::as_str), Some("1"));

    let replaced = CopyObject::new("from +ä", "replaced");
    let metadata = HashMap::from([("m".to_owned(), "2".to_owned())]);
    s3.copy(replaced.replace_metadata(Some("text/css".to_owned()), metadata)).await.unwrap();
    let replaced = s3.head("replaced").await.unwrap();
    assert_eq!(replaced.metadata.get("n"), None);
    assert_eq!(replaced.metadata.get("m").map(String::as_str), Some("2"));

    s3.copy(CopyObject::new("from +ä", "there").destination_bucket("second")).await.unwrap();
    s3.copy(CopyObject::new("there", "back").source_bucket("second")).await.unwrap();
    assert_eq!(get(s3, "back").await, "x");
    let missing = s3.copy(CopyObject::new("nowhere", "x")).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing:?}");
}

async fn an_object_that_is_there_is_not_written_over(s3: &S3) {
    let first = Upload::new("once", b"first".to_vec()).if_none_match();
    s3.upload(first).await.unwrap();
    let second = Upload::new("once", b"second".to_vec()).if_none_match();
    let refused = s3.upload(second).await.unwrap_err();
    assert_eq!(refused.status(), Some(412), "{refused:?}");
    assert_eq!(get(s3, "once").await, "first");
}

async fn a_removed_object_is_gone(s3: &S3) {
    put(s3, "k", b"x").await;
    s3.delete("k").await.unwrap();
    assert!(s3.head("k").await.unwrap_err().is_not_found());
    let missing = s3.download("k").await.unwrap_err();
    assert_eq!((missing.status(), missing.code()), (Some(404), Some("NoSuchKey")));
    s3.delete("k").await.unwrap();
}

async fn the_bucket_is_there(s3: &S3) {
    s3.health_check().await.unwrap();
}

async fn the_books_say_that_s3_is_well(s3: &S3) {
    let health = s3.get_health();
    assert_eq!((health.report.failures, health.report.score), (0, 100), "{health:?}");
    assert!(health.bytes_uploaded > 0 && health.bytes_downloaded > 0, "{health:?}");
}

async fn tags_class_and_encryption_are_kept(s3: &S3) {
    s3.upload(with_all_attributes("t")).await.unwrap();
    assert_has_all_attributes(s3, "t").await;
}

const TAGS: [(&str, &str); 2] = [("team", "a+b"), ("path", "x/y =1")];

pub(crate) fn with_all_attributes(key: &str) -> Upload {
    let upload = Upload::new(key, b"hello".to_vec()).content_type("text/plain");
    let upload = upload.cache_control("no-store").metadata("owner", "me");
    let upload = TAGS.into_iter().fold(upload, |upload, (name, value)| upload.tag(name, value));
    upload.storage_class("STANDARD_IA").server_side_encryption("AES256").if_none_match()
}

pub(crate) async fn assert_has_all_attributes(s3: &S3, key: &str) {
    let info = s3.head(key).await.unwrap();
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(info.cache_control.as_deref(), Some("no-store"));
    assert_eq!(info.metadata.get("owner").map(String::as_str), Some("me"));
    assert_eq!(info.storage_class.as_deref(), Some("STANDARD_IA"));
    assert_eq!(info.encryption.as_deref(), Some("AES256"));
    let (bucket, asked) = (s3.bucket().to_owned(), key.to_owned());
    let tags = s3.call(|client| async move {
        client.get_object_tagging().bucket(bucket).key(asked).send().await
    });
    let tags: HashMap<_, _> =
        tags.await.unwrap().tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect();
    assert_eq!(tags, TAGS.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!(get(s3, key).await, "hello");
}

async fn a_listing_has_entity_tags(s3: &S3) {
    put(s3, "tagged", b"x").await;
    let page = s3.list(List::new().prefix("tagged")).await.unwrap();
    assert_eq!(page.objects[0].etag, s3.head("tagged").await.unwrap().etag);
}

async fn a_missing_bucket_is_told_from_a_missing_key(s3: &S3) {
    let get = s3
        .call(|client| async move { client.get_object().bucket("missing").key("k").send().await });
    assert_eq!(get.await.unwrap_err().code(), Some("NoSuchBucket"));
}

/// 304 is no failure of S3, although the SDK has no output for it.
async fn an_unchanged_object_is_an_answer(s3: &S3) {
    put(s3, "same", b"x").await;
    let etag = s3.head("same").await.unwrap().etag.unwrap();
    let bucket = s3.bucket().to_owned();
    let get = s3.call(|client| async move {
        client.get_object().bucket(bucket).key("same").if_none_match(etag).send().await
    });
    assert_eq!(get.await.unwrap_err().status(), Some(304));
    assert_eq!(s3.get_health().report.failures, 0);
}
