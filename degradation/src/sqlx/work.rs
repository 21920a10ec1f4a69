//! What a call is: something to do with one connection.

use std::pin::Pin;

use sqlx::{Database, Error};

/// A boxed future that may borrow a connection.
pub type BoxFuture<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// One query, or a few that belong together, such as a transaction.
///
/// Closures from a connection to a boxed future are work, in the form that sqlx itself uses for
/// `after_connect` and `transaction`. Write a type of its own where a stack has to look at the request.
///
/// # Cancellation
///
/// The future is dropped when the call takes longer than its timeout, and with the call. Its
/// connection is then closed: the server rolls back what was open.
pub trait Work<DB: Database>: Send + 'static {
    /// What it comes to.
    type Answer: Send;

    /// Does it. Called once, on the task of the call.
    fn run(
        self,
        connection: &mut DB::Connection,
    ) -> impl Future<Output = Result<Self::Answer, Error>> + Send;
}

impl<DB, F, T> Work<DB> for F
where
    DB: Database,
    F: for<'c> FnOnce(&'c mut DB::Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    T: Send + 'static,
{
    type Answer = T;

    fn run(self, connection: &mut DB::Connection) -> impl Future<Output = Result<T, Error>> + Send {
        self(connection)
    }
}
