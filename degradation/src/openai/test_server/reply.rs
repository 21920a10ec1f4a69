//! What the server answers, well or badly.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, OpenAiServer, Shared};

#[derive(Deserialize)]
pub(super) struct Asked {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: Option<bool>,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

pub(super) async fn models() -> Json<Value> {
    Json(json!({ "object": "list", "data": [{ "id": OpenAiServer::MODEL, "object": "model" }] }))
}

pub(super) async fn completions(
    State(shared): State<Arc<Shared>>,
    Json(asked): Json<Asked>,
) -> Response {
    let (id, fault) = shared.asked(&asked.model);
    let prompt = asked.messages.last().map_or("", |message| message.content.as_str());
    let text = format!("{prompt} You will wonder how you ever did without it.");
    let streams = asked.stream == Some(true);
    match fault {
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            error(status, "server_error")
        }
        Some(Fault::Throttle(seconds)) => {
            let mut response = error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        Some(Fault::Quota) => error(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota"),
        Some(Fault::Garbage) => {
            ([(CONTENT_TYPE, "text/html")], "<html>moon</html>").into_response()
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Truncate(_)) if !streams => {
            let message = json!({ "role": "assistant", "content": text });
            let whole = whole(id, &asked.model, &message, "stop").to_string();
            let half: String = whole.chars().take(whole.len() >> 1).collect();
            ([(CONTENT_TYPE, "application/json")], half).into_response()
        }
        fault if streams => events(id, &asked.model, &text, fault),
        Some(Fault::ToolCall) => {
            let message =
                json!({ "role": "assistant", "content": null, "tool_calls": [tool_call()] });
            Json(whole(id, &asked.model, &message, "tool_calls")).into_response()
        }
        _ => {
            let message = json!({ "role": "assistant", "content": text });
            Json(whole(id, &asked.model, &message, "stop")).into_response()
        }
    }
}

fn error(status: StatusCode, code: &str) -> Response {
    let error = json!({ "message": "as was asked for", "type": code, "param": null, "code": code });
    (status, Json(json!({ "error": error }))).into_response()
}

fn tool_call() -> Value {
    let function = json!({ "name": "stock", "arguments": "{}" });
    json!({ "index": 0, "id": "call-0", "type": "function", "function": function })
}

fn whole(id: u64, model: &str, message: &Value, finish: &str) -> Value {
    let choice = json!({ "index": 0, "message": message, "finish_reason": finish });
    json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
    })
}

/// One event for each word, as a model would.
fn events(id: u64, model: &str, text: &str, fault: Option<Fault>) -> Response {
    let chunk = |delta: Value, finish: Option<&str>| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let chunk = json!({
            "id": format!("chatcmpl-{id}"),
            "object": "chat.completion.chunk",
            "created": 0,
            "model": model,
            "choices": [choice],
        });
        format!("data: {chunk}\n\n")
    };
    let calls = fault == Some(Fault::ToolCall);
    let told: Vec<_> = if calls {
        vec![chunk(json!({ "tool_calls": [tool_call()] }), None)]
    } else {
        let words = text.split_inclusive(' ');
        words.map(|word| chunk(json!({ "content": word }), None)).collect()
    };
    let finish = if calls { "tool_calls" } else { "stop" };
    let end = [chunk(json!({}), Some(finish)), "data: [DONE]\n\n".to_owned()];
    let all: Vec<_> = told.into_iter().chain(end).collect();
    let parts = match fault {
        Some(
            Fault::Truncate(parts)
            | Fault::Disconnect(parts)
            | Fault::Stall(parts)
            | Fault::ErrorPart(parts),
        ) => parts,
        _ => all.len(),
    };
    let told = stream::iter(all).take(parts).map(Ok::<_, io::Error>);
    let body = match fault {
        Some(Fault::Disconnect(_)) => {
            let broken = stream::once(async { Err(io::Error::other("as was asked for")) });
            Body::from_stream(told.chain(broken))
        }
        Some(Fault::Stall(_)) => Body::from_stream(told.chain(stream::pending())),
        Some(Fault::ErrorPart(_)) => {
            let error = r#"{"error":{"message":"overloaded","type":"server_error"}}"#;
            let error = format!("data: {error}\n\ndata: [DONE]\n\n");
            Body::from_stream(told.chain(stream::once(async move { Ok(error) })))
        }
        _ => Body::from_stream(told),
    };
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}
