//! `/metrics`, as a service for any HTTP stack.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use super::exporter::Exporter;

/// Answers `GET` and `HEAD` with the scrape of an [`Exporter`], in the format and with the content
/// type that Prometheus asks for. What the request accepts makes no difference, see
/// [`Exporter::CONTENT_TYPE`]. Other methods get a 405, and a scrape that fails a 500.
///
/// In axum, with the feature `http`:
///
/// ```
/// use axum::Router;
/// use circuit_layer::metrics::Exporter;
///
/// let exporter = Exporter::new()?;
/// let app: Router = Router::new().route_service("/metrics", exporter.service());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MetricsService(Exporter);

impl Exporter {
    /// The scrape as a service.
    #[must_use]
    pub fn service(&self) -> MetricsService {
        MetricsService(self.clone())
    }
}

impl<B> Service<Request<B>> for MetricsService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(request.method())))
    }
}

impl MetricsService {
    fn answer(&self, method: &Method) -> Response<String> {
        let mut response = Response::default();
        if method != Method::GET && method != Method::HEAD {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, http::HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match self.0.render() {
            Ok(text) => {
                let content_type = http::HeaderValue::from_static(Exporter::CONTENT_TYPE);
                response.headers_mut().insert(CONTENT_TYPE, content_type);
                if method == Method::GET {
                    *response.body_mut() = text;
                }
            }
            Err(error) => {
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                *response.body_mut() = error.to_string();
            }
        }
        response
    }
}
