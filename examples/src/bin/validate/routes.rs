//! Each route of the service, over HTTP and gRPC.

use examples::grpc::pb::inventory_client::InventoryClient;
use examples::grpc::pb::{GetProductRequest, RestockRequest};
use examples::{Inventory, api};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tonic::transport::Endpoint;

use crate::Fallible;
use crate::report::Report;

pub(crate) async fn check(report: &mut Report, inventory: &Inventory) -> Fallible<()> {
    let (client, url) = (Client::new(), inventory.url());
    let get = async |path: &str| client.get(format!("{url}{path}")).send().await;
    for (path, kind) in [
        ("/livez", ""),
        ("/readyz", "application/json"),
        ("/health", "application/health+json"),
        ("/metrics", "text/plain"),
        ("/status", "text/html"),
        ("/chaos", "text/html"),
        ("/products", "application/json"),
        ("/products/1", "application/json"),
        ("/products/1/description", "text/plain"),
        ("/products/1/description?stream=true", "text/plain"),
    ] {
        report.works(format!("GET {path}"), get(path).await, |answer| {
            answer.status() == 200 && header(answer, "content-type").starts_with(kind)
        });
    }
    report.works("GET /products/99: not found", get("/products/99").await, |a| a.status() == 404);
    let stock = client.post(format!("{url}/products/1/stock")).json(&json!({ "add": -1 }));
    report.works("POST /products/1/stock", stock.send().await, |a| a.status() == 200);
    let photo = format!("{url}/products/1/photo");
    let put = client.put(&photo).header("content-type", "image/png").body("photo").send().await;
    report.works("PUT /products/1/photo", put, |answer| answer.status() == 201);
    let photo = client.get(&photo).send().await?;
    let kind = header(&photo, "content-type").to_owned();
    let body = photo.bytes().await?;
    report.check("GET /products/1/photo", &kind, kind == "image/png" && body == "photo");
    let twice = (get("/products/2").await?, get("/products/2").await?);
    report.equal(
        "a page comes from Redis the second time",
        "redis",
        header(&twice.1, api::SERVED_BY),
    );
    let health: Value = get("/health").await?.json().await?;
    // A machine that is busy makes slow answers: a warning, and nothing that is down.
    let parts = health.get("checks").and_then(Value::as_object);
    let parts = parts.into_iter().flat_map(|parts| parts.values().flat_map(Value::as_array));
    let told: Vec<_> = parts.flatten().filter_map(|part| part.get("status")?.as_str()).collect();
    let holds = told.len() == 4 && !told.contains(&"fail");
    report.check("four dependencies in /health, and none is down", told.join(", "), holds);

    let channel = Endpoint::new(url.clone())?.connect().await?;
    let mut grpc = InventoryClient::new(channel);
    let product = grpc.get_product(GetProductRequest { id: 1 }).await;
    report.works("gRPC GetProduct", product, |answer| answer.get_ref().name == "Kettle");
    let stock = grpc.restock(RestockRequest { id: 1, add: 1 }).await;
    report.works("gRPC Restock", stock, |answer| answer.get_ref().stock == 120);
    Ok(())
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
