//! The runnable examples, compiled and run. Each asserts what it shows.

#[path = "../../examples/aws_sdk.rs"]
mod aws_sdk;
#[path = "../../examples/axum_server.rs"]
mod axum_server;
#[path = "../../examples/integration.rs"]
mod integration;
#[path = "../../examples/service_builder.rs"]
mod service_builder;
#[path = "../../examples/tonic_client.rs"]
mod tonic_client;
#[path = "../../examples/tonic_server.rs"]
mod tonic_server;

#[test]
fn an_aws_client_stops_retrying_while_the_breaker_is_open() {
    aws_sdk::main().unwrap();
}

#[test]
fn an_axum_router_rejects_with_503_and_retry_after_in_one_line() {
    axum_server::main().unwrap();
}

#[test]
fn a_shop_takes_the_steps_of_the_integration_guide() {
    integration::main().unwrap();
}

#[test]
fn a_service_builder_takes_the_layer_with_defaults_and_to_measure() {
    service_builder::main().unwrap();
}

#[test]
fn a_tonic_client_counts_statuses_and_rejects() {
    tonic_client::main().unwrap();
}

#[test]
fn a_tonic_server_rejects_as_unavailable_with_a_pushback() {
    tonic_server::main().unwrap();
}
