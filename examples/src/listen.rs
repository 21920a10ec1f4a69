//! The ports of the service.

use std::io;
use std::net::SocketAddr;

use axum::serve::{Listener, ListenerExt};
use tokio::net::{TcpListener, TcpStream};

/// A port that is listened on, and its address.
///
/// What is streamed goes out at once. By default the kernel keeps the beginning of a body back until the
/// client has acknowledged the head, which clients put off for 40 ms.
pub(crate) async fn listen(
    addr: SocketAddr,
) -> io::Result<(impl Listener<Io = TcpStream, Addr = SocketAddr>, SocketAddr)> {
    let socket = TcpListener::bind(addr).await?;
    let addr = socket.local_addr()?;
    let socket = socket.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection without TCP_NODELAY");
        }
    });
    Ok((socket, addr))
}
