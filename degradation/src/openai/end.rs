//! Where an answer ends: what its bytes say of whether it is whole.

use super::events::{Chunk, Events};

/// More of one line, or of one JSON answer, is not looked at.
pub(super) const LONGEST: usize = 4 * 1024 * 1024;

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
    /// Server-sent events.
    Events(Events),
    /// JSON, or what should be.
    Json { bytes: Vec<u8> },
    /// Anything else, such as audio: it is whole when it has ended.
    Bytes,
}

impl End {
    pub(super) fn of(path: &str, content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind.to_ascii_lowercase().as_str() {
            "text/event-stream" => Self::Events(Events::default()),
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
            Self::Events(events) => events.push(bytes),
        }
    }

    /// There are no more bytes.
    pub(super) fn finish(&mut self) -> Ended {
        match self {
            Self::Bytes => Ended::Well,
            // Too long to be looked at, and long enough to be believed.
            Self::Json { bytes } if bytes.len() >= LONGEST => Ended::Well,
            Self::Json { bytes } => match serde_json::from_slice::<Chunk>(bytes) {
                Ok(told) if told.is_an_error() => Ended::Badly("error"),
                Ok(_) => Ended::Well,
                Err(_) => Ended::Badly("malformed"),
            },
            Self::Events(events) => events.finish(),
        }
    }
}

/// A transcript is plain text or subtitles if the caller likes, and a file is what it is.
fn may_be_text(path: &str) -> bool {
    path.contains("/audio/") || path.ends_with("/content")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = "/v1/chat/completions";

    fn json(content_type: &str, text: &str) -> Ended {
        answer(CHAT, content_type, text)
    }

    fn answer(path: &str, content_type: &str, text: &str) -> Ended {
        let mut end = End::of(path, content_type);
        assert_eq!(end.push(text.as_bytes()), None);
        end.finish()
    }

    #[test]
    fn an_error_that_belongs_to_what_was_asked_for_is_no_failure_of_the_api() {
        for object in ["fine_tuning.job", "response", "video"] {
            let failed = format!("{{\"object\":\"{object}\",\"error\":{{\"code\":\"bad_file\"}}}}");
            assert_eq!(json("application/json", &failed), Ended::Well, "{object}");
            let fine = format!("{{\"object\":\"{object}\",\"error\":null}}");
            assert_eq!(json("application/json", &fine), Ended::Well, "{object}");
        }
        for failed in [
            "{\"error\":\"no\"}",
            "{\"object\":null,\"error\":{}}",
            "{\"object\":\"error\",\"message\":\"no\"}",
            "{\"object\":\"chat.completion\",\"choices\":[],\"error\":{\"message\":\"no\"}}",
        ] {
            assert_eq!(json("application/json", failed), Ended::Badly("error"), "{failed}");
        }
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
