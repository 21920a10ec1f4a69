//! Several attempts, one span.

use s3_service::test_server::Fault;
use s3_service::{S3, Start};
use tests::spans::Spans;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{failure, only};
use crate::support::{BUCKET, rig_with};

#[tokio::test]
async fn all_attempts_are_one_span_and_only_the_last_decides() {
    let rig = rig_with(|settings| settings.spans().max_attempts(3)).await;
    let (spans, _listening) = Spans::listen();
    rig.server.inject_times(Fault::InternalError, 2);
    rig.s3.health_check().await.unwrap();
    assert_eq!(rig.server.requests(), 4, "one of them has made the bucket");
    assert_eq!(only(&spans).field("http.response.status_code"), Some("200"));
    assert_eq!(failure(&spans), [None, None]);
}

/// Answers the request of each connection, which has no body, with the next of these, and closes it.
async fn answering<const N: usize>(answers: [&'static str; N]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                connection.read_buf(&mut asked).await.unwrap();
            }
            connection.write_all(answer.as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn a_body_that_broke_under_an_earlier_attempt_fails_no_span() {
    let cut = "HTTP/1.1 503 Slow Down\r\ncontent-length: 99\r\nconnection: close\r\n\r\n<Error>";
    let well = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    let endpoint = answering([cut, well]).await;
    let s3 = S3::builder().bucket(BUCKET).endpoint(endpoint).credentials("key", "secret");
    let s3 = s3.start(Start::Lazy).max_attempts(2).spans().build().await.unwrap();
    let (spans, _listening) = Spans::listen();
    s3.delete("k").await.unwrap();
    assert_eq!(only(&spans).field("http.response.status_code"), Some("204"));
    assert_eq!(failure(&spans), [None, None]);
}
