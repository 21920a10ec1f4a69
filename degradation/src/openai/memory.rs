//! Earlier answers, by the very same request.

use std::sync::Arc;

use async_openai::types::chat::CreateChatCompletionRequest;
use circuit_layer::{Clock, Moment};
use quick_cache::sync::Cache;

#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub(super) text: Arc<str>,
    pub(super) at: Moment,
}

/// Where an answer will be kept once it is whole.
pub(super) struct Memory {
    answers: Arc<Cache<String, Remembered>>,
    question: String,
    clock: Clock,
}

impl Memory {
    pub(super) fn of(
        answers: Arc<Cache<String, Remembered>>,
        request: &CreateChatCompletionRequest,
        clock: Clock,
    ) -> Option<Self> {
        Some(Self { answers, question: question(request)?, clock })
    }

    /// An answer without text, such as the call of a tool, would stand in for nothing later.
    pub(super) fn keep(self, text: String) {
        if text.is_empty() {
            return;
        }
        let remembered = Remembered { text: text.into(), at: self.clock.now() };
        self.answers.insert(self.question, remembered);
    }
}

/// The very same request, whoever answers it and however.
pub(super) fn question(request: &CreateChatCompletionRequest) -> Option<String> {
    let (model, stream) = (String::new(), None);
    let asked = CreateChatCompletionRequest { model, stream, ..request.clone() };
    serde_json::to_string(&asked).ok()
}
