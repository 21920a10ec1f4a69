//! Where the SDK's client would connect, the store answers.

use std::fmt;

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result};

use super::KEY;
use super::api::Api;

pub(super) fn connect(api: Api) -> SharedHttpClient {
    let mut service = S3ServiceBuilder::new(api);
    service.set_auth(SimpleAuth::from_single(KEY, KEY));
    service.set_access(Open);
    let connector = SharedHttpConnector::new(Connector(service.build()));
    http_client_fn(move |_settings, _components| connector.clone())
}

/// Whoever does not sign is let in; whoever does, has to do it well.
struct Open;

#[async_trait::async_trait]
impl S3Access for Open {
    async fn check(&self, _context: &mut S3AccessContext<'_>) -> S3Result<()> {
        Ok(())
    }
}

struct Connector(S3Service);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let service = self.0.clone();
        HttpConnectorFuture::new(async move {
            let mut request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?
                .map(Body::http_body_unsync);
            name_host(&mut request);
            let answered = service.call(request).await;
            let response = answered.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What a connection would add, and what the signature covers.
fn name_host(request: &mut s3s::HttpRequest) {
    let host = request.uri().authority().and_then(|host| host.as_str().parse().ok());
    if let Some(host) = host {
        request.headers_mut().entry("host").or_insert(host);
    }
}
