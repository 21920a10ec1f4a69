//! A multipart upload that S3 has begun, until it is completed.
//!
//! S3 keeps the parts of an unfinished upload, and bills them, for ever. So an upload that fails or
//! is dropped is aborted, and since a drop can wait for nothing, a task of its own does it.

use std::sync::Arc;

use aws_sdk_s3::Client;
use tokio::runtime::Handle;
use tracing::Instrument as _;

use crate::interceptor::BypassBreaker;

/// Where the object goes.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) client: Client,
    pub(super) bucket: String,
    pub(super) key: String,
}

/// Aborts the upload when it is dropped.
#[derive(Debug)]
#[must_use = "dropped, it aborts the upload"]
pub(super) struct Pending {
    pub(super) place: Arc<Place>,
    pub(super) upload_id: Arc<str>,
    armed: bool,
}

impl Pending {
    pub(super) fn new(place: Arc<Place>, upload_id: &str) -> Self {
        Self { place, upload_id: upload_id.into(), armed: true }
    }

    /// S3 has put the parts together; there is nothing left to abort.
    pub(super) fn completed(mut self) {
        self.armed = false;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let (place, upload_id) = (Arc::clone(&self.place), Arc::clone(&self.upload_id));
        match Handle::try_current() {
            Ok(runtime) => {
                let abort = async move { abort(&place, &upload_id).await };
                drop(runtime.spawn(abort.in_current_span()));
            }
            Err(_) => left_behind(&place, &upload_id),
        }
    }
}

/// Past the breaker: it may be what ended the upload, and the parts would stay.
async fn abort(place: &Place, upload_id: &str) {
    let Place { client, bucket, key } = place;
    let call = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload_id);
    let aborted = call.customize().interceptor(BypassBreaker).send().await;
    let is_gone = aborted.err().is_none_or(|error| {
        error.raw_response().is_some_and(|response| response.status().as_u16() == 404)
    });
    if !is_gone {
        left_behind(place, upload_id);
    }
}

fn left_behind(Place { bucket, key, .. }: &Place, upload_id: &str) {
    tracing::warn!(
        bucket,
        key,
        upload_id,
        "a multipart upload could not be aborted: its parts stay"
    );
}
