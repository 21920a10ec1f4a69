//! `/metrics` as Prometheus asks for it.

use axum::Router;
use axum::body::Body;
use circuit_layer::metrics::{Exporter, REDIS, Recorder};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

#[tokio::test]
async fn an_axum_route_answers_with_the_scrape_and_its_content_type_whatever_is_accepted() {
    let exporter = Exporter::new().unwrap();
    let recorder = Recorder::new(&exporter.meter(), &REDIS, None).unwrap();
    recorder.rejected(0);
    let app: Router = Router::new().route_service("/metrics", exporter.service());
    let ask = async |method: Method, accept: &str| {
        let request = Request::builder().method(method).uri("/metrics");
        let request = request.header(header::ACCEPT, accept).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        (head, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    };
    for accept in ["*/*", "application/openmetrics-text; version=1.0.0", "text/html"] {
        let (head, body) = ask(Method::GET, accept).await;
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(head.headers[header::CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(body, exporter.render().unwrap());
        assert!(body.contains(r#"redis_requests_total{operation="get",status="rejected"} 1"#));
    }
    let (head, body) = ask(Method::HEAD, "*/*").await;
    assert_eq!((head.status, body.as_str()), (StatusCode::OK, ""));
    let (head, _) = ask(Method::POST, "*/*").await;
    assert_eq!(head.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(head.headers[header::ALLOW], "GET, HEAD");
}
