//! What the OpenAI breaker claims, on a server that fails in every way, and on one that nobody here
//! wrote (llmock, from `PyPI`).
#![cfg(test)]

mod chain;
mod faults;
mod forms;
mod llmock;
mod support;
