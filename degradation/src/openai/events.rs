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
    /// The last part was too long to be looked at, such as a picture, and long enough to be believed.
    believed: bool,
}

/// What an answer, or a part of a streamed one, says of itself.
#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<IgnoredAny>,
    object: Option<String>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    finish_reason: Option<IgnoredAny>,
}

impl Chunk {
    /// Of a whole answer. What was asked for may be something that has failed, as a job does, and that
    /// says what it is. A completion is made for its caller: failed, it is none.
    pub(super) fn is_an_error(&self) -> bool {
        match self.object.as_deref() {
            Some("error") => true,
            Some(made) if made.starts_with("chat.") || made == "text_completion" => {
                self.error.is_some()
            }
            Some(_) => false,
            None => self.error.is_some(),
        }
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
        // A line that was cut off in its middle is no part.
        let whole = self.line.len() < LONGEST;
        let ended = whole.then(|| self.look()).flatten();
        let last = whole && (self.finished || self.believed);
        ended.unwrap_or(if last { Ended::Well } else { Ended::Badly("truncated") })
    }

    /// At one line.
    fn look(&mut self) -> Option<Ended> {
        let data = self.line.strip_prefix(b"data:")?.trim_ascii();
        if data == b"[DONE]" {
            return Some(Ended::Well);
        }
        self.believed = self.line.len() >= LONGEST;
        if self.believed {
            return None;
        }
        let part: Chunk = serde_json::from_slice(data).ok()?;
        if part.error.is_some() {
            return Some(Ended::Badly("error"));
        }
        self.finished |= part.choices.iter().any(|choice| choice.finish_reason.is_some());
        match part.r#type.as_deref()? {
            "response.completed"
            | "response.incomplete"
            | "response.failed"
            | "transcript.text.done"
            | "speech.audio.done" => Some(Ended::Well),
            // One of several, if so many were asked for.
            "image_generation.completed" | "image_edit.completed" => {
                self.finished = true;
                None
            }
            _ => None,
        }
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
        let part =
            "data: {\"object\":\"chat.completion.chunk\",\"error\":{\"message\":\"no\"}}\n\n";
        assert_eq!(events(&[part]).0, Some(Ended::Badly("error")), "a part is no job");
    }

    #[test]
    fn pictures_speech_and_transcripts_end_in_their_own_ways() {
        for kind in [
            "image_generation.completed",
            "image_edit.completed",
            "transcript.text.done",
            "speech.audio.done",
        ] {
            let last = format!("event: {kind}\ndata: {{\"type\":\"{kind}\"}}\n\n");
            assert_eq!(events(&[&last]).1, Ended::Well, "{kind}");
        }
        let part = "data: {\"type\":\"image_generation.partial_image\"}\n\n";
        assert_eq!(events(&[part]), (None, Ended::Badly("truncated")));
    }

    #[test]
    fn a_part_that_is_too_long_to_be_looked_at_is_believed_to_be_the_last_if_none_follows() {
        let picture = "A".repeat(LONGEST);
        let long =
            format!("data: {{\"type\":\"response.completed\",\"result\":\"{picture}\"}}\n\n");
        let half = &long[..LONGEST + 10];
        let part = "data: {\"type\":\"response.in_progress\"}\n\n";
        assert_eq!(events(&[part, &long]), (None, Ended::Well));
        assert_eq!(events(&[part, half]), (None, Ended::Badly("truncated")));
        assert_eq!(events(&[&long, part]), (None, Ended::Badly("truncated")));
        let comment = format!(": {picture}\n\n");
        assert_eq!(events(&[part, &comment]), (None, Ended::Badly("truncated")));
    }
}
