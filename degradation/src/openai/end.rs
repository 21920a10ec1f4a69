//! Where an answer ends: what its bytes say of whether it is whole.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// More of one line, or of one JSON answer, is not looked at.
const LONGEST: usize = 4 * 1024 * 1024;

/// What an answer turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is whole.
    Well,
    /// It is not, in this way.
    Badly(&'static str),
}

/// Looks for the end of an answer of some kind.
#[derive(Debug)]
pub(super) enum End {
    /// Server-sent events: the line that has begun, and whether a part said that it is the last.
    /// Some services leave out the `[DONE]` after it.
    Events { line: Vec<u8>, finished: bool },
    /// JSON, or what should be.
    Json { bytes: Vec<u8> },
    /// Anything else, such as audio: it is whole when it has ended.
    Bytes,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<IgnoredAny>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    finish_reason: Option<IgnoredAny>,
}

impl End {
    pub(super) fn of(path: &str, content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind.to_ascii_lowercase().as_str() {
            "text/event-stream" => Self::Events { line: Vec::new(), finished: false },
            // A proxy's page is no answer, and will not do as JSON.
            "application/json" | "text/html" => Self::Json { bytes: Vec::new() },
            text if text.starts_with("text/") && !may_be_text(path) => {
                Self::Json { bytes: Vec::new() }
            }
            _ => Self::Bytes,
        }
    }

    /// Takes some bytes in. Some if they decide.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<Ended> {
        match self {
            Self::Bytes => None,
            Self::Json { bytes: all } => {
                let room = LONGEST.saturating_sub(all.len());
                all.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                None
            }
            Self::Events { line, finished } => {
                let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
                while let Some(part) = parts.next() {
                    let room = LONGEST.saturating_sub(line.len());
                    line.extend_from_slice(part.get(..room).unwrap_or(part));
                    if parts.peek().is_none() {
                        break;
                    }
                    if let Some(ended) = look(line, finished) {
                        return Some(ended);
                    }
                    line.clear();
                }
                None
            }
        }
    }

    /// There are no more bytes.
    pub(super) fn finish(&mut self) -> Ended {
        match self {
            Self::Bytes => Ended::Well,
            // Too long to be looked at, and long enough to be believed.
            Self::Json { bytes } if bytes.len() >= LONGEST => Ended::Well,
            Self::Json { bytes } => match serde_json::from_slice::<Chunk>(bytes) {
                Ok(Chunk { error: None, .. }) => Ended::Well,
                Ok(_) => Ended::Badly("error"),
                Err(_) => Ended::Badly("malformed"),
            },
            Self::Events { line, finished } => match look(line, finished) {
                Some(ended) => ended,
                None if *finished => Ended::Well,
                None => Ended::Badly("truncated"),
            },
        }
    }
}

/// A transcript is plain text or subtitles if the caller likes, and a file is what it is.
fn may_be_text(path: &str) -> bool {
    path.contains("/audio/") || path.ends_with("/content")
}

/// One line of an event stream.
fn look(line: &[u8], finished: &mut bool) -> Option<Ended> {
    let data = line.strip_prefix(b"data:")?.trim_ascii();
    if data == b"[DONE]" {
        return Some(Ended::Well);
    }
    let chunk: Chunk = serde_json::from_slice(data).ok()?;
    if chunk.error.is_some() {
        return Some(Ended::Badly("error"));
    }
    *finished |= chunk.choices.iter().any(|choice| choice.finish_reason.is_some());
    let last = ["response.completed", "response.incomplete", "response.failed"];
    chunk.r#type.filter(|kind| last.contains(&kind.as_str())).map(|_| Ended::Well)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = "/v1/chat/completions";

    fn events(parts: &[&str]) -> (Option<Ended>, Ended) {
        let mut end = End::of(CHAT, "text/event-stream; charset=utf-8");
        let decided = parts.iter().find_map(|part| end.push(part.as_bytes()));
        (decided, end.finish())
    }

    fn json(content_type: &str, text: &str) -> Ended {
        answer(CHAT, content_type, text)
    }

    fn answer(path: &str, content_type: &str, text: &str) -> Ended {
        let mut end = End::of(path, content_type);
        assert_eq!(end.push(text.as_bytes()), None);
        end.finish()
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

    #[test]
    fn json_has_to_be_json_and_a_page_of_a_proxy_is_none() {
        assert_eq!(json("application/json", "{\"choices\":[]}"), Ended::Well);
        assert_eq!(json("application/json", "{\"choices\":["), Ended::Badly("malformed"));
        assert_eq!(json("application/json", "{\"error\":{}}"), Ended::Badly("error"));
        assert_eq!(json("text/html", "<html>"), Ended::Badly("malformed"));
        assert_eq!(json("audio/mpeg", "\u{1}"), Ended::Well);
    }

    #[test]
    fn a_transcript_and_a_file_may_be_text_and_no_page_and_a_completion_may_not() {
        for path in ["/v1/audio/transcriptions", "/v1/audio/translations", "/v1/files/f/content"] {
            assert_eq!(answer(path, "text/plain; charset=utf-8", "Hello."), Ended::Well);
            assert_eq!(answer(path, "text/vtt", "WEBVTT"), Ended::Well);
            assert_eq!(answer(path, "text/html", "<html>"), Ended::Badly("malformed"));
            assert_eq!(answer(path, "application/json", "{"), Ended::Badly("malformed"));
        }
        assert_eq!(json("text/plain", "upstream connect error"), Ended::Badly("malformed"));
    }
}
