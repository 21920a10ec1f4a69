//! The contract on moto, which is somebody else's and stricter than s3s-fs: a child process.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use s3_service::{S3, Start, Upload};

use super::contract;
use crate::support::{BUCKET, eventually};

/// moto's server, until it is dropped.
struct Moto {
    process: Child,
    endpoint: String,
}

/// Where `.ci/setup test` puts it.
fn program() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join("target/tools/moto/bin/moto_server")
}

impl Moto {
    async fn start() -> Self {
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program());
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error: io::Error| {
            panic!("{}: {error}; `.ci/setup test` installs it", program().display())
        });
        let moto = Self { process, endpoint: format!("http://127.0.0.1:{port}") };
        eventually("moto answers", async || {
            tokio::time::timeout(
                Duration::from_millis(100),
                tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)),
            )
            .await
            .is_ok_and(|connected| connected.is_ok())
        })
        .await;
        moto
    }

    async fn service(&self) -> S3 {
        let settings = S3::builder()
            .bucket(BUCKET)
            .endpoint(&self.endpoint)
            .credentials("key", "secret")
            .attempt_timeout(Duration::from_secs(60))
            .operation_timeout(Duration::from_secs(120))
            .start(Start::Lazy);
        let s3 = settings.build().await.unwrap();
        let create =
            s3.call(|client| async move { client.create_bucket().bucket(BUCKET).send().await });
        create.await.unwrap();
        s3
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn moto_keeps_the_contract() {
    let moto = Moto::start().await;
    let s3 = moto.service().await;
    contract::every_store(&s3).await;
    contract::full_stores(&s3).await;
}

#[tokio::test]
async fn a_signed_upload_in_parts_with_checksums_is_taken() {
    let moto = Moto::start().await;
    let s3 = moto.service().await;
    let bytes: Vec<u8> = (0..17 * 1024 * 1024_u32).map(|n| n.to_le_bytes()[1]).collect();
    let upload = Upload::new("k", bytes.clone()).content_type("text/plain").tag("a", "b");
    s3.upload(upload).await.unwrap();
    let read = s3.download("k").await.unwrap();
    assert_eq!(read.info.content_type.as_deref(), Some("text/plain"));
    assert!(read.into_bytes().await.unwrap() == bytes, "the bytes differ");
    let bucket = s3.bucket().to_owned();
    let unfinished = s3
        .call(|client| async move { client.list_multipart_uploads().bucket(bucket).send().await });
    assert!(unfinished.await.unwrap().uploads().is_empty());
}

#[tokio::test]
async fn a_bucket_with_objects_is_not_deleted_and_that_is_an_answer() {
    let moto = Moto::start().await;
    let s3 = moto.service().await;
    s3.upload(Upload::new("k", b"x".to_vec())).await.unwrap();
    let bucket = s3.bucket().to_owned();
    let delete =
        s3.call(|client| async move { client.delete_bucket().bucket(bucket).send().await });
    assert_eq!(delete.await.unwrap_err().code(), Some("BucketNotEmpty"));
    assert_eq!(s3.get_health().report.failures, 0);
}
