//! Where a stream of server-sent events ends.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::end::{Ended, LONGEST};

/// What a stream has said so far.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The line that has begun.
    line: Vec<u8>,
    /// A part said that it is the last. Some services leave out the `[DONE]` after it.
    finished: bool,
}

/// What an answer, or a part of a streamed one, says of itself.
#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<IgnoredAny>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    finish_reason: Option<IgnoredAny>,
}

impl Chunk {
    pub(super) const fn is_an_error(&self) -> bool {
        self.error.is_some()
    }
}

impl Events {
    /// Takes some bytes in. Some if they decide.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<Ended> {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            let room = LONGEST.saturating_sub(self.line.len());
            self.line.extend_from_slice(part.get(..room).unwrap_or(part));
            if parts.peek().is_none() {
                break;
            }
            let ended = self.look();
            if ended.is_some() {
                return ended;
            }
            self.line.clear();
        }
        None
    }

    /// There are no more bytes.
    pub(super) fn finish(&mut self) -> Ended {
        match self.look() {
            Some(ended) => ended,
            None if self.finished => Ended::Well,
            None => Ended::Badly("truncated"),
        }
    }

    /// At one line.
    fn look(&mut self) -> Option<Ended> {
        let data = self.line.strip_prefix(b"data:")?.trim_ascii();
        if data == b"[DONE]" {
            return Some(Ended::Well);
        }
        let part: Chunk = serde_json::from_slice(data).ok()?;
        if part.is_an_error() {
            return Some(Ended::Badly("error"));
        }
        self.finished |= part.choices.iter().any(|choice| choice.finish_reason.is_some());
        let last = ["response.completed", "response.incomplete", "response.failed"];
        part.r#type.filter(|kind| last.contains(&kind.as_str())).map(|_| Ended::Well)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(parts: &[&str]) -> (Option<Ended>, Ended) {
        let mut end = Events::default();
        let decided = parts.iter().find_map(|part| end.push(part.as_bytes()));
        (decided, end.finish())
    }

    #[test]
    fn a_stream_is_whole_at_done_however_its_bytes_are_cut() {
        let text = "data: {\"choices\":[{\"finish_reason\":null}]}\r\n\r\ndata: [DONE]\r\n\r\n";
        assert_eq!(events(&[text]).0, Some(Ended::Well));
        let bytes: Vec<_> = text.split_inclusive(|_| true).collect();
        assert_eq!(events(&bytes).0, Some(Ended::Well));
    }

    #[test]
    fn a_stream_that_just_ends_is_truncated_unless_its_last_part_said_so() {
        let part = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n";
        assert_eq!(events(&[part]), (None, Ended::Badly("truncated")));
        assert_eq!(events(&[]), (None, Ended::Badly("truncated")));
        let last = "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";
        assert_eq!(events(&[part, last]), (None, Ended::Well));
        assert_eq!(events(&[part, "data: [DONE]"]), (None, Ended::Well), "without a line's end");
    }

    #[test]
    fn an_error_in_a_stream_is_a_failure_and_the_responses_api_ends_in_its_own_way() {
        let error = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
        assert_eq!(events(&[error]).0, Some(Ended::Badly("error")));
        let completed = "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n";
        assert_eq!(events(&[completed]).0, Some(Ended::Well));
        assert_eq!(events(&[": alive\n\n"]).0, None);
    }
}
