//! Ports of this machine, for servers that a test kills and starts again (feature `test-util`).
//!
//! A server that is down has to find its port free when it comes back. A port that the system chose
//! is not kept for it: the system gives it to the next server, or to a client as its own end of a
//! connection, even of one to that very port, which then succeeds. So ports are taken from below
//! those that the system hands out, and none twice in one process.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Linux hands out 32768 and above, other systems 49152.
const PORTS: Range<u16> = 16_384..32_000;

/// How many ports this process has passed by. Processes begin far apart, as they know nothing of each
/// other.
static PASSED: LazyLock<AtomicUsize> =
    LazyLock::new(|| AtomicUsize::new(fastrand::usize(..PORTS.len())));

/// Listens on a port of `127.0.0.1` that no other call in this process gets, until all were taken
/// once. The listener does not block, as an asynchronous runtime wants it.
///
/// # Errors
///
/// None of them could be had, and why not the last.
pub fn listen() -> io::Result<TcpListener> {
    let mut refused = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in PORTS {
        let passed = PASSED.fetch_add(1, Ordering::Relaxed) % PORTS.len();
        let mut from_there_on = PORTS.skip(passed);
        let port = from_there_on.next().unwrap_or(PORTS.start);
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                return Ok(listener);
            }
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The number of such a port, for a server in a process of its own. It was free a moment ago.
///
/// # Errors
///
/// See [`listen`].
pub fn port() -> io::Result<u16> {
    Ok(listen()?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_port_whose_server_is_down_is_given_to_no_other() {
        let ports: Vec<u16> = (0..1_000).map(|_| port().unwrap()).collect();
        let different: HashSet<u16> = ports.iter().copied().collect();
        assert_eq!(different.len(), ports.len());
        assert!(ports.iter().all(|port| PORTS.contains(port)));
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_passed_by() {
        let first = listen().unwrap().local_addr().unwrap().port();
        let _taken: Vec<_> = (1..20)
            .filter_map(|more| TcpListener::bind((Ipv4Addr::LOCALHOST, first + more)).ok())
            .collect();
        assert!(listen().is_ok());
    }
}
