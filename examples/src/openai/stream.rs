//! An answer on its way, with the permit of its call.

use circuit_layer::{Outcome, Permit};
use reqwest::Response;

use super::error::OpenAiError;
use super::sse::{Lines, Part};

/// A streamed answer.
///
/// It settles its call: complete is a success; broken, stalled or without its last line a failure.
/// A probe settles at the headers, because a slow reader must not hold one of the few probes.
///
/// # Cancellation
///
/// Dropping it, or a [`next`](Self::next) of it, ends nothing that counts.
#[derive(Debug)]
pub struct Completion {
    response: Response,
    lines: Lines,
    permit: Option<Permit>,
}

impl Completion {
    pub(super) fn new(response: Response, permit: Permit) -> Self {
        Self { response, lines: Lines::default(), permit: Some(permit.settle_early()) }
    }

    /// The next part of the text; None when the answer is complete, or after an error.
    ///
    /// # Errors
    ///
    /// The answer does not go on.
    pub async fn next(&mut self) -> Option<Result<String, OpenAiError>> {
        self.permit.as_ref()?;
        let error = loop {
            match self.lines.next() {
                Some(Part::Text(text)) => return Some(Ok(text)),
                Some(Part::Nothing) => {}
                Some(Part::Malformed(why)) => break OpenAiError::Malformed(why.into()),
                Some(Part::Done) => return self.complete(),
                None => match self.response.chunk().await {
                    Ok(Some(bytes)) => self.lines.push(&bytes),
                    Ok(None) if self.lines.finished() => return self.complete(),
                    Ok(None) => break OpenAiError::Truncated,
                    Err(error) => break error.into(),
                },
            }
        };
        self.settle(error.outcome());
        Some(Err(error))
    }

    fn complete<T>(&mut self) -> Option<T> {
        self.settle(Outcome::Success);
        None
    }

    fn settle(&mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            permit.record(outcome);
        }
    }
}
