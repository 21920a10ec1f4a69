//! Enforces level and mode on every request.
//!
//! A level that nobody enforces is a number on a page. The layer looks up the class of a request,
//! asks the [table](crate::admission) and either lets the request pass, with the snapshot and the
//! class in its extensions, or [rejects](crate::rejection) it before its body is read. The decision
//! awaits nothing.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::Request;
use tower_layer::Layer;

use crate::admission::{Admission, admit, admits_all};
use crate::manager::DegradationManager;
use crate::rejection::Rejection;
use crate::routes::Routes;
use crate::service::DegradationService;

/// Completes when something is to be rejected.
pub(crate) type Shedding = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// Makes a service offer only what it still can.
///
/// ```
/// use circuit_layer::CircuitBreaker;
/// use degradation::{Criticality, DegradationLayer, DegradationManager, Level, Routes, Snapshot};
/// use http::{Request, Response, StatusCode};
/// use std::{convert::Infallible, sync::Arc};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let manager = DegradationManager::builder()
///     .dependency("database", 100, CircuitBreaker::new("database"))
///     .build()?;
/// let handler = service_fn(|request: Request<()>| async move {
///     let snapshot = request.extensions().get::<Arc<Snapshot>>().cloned();
///     let writable = snapshot.is_some_and(|snapshot| snapshot.can_write_database());
///     Ok::<_, Infallible>(Response::new(format!("writable: {writable}")))
/// });
///
/// // The defaults: every request is critical, and its method tells whether it writes.
/// let service = DegradationLayer::new(&manager).layer(handler);
/// let response = service.oneshot(Request::get("/reports/1").body(())?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
///
/// // Customised: reports go first.
/// let routes = Routes::new().route("/reports/{id}", Criticality::Sheddable);
/// let service = DegradationLayer::new(&manager).routes(routes).layer(handler);
/// manager.force_level(Level::Degraded, "an example", None);
/// let response = service.oneshot(Request::get("/reports/1").body(())?).await?;
/// assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
/// assert_eq!(response.headers()["x-degradation-level"], "degraded");
/// # Ok(())
/// # }
/// ```
///
/// Paths are matched as the layer sees them: within axum's `nest` the prefix is gone.
///
/// # Clone
///
/// Clones share the manager and the routes. A layer keeps its manager running.
#[derive(Clone)]
pub struct DegradationLayer {
    manager: DegradationManager,
    routes: Arc<Routes>,
}

impl DegradationLayer {
    /// Enforces what this manager decides, with no route listed.
    #[must_use]
    pub fn new(manager: &DegradationManager) -> Self {
        Self { manager: manager.clone(), routes: Arc::default() }
    }

    /// The classes of the routes.
    #[must_use]
    pub fn routes(self, routes: Routes) -> Self {
        Self { routes: Arc::new(routes), ..self }
    }

    /// Completes when a request of some class would be rejected, at once if one would be now.
    pub(crate) fn shedding(&self) -> Shedding {
        let mut snapshots = self.manager.subscribe();
        Box::pin(async move {
            let some = snapshots.wait_for(|snapshot| !admits_all(snapshot.level, snapshot.mode));
            // An error would say that the manager is gone, and the layer keeps it.
            drop(some.await);
        })
    }

    /// Puts snapshot and class into the extensions, and decides.
    pub(crate) fn decide<B>(&self, request: &mut Request<B>) -> Option<Rejection> {
        let snapshot = self.manager.snapshot();
        let class = self.routes.class(request.method(), request.uri().path());
        request.extensions_mut().insert(class);
        request.extensions_mut().insert(Arc::clone(&snapshot));
        let (level, mode) = (snapshot.level, snapshot.mode);
        let admission = admit(level, mode, class);
        if admission == Admission::Pass || self.routes.is_exempt(request.uri().path()) {
            return None;
        }
        self.manager.shared().shed.count(class, admission);
        let retry_after = snapshot.retry_after(self.manager.clock().now());
        Some(Rejection { admission, class, level, mode, retry_after })
    }
}

impl<S> Layer<S> for DegradationLayer {
    type Service = DegradationService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DegradationService::new(inner, self.clone())
    }
}

impl fmt::Debug for DegradationLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DegradationLayer").field("routes", &self.routes).finish_non_exhaustive()
    }
}
