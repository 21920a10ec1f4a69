//! The verdict on a response, and the permit's way into its body.

use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::Body;
use tower_http::classify::{ClassifiedResponse, ClassifyResponse, ServerErrorsAsFailures};

use super::body::PermitBody;
use super::grpc::GrpcServerErrorsAsFailures;
use super::retry_after::retry_after;
use crate::error::Rejected;
use crate::layer::CircuitBreakerLayer;
use crate::outcome::Outcome;
use crate::permit::Permit;
use crate::settle::Settle;

impl<C, P> CircuitBreakerLayer<C, P> {
    /// For HTTP: 5xx and bodies that break are failures, as are errors.
    #[must_use]
    pub fn http(self) -> CircuitBreakerLayer<C, Responses> {
        self.settle(Responses::default())
    }

    /// For gRPC: statuses that are the server's fault ([`GrpcServerErrorsAsFailures`]) and bodies
    /// that break are failures, as are errors.
    #[must_use]
    pub fn grpc(self) -> CircuitBreakerLayer<C, Responses<GrpcServerErrorsAsFailures>> {
        self.http_with(GrpcServerErrorsAsFailures::new())
    }

    /// For HTTP and gRPC: what a classifier of tower-http says and bodies that break are failures,
    /// as are errors.
    #[must_use]
    pub fn http_with<K>(self, classifier: K) -> CircuitBreakerLayer<C, Responses<K>>
    where
        K: ClassifyResponse + Clone,
    {
        self.settle(Responses::new(classifier))
    }
}

/// Settles calls by their HTTP responses, to the end of the bodies, which become [`PermitBody`]s.
///
/// Failures have the kinds `response`, `trailers` and `body`, and take their [`retry_after`] from
/// the headers or trailers. The classifier is not asked about errors: those are for
/// [`Classify`](crate::Classify).
#[derive(Clone, Copy, Debug, Default)]
pub struct Responses<K = ServerErrorsAsFailures> {
    classifier: K,
}

impl<K> Responses<K> {
    /// Judges headers and trailers by `classifier`.
    #[must_use]
    pub const fn new(classifier: K) -> Self {
        Self { classifier }
    }
}

impl<K: ClassifyResponse + Clone, B: Body> Settle<Response<B>> for Responses<K> {
    type Response = Response<PermitBody<B, K::ClassifyEos>>;

    fn settle(&self, response: Response<B>, permit: Permit) -> Self::Response {
        match self.judge(&response) {
            Ok(judge) => {
                let length = content_length(&response);
                response.map(|body| PermitBody::judged(body, permit, judge, length))
            }
            Err(outcome) => {
                permit.record(outcome);
                response.map(PermitBody::from)
            }
        }
    }
}

impl<K: ClassifyResponse + Clone> Responses<K> {
    /// What is left to judge once the headers are there, or the verdict.
    fn judge<B>(&self, response: &Response<B>) -> Result<Option<K::ClassifyEos>, Outcome> {
        if response.extensions().get::<Rejected>().is_some() {
            return Err(Outcome::Ignored);
        }
        match self.classifier.clone().classify_response(response) {
            ClassifiedResponse::Ready(Ok(())) => Ok(None),
            ClassifiedResponse::RequiresEos(end) => Ok(Some(end)),
            ClassifiedResponse::Ready(Err(_)) => {
                let retry_after = retry_after(response.headers());
                Err(Outcome::Failure { kind: "response", retry_after })
            }
        }
    }
}

fn content_length<B>(response: &Response<B>) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
