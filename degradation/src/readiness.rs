//! Whether this instance wants traffic: what it alone can know.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// A switch for `/readyz`. Clones are the same switch.
#[derive(Clone)]
pub struct Readiness(Arc<watch::Sender<Option<Arc<str>>>>);

impl Readiness {
    /// Not ready, because the service is starting.
    #[must_use]
    pub fn starting() -> Self {
        Self(Arc::new(watch::Sender::new(Some("starting".into()))))
    }

    /// Ready from now on.
    pub fn ready(&self) {
        self.0.send_replace(None);
    }

    /// Not ready from now on: draining, say.
    pub fn not_ready(&self, reason: &str) {
        self.0.send_replace(Some(reason.into()));
    }

    /// Resolves once it is not ready; at once if it is not.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn until_not_ready(&self) {
        // The sender is ours, so the channel does not close.
        drop(self.0.subscribe().wait_for(Option::is_some).await);
    }

    /// Why it is not ready; None if it is.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.0.borrow().as_deref().map(str::to_owned)
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readiness").field(&self.reason()).finish()
    }
}
