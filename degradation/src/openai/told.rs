//! What the body of an error says, in whatever form.
//!
//! `async-openai` knows `OpenAI`'s own form alone. Any other one is to it an answer that it can not
//! read, and the status is gone: a caller's mistake looks like a broken API. But servers that speak the
//! rest of the protocol have forms of their own, and so have proxies:
//!
//! | from | body |
//! | --- | --- |
//! | `FastAPI` | `{"detail": …}` |
//! | `OpenRouter` | `{"error": {"message": "…", "code": 400, …}}` |
//! | vLLM | `{"object": "error", "message": "…", "code": 400}` |
//! | a proxy | a page, or nothing |
//!
//! So a body in another form is put into one of `OpenAI`'s, with the whole text as its message.

use async_openai::error::{ApiError, WrappedError};
use serde_json::Value;

/// The code of a 429 that no waiting heals.
const QUOTA: &str = "insufficient_quota";

/// Whether the error is that there is no money left. Some say so by the type alone.
pub(super) fn is_quota(error: &ApiError) -> bool {
    [&error.code, &error.r#type].into_iter().flatten().any(|word| word == QUOTA)
}

/// What the body says, and whether in a form that `async-openai` reads.
pub(super) fn read(body: &[u8]) -> (ApiError, bool) {
    match serde_json::from_slice::<WrappedError>(body) {
        Ok(told) => (told.error, true),
        Err(_) => (in_another_form(body), false),
    }
}

fn in_another_form(body: &[u8]) -> ApiError {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = told.get("error").filter(|error| error.is_object()).unwrap_or(&told);
    let word = |name| {
        let word = error.get(name)?;
        word.as_str().map(str::to_owned).or_else(|| Some(word.as_number()?.to_string()))
    };
    let message = String::from_utf8_lossy(body).into_owned();
    ApiError { message, r#type: word("type"), code: word("code"), ..ApiError::default() }
}
