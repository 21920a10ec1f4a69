//! Takes server-sent events out of the bytes of a response.
//!
//! Only what this service sends is understood: events with `data` lines, comments, `retry`.

/// The longest event that is taken in: a document has some 50 KB.
const LONGEST: usize = 4 << 20;

/// Bytes that are no whole event yet.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pending: Vec<u8>,
}

/// Something comes that ends in no event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Events {
    /// Takes in what has arrived, and gives the data of each event that it completes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.pending.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = self.pending.drain(..end + 2).collect();
            events.extend(data(&String::from_utf8_lossy(&event)));
        }
        if self.pending.len() > LONGEST { Err(TooLong) } else { Ok(events) }
    }
}

/// The `data` lines of an event; None for a comment.
fn data(event: &str) -> Option<String> {
    let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_however_the_bytes_arrive() {
        let sent = b"retry: 1000\ndata: {\"a\":1}\n\n: a comment\n\ndata: x\ndata:y\n\ndata: tail";
        let expected = ["{\"a\":1}", "x\ny"];
        for size in 1..=sent.len() {
            let mut events = Events::default();
            let taken = sent.chunks(size).flat_map(|chunk| events.take(chunk).unwrap());
            assert_eq!(taken.collect::<Vec<_>>(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn an_endless_event_is_not_taken_in() {
        let mut events = Events::default();
        let flood = vec![b'x'; LONGEST];
        assert_eq!(events.take(&flood), Ok(Vec::new()));
        assert_eq!(events.take(b"x"), Err(TooLong));
    }
}
