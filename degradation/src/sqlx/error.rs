//! Why work on the database came to nothing.

use super::classify::needs_operator;

/// The database gave no answer, or none that was wanted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// Every connection was in use for as long as the call may take, while others were answered: the
    /// database works, there is too much to do. Not counted by the breaker.
    #[error("every connection is in use")]
    Busy,
    /// No connection could be made in time. sqlx tells refused connections and full connection slots
    /// (Postgres 53300) so too, after it has retried them.
    #[error("no connection could be made in time")]
    Unreachable,
    /// There was a connection, and no answer on it in time. What was asked may have been done.
    #[error("no answer in time")]
    Timeout,
    /// The server ended a statement after half of what a call may take, its `statement_timeout`
    /// (Postgres 57014, `MariaDB` 70100). That statement did nothing. One that was ended earlier, by an operator or by a
    /// shorter limit of the caller's own, is sqlx's own error.
    #[error("the server gave up on a statement that took too long")]
    TooSlow(#[source] sqlx::Error),
    /// sqlx's own error.
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
}

impl DatabaseError {
    /// Whether waiting will not help: wrong password, no such database, access denied (Postgres 28
    /// and 3D000). It is counted as a failure, and somebody should be told.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        match self {
            Self::Sqlx(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| needs_operator(&code))
            }
            Self::Busy | Self::Unreachable | Self::Timeout | Self::TooSlow(_) | Self::Sqlx(_) => {
                false
            }
        }
    }
}
