//! An S3 server in the process, for tests and demos.
//!
//! A mock answers what its author believes of S3. This is a server: s3s-fs over HTTP on 127.0.0.1,
//! which checks real signatures and keeps real files, and which can be killed for real: its listener
//! closes and its live connections are cut. What a healthy server does not do, [`Fault`]s do in
//! front of it.
//!
//! It is not S3 in every corner. Of what this crate touches: a listing has no entity tags, a missing
//! bucket reads as a missing key, and conditional reads are answered in full.

mod fault;
mod gate;
mod listener;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use circuit_layer::loopback;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub use fault::Fault;

use gate::Gate;
use listener::Listener;

const ACCESS_KEY: &str = "test-access-key";
const SECRET_KEY: &str = "test-secret-key";

/// Why a test server did not do what it was asked.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No port, or no folder.
    #[error("the test server can not start")]
    Io(#[from] std::io::Error),
    /// The server behind it refused the folder.
    #[error("the test server can not use its folder: {0}")]
    Folder(String),
    /// The server refused the bucket.
    #[error("the bucket can not be created")]
    Bucket(#[source] Box<aws_sdk_s3::Error>),
}

/// A running S3 server, until it is killed or dropped.
///
/// ```
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use s3_service::test_server::S3Server;
/// use s3_service::{S3, Upload};
///
/// let server = S3Server::start().await?;
/// server.create_bucket("docs").await?;
/// let s3 = S3::builder()
///     .bucket("docs")
///     .endpoint(server.endpoint())
///     .credentials(server.access_key(), server.secret_key())
///     .build()
///     .await?;
/// s3.upload(Upload::new("k", b"v".to_vec())).await?;
/// assert_eq!(s3.head("k").await?.size, 1);
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
#[derive(Debug)]
pub struct S3Server {
    /// Kept for its `Drop`, which removes the data.
    _folder: TempDir,
    gate: Gate,
    addr: SocketAddr,
    listener: tokio::sync::Mutex<Option<Listener>>,
}

impl S3Server {
    /// Starts a server with no bucket on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`ServerError`], when there is no port or no temporary folder to be had.
    pub async fn start() -> Result<Self, ServerError> {
        let folder = TempDir::new()?;
        let files = s3s_fs::FileSystem::new(folder.path())
            .map_err(|error| ServerError::Folder(format!("{error:?}")))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let gate = Gate::new(service.build());
        let socket = TcpListener::from_std(loopback::listen()?)?;
        let addr = socket.local_addr()?;
        let listener = tokio::sync::Mutex::new(Some(Listener::spawn(socket, gate.clone())));
        Ok(Self { _folder: folder, gate, addr, listener })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The access key that it knows.
    #[expect(clippy::unused_self, reason = "asked of a server, whichever keys it has")]
    #[must_use]
    pub const fn access_key(&self) -> &'static str {
        ACCESS_KEY
    }

    /// The secret of that key.
    #[expect(clippy::unused_self, reason = "asked of a server, whichever keys it has")]
    #[must_use]
    pub const fn secret_key(&self) -> &'static str {
        SECRET_KEY
    }

    /// A client of it without a breaker, to build on.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::from_conf(self.config().build())
    }

    /// The configuration of a client of it, to add to.
    pub fn config(&self) -> Builder {
        Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
            .region(Region::new("us-east-1"))
            .endpoint_url(self.endpoint())
            .force_path_style(true)
            .http_client(crate::http::plain())
    }

    /// Creates a bucket.
    ///
    /// # Errors
    /// [`ServerError::Bucket`], when the server refuses or is not there.
    pub async fn create_bucket(&self, name: &str) -> Result<(), ServerError> {
        let created = self.client().create_bucket().bucket(name).send().await;
        created.map_err(|error| ServerError::Bucket(Box::new(error.into())))?;
        Ok(())
    }

    /// Kills it: the port is closed and every live connection is cut when this returns. The data
    /// stays.
    pub async fn kill(&self) {
        let listener = self.listener.lock().await.take();
        if let Some(listener) = listener {
            listener.kill().await;
        }
    }

    /// Starts it again on the same port with the same data; does nothing if it runs.
    ///
    /// # Errors
    /// [`ServerError::Io`], when somebody else took the port meanwhile.
    pub async fn restart(&self) -> Result<(), ServerError> {
        let mut listener = self.listener.lock().await;
        if listener.is_none() {
            let socket = TcpListener::bind(self.addr).await?;
            *listener = Some(Listener::spawn(socket, self.gate.clone()));
        }
        drop(listener);
        Ok(())
    }

    /// Every request from now on meets `fault`.
    pub fn inject(&self, fault: Fault) {
        self.gate.traffic().faults.set(fault, None);
    }

    /// The next `times` requests meet `fault`.
    pub fn inject_times(&self, fault: Fault, times: u32) {
        self.gate.traffic().faults.set(fault, Some(times));
    }

    /// No more faults.
    pub fn clear(&self) {
        self.gate.traffic().faults.clear();
    }

    /// How many requests have arrived since the start, those that met a fault included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.gate.traffic().requests.load(Ordering::Relaxed)
    }

    /// How many connections have been made to it since the start.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.gate.traffic().connections.load(Ordering::Relaxed)
    }
}
