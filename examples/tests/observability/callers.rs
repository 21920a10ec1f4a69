//! Callers of every route, five times a second.

use std::time::Duration;

use reqwest::Client;
use serde_json::json;
use tokio::task::JoinSet;

/// Calls until it is dropped. What comes of a call is seen in the metrics, and nowhere else.
pub(crate) async fn call(url: String) {
    let client = Client::new();
    let mut pace = tokio::time::interval(Duration::from_millis(200));
    let mut asked = JoinSet::new();
    for id in (1..=8_u32).cycle() {
        pace.tick().await;
        let product = format!("{url}/products/{id}");
        let photo = client.put(format!("{product}/photo")).header("content-type", "image/png");
        let requests = [
            client.get(&product),
            client.get(format!("{url}/products")),
            client.post(format!("{product}/stock")).json(&json!({ "add": 1 })),
            photo.body(vec![b'x'; 20_000]),
            client.get(format!("{product}/photo")),
            client.get(format!("{product}/description")),
        ];
        for request in requests {
            asked.spawn(async move {
                if let Ok(answer) = request.send().await {
                    drop(answer.bytes().await);
                }
            });
        }
        while asked.try_join_next().is_some() {}
    }
}
