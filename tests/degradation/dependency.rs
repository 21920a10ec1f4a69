//! A dependency that can be killed: a listener that accepts, behind a breaker.

use std::net::SocketAddr;
use std::time::Duration;

use circuit_layer::{CircuitBreaker, Error, HalfOpen};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How long the breaker stays open, so that a test sees the recovery.
pub(crate) const WAIT: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) breaker: CircuitBreaker,
    address: SocketAddr,
}

impl Client {
    /// Connects, which is all that this dependency is good for.
    pub(crate) async fn call(&self) -> Result<(), Error<std::io::Error>> {
        self.breaker.call(TcpStream::connect(self.address)).await.map(drop)
    }
}

pub(crate) struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    async fn on(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        Self { address, accepting }
    }

    pub(crate) async fn kill(self) -> SocketAddr {
        self.accepting.abort();
        // The listener is closed once the task is gone.
        assert!(self.accepting.await.unwrap_err().is_cancelled());
        self.address
    }

    pub(crate) async fn restart(address: SocketAddr) -> Self {
        Self::on(address).await
    }

    pub(crate) fn client(&self, name: &str) -> Client {
        let breaker = CircuitBreaker::builder(name)
            .fail_max(3)
            .reset_timeout(WAIT)
            .half_open(HalfOpen::all(1))
            .build()
            .unwrap();
        Client { breaker, address: self.address }
    }
}
