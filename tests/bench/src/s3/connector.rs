//! S3, as far as a benchmark asks: the same answer each time, without a socket.

use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;

pub const OBJECT: &[u8] = &[7; 1024];

pub fn connect() -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector);
    http_client_fn(move |_settings, _components| connector.clone())
}

#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_write = request.method() == "PUT";
        let body = if request.method() == "GET" { SdkBody::from(OBJECT) } else { SdkBody::empty() };
        let status = StatusCode::try_from(200).expect("it is one");
        let mut response = HttpResponse::new(status, body);
        let headers = response.headers_mut();
        headers.insert("x-amz-request-id", "4442587FB7D0A2F9");
        headers.insert("etag", "\"fba9dede5f27731c9771645a39863328\"");
        if !is_write {
            headers.insert("content-length", "1024");
            headers.insert("content-type", "application/octet-stream");
            headers.insert("last-modified", "Wed, 12 Oct 2025 17:50:00 GMT");
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}
