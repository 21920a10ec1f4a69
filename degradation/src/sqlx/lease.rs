//! A connection on loan.
//!
//! A connection whose work was cut short can not be used again at once: the server still runs the
//! query, and a frozen server will for ever. sqlx would keep its place in the pool until a PING on it
//! was answered. So a lease closes its connection unless it is given back, and the pool has the place
//! again that very moment.
//!
//! One that is given back gets that PING too, and the server or the network may have fallen silent
//! since its last answer. So the PING has a limit, after which the connection is closed and its place is
//! free.

use std::time::Duration;

use sqlx::Database;
use sqlx::pool::PoolConnection;

/// A connection that is closed on drop, after a panic too, unless it is given back.
pub(super) struct Lease<DB: Database>(Option<PoolConnection<DB>>);

impl<DB: Database> Lease<DB> {
    pub(super) const fn new(connection: PoolConnection<DB>) -> Self {
        Self(Some(connection))
    }

    /// The connection, which is there until the lease ends.
    pub(super) fn connection(&mut self) -> Option<&mut DB::Connection> {
        self.0.as_deref_mut()
    }

    /// The work is done: somebody else may have it, if it still answers within the limit.
    pub(super) fn give_back(mut self, limit: Duration) {
        if let Some(mut connection) = self.0.take() {
            // What sqlx does on drop, where nothing ends it. This future has the place in the pool.
            tokio::spawn(tokio::time::timeout(limit, connection.return_to_pool()));
        }
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
