//! Server-sent events, as far as a completion uses them: lines that begin with `data:`.

use serde::Deserialize;

/// One part of a streamed answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Some text.
    Text(String),
    /// It is complete.
    Done,
    /// Nothing to show.
    Nothing,
    /// Not what a completion looks like.
    Malformed(String),
}

#[derive(Deserialize)]
struct Chunk {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
}

/// Bytes that have come, up to whole lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    finished: bool,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a part said that it is the last. Some services leave out the `[DONE]` after it.
    pub(super) const fn finished(&self) -> bool {
        self.finished
    }

    /// The next whole line, as the part that it holds.
    pub(super) fn next(&mut self) -> Option<Part> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let rest = self.bytes.split_off(end.saturating_add(1));
        let line = std::mem::replace(&mut self.bytes, rest);
        let line = String::from_utf8_lossy(&line);
        let Some(data) = line.strip_prefix("data:").map(str::trim) else {
            return Some(Part::Nothing);
        };
        if data == "[DONE]" {
            return Some(Part::Done);
        }
        Some(match serde_json::from_str::<Chunk>(data) {
            Ok(chunk) => self.part(chunk),
            Err(error) => Part::Malformed(error.to_string()),
        })
    }

    fn part(&mut self, chunk: Chunk) -> Part {
        let Some(choice) = chunk.choices.into_iter().next() else { return Part::Nothing };
        self.finished |= choice.finish_reason.is_some();
        choice.delta.content.map_or(Part::Nothing, Part::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Vec<Part>, Lines) {
        let mut lines = Lines::default();
        lines.push(text.as_bytes());
        (std::iter::from_fn(|| lines.next()).collect(), lines)
    }

    #[test]
    fn a_line_counts_once_it_is_whole() {
        let (begun, mut lines) = parts("data: {\"choices\":[{\"delta\":{\"content\":\"h");
        assert_eq!(begun, []);
        lines.push(b"i\"}}]}\r\n\ndata: [DONE]\n");
        assert_eq!(lines.next(), Some(Part::Text("hi".to_owned())));
        assert_eq!(lines.next(), Some(Part::Nothing));
        assert_eq!(lines.next(), Some(Part::Done));
        assert!(!lines.finished());
    }

    #[test]
    fn an_error_in_the_stream_is_no_part_of_an_answer() {
        let (parts, _) = parts(
            "data: {\"error\":{\"message\":\"overloaded\"}}\ndata: {\"choices\":[]}\n: alive\n",
        );
        assert!(matches!(parts.as_slice(), [Part::Malformed(_), Part::Nothing, Part::Nothing]));
    }

    #[test]
    fn the_last_part_says_so_even_where_done_is_left_out() {
        let last =
            "data: {\"choices\":[{\"delta\":{\"content\":\"!\"},\"finish_reason\":\"stop\"}]}\n";
        let (parts, lines) = parts(last);
        assert_eq!(parts, [Part::Text("!".to_owned())]);
        assert!(lines.finished());
    }
}
