//! Photos, streamed to and from S3: memory stays the same whatever their size.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::ByteStream;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use s3_service::{Upload, Written};

use super::{Api, ApiError};

/// The largest photo, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

fn key(id: i64) -> String {
    format!("photos/{id}")
}

pub(super) async fn show(
    State(api): State<Api>,
    Path(id): Path<i64>,
) -> Result<Response, ApiError> {
    let photo = api.dependencies.s3.download(key(id)).await.map_err(|error| {
        if error.is_not_found() {
            ApiError::not_found("Photo")
        } else {
            ApiError::unavailable("S3 unavailable", &error)
        }
    })?;
    let info = photo.info;
    let kind = info.content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    let headers = [(CONTENT_TYPE, kind), (CONTENT_LENGTH, info.size.to_string())];
    let etag = info.etag.map(|etag| [(ETAG, etag)]);
    Ok((headers, etag, Body::new(photo.body.into_inner())).into_response())
}

pub(super) async fn store(
    State(api): State<Api>,
    Path(id): Path<i64>,
    request: Request,
) -> Result<Response, ApiError> {
    let length = http_body::Body::size_hint(request.body()).exact();
    let length = length.ok_or_else(|| {
        ApiError::caller(StatusCode::LENGTH_REQUIRED, "Photo", "its Content-Length is missing")
    })?;
    if length > LARGEST {
        let detail = format!("it may have {LARGEST} bytes");
        return Err(ApiError::caller(StatusCode::PAYLOAD_TOO_LARGE, "Photo", detail));
    }
    let kind = content_type(request.headers());
    let body = ByteStream::from_body_1_x(Sole(Mutex::new(request.into_body())));
    let upload = Upload::new(key(id), body).content_type(kind);
    match api.dependencies.s3.upload(upload).await {
        Ok(Written::Stored(_)) => Ok(StatusCode::CREATED.into_response()),
        Ok(_) => Ok(StatusCode::ACCEPTED.into_response()),
        Err(error) => Err(ApiError::unavailable("S3 unavailable", &error)),
    }
}

fn content_type(headers: &HeaderMap) -> String {
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    named.unwrap_or("application/octet-stream").to_owned()
}

/// A request's body as the SDK wants it, which is `Sync`. The lock is never waited for: the body has
/// one owner.
struct Sole(Mutex<Body>);

impl http_body::Body for Sole {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let body = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        Pin::new(body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}
