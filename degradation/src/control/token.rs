//! Who may order.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::problem::Problem;

/// 16 bytes can hold 128 bits of chance, which nobody guesses over a network.
const SHORTEST: usize = 16;

/// The secret that operators send as a bearer token.
///
/// It is compared in constant time, and `Debug` does not show it.
#[derive(Clone)]
pub struct ControlToken(Arc<[u8]>);

/// The token would protect nothing, or could never be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It could be guessed.
    #[error("the token has {bytes} bytes of at least {SHORTEST}")]
    TooShort {
        /// How many it has.
        bytes: usize,
    },
    /// A header could not carry it.
    #[error("the token has a character that is no visible ASCII")]
    Character,
}

impl ControlToken {
    /// At least 16 bytes of visible ASCII; inner blanks are allowed.
    ///
    /// # Errors
    ///
    /// [`TokenError`] says what is wrong with it. White space around the token is cut off first, as
    /// files that hold secrets end with a line break.
    pub fn new(secret: &str) -> Result<Self, TokenError> {
        let secret = secret.trim();
        if secret.len() < SHORTEST {
            return Err(TokenError::TooShort { bytes: secret.len() });
        }
        if !secret.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(TokenError::Character);
        }
        Ok(Self(secret.as_bytes().into()))
    }

    /// Takes as long for a wrong token as for the right one of the same length.
    fn is(&self, told: &[u8]) -> bool {
        self.0.ct_eq(told).into()
    }
}

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken")
    }
}

/// Lets a request pass that carries the token.
pub(super) async fn require(
    State(token): State<ControlToken>,
    request: Request,
    next: Next,
) -> Response {
    let told = request.headers().get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
    if told.is_some_and(|told| token.is(told)) {
        return next.run(request).await;
    }
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
    ([(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))], problem).into_response()
}

/// The token of `Bearer <token>`; the scheme may be written in any case (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
