//! moto's server, a child process: what no one here wrote.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use circuit_layer::loopback;
use s3_service::{S3, S3Builder, Start};

use crate::support::{BUCKET, eventually};

/// Runs until it is killed or dropped, and keeps its objects no longer.
pub(crate) struct Moto {
    process: Child,
    port: u16,
}

/// Where `.ci/setup test` puts it.
fn program() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join("target/tools/moto/bin/moto_server")
}

/// Starts it, and waits until it answers.
async fn start(port: u16) -> Child {
    let mut command = Command::new(program());
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    let process = command.spawn().unwrap_or_else(|error: io::Error| {
        panic!("{}: {error}; `.ci/setup test` installs it", program().display())
    });
    eventually("moto answers", async || {
        tokio::time::timeout(
            Duration::from_millis(100),
            tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)),
        )
        .await
        .is_ok_and(|connected| connected.is_ok())
    })
    .await;
    process
}

impl Moto {
    pub(crate) async fn start() -> Self {
        let port = loopback::port().unwrap();
        Self { process: start(port).await, port }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// A new and empty one takes the place of the one that was killed.
    pub(crate) async fn restart(&mut self) {
        self.process = start(self.port).await;
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn settings(&self) -> S3Builder {
        S3::builder()
            .bucket(BUCKET)
            .endpoint(self.endpoint())
            .credentials("key", "secret")
            .attempt_timeout(Duration::from_secs(60))
            .operation_timeout(Duration::from_secs(120))
            .start(Start::Lazy)
    }

    /// A service of it, with its bucket.
    pub(crate) async fn service(&self) -> S3 {
        let s3 = self.settings().build().await.unwrap();
        let create =
            s3.call(|client| async move { client.create_bucket().bucket(BUCKET).send().await });
        create.await.unwrap();
        s3
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // One that was killed already is killed in vain.
        drop(self.process.kill());
        self.process.wait().unwrap();
    }
}
