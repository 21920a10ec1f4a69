//! An answer, and who gave it.

use http::{HeaderName, HeaderValue, Response};

const DEGRADED: HeaderName = HeaderName::from_static("x-degraded");
const FALLBACK: HeaderValue = HeaderValue::from_static("fallback");

/// Who gave an answer.
///
/// Exhaustive: there are two who can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum ServedBy {
    /// The service that was asked.
    Service,
    /// Its replacement.
    Fallback,
}

/// An answer of a [`FallbackService`](super::FallbackService), and who gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served<T> {
    /// The answer.
    pub response: T,
    /// Who gave it.
    pub by: ServedBy,
}

impl<T> Served<T> {
    pub(super) const fn new(response: T, by: ServedBy) -> Self {
        Self { response, by }
    }

    /// Whether a replacement gave it.
    #[must_use]
    pub const fn is_fallback(&self) -> bool {
        matches!(self.by, ServedBy::Fallback)
    }

    /// The answer alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.response
    }
}

impl<B> Served<Response<B>> {
    /// The HTTP response, marked: [`ServedBy`] is in its extensions, and an answer of the fallback
    /// has the header `x-degraded: fallback`.
    ///
    /// Put it around the layer, `ServiceBuilder::map_response(Served::into_response)`, and the stack
    /// answers with ordinary responses.
    #[must_use]
    pub fn into_response(self) -> Response<B> {
        let is_fallback = self.is_fallback();
        let mut response = self.response;
        response.extensions_mut().insert(self.by);
        if is_fallback {
            response.headers_mut().insert(DEGRADED, FALLBACK);
        }
        response
    }
}
