//! The names of the files: what `ls` shows, and all that opening a spool has to read.
//!
//! Reading 100 000 headers takes seconds, reading as many names a fraction of one. So a name tells
//! everything that the index needs: the id, the operation, the size that the file must have, and
//! the key. Ids rise, so `ls` lists entries in their order.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The name of an entry: microseconds since 1970 at which it was queued, moved on where two would be
/// alike. Ids rise in the order in which writes were queued, across restarts too, and none comes
/// twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EntryId(u64);

impl EntryId {
    pub(super) const FIRST: Self = Self(0);

    /// The id of something queued now, after `self`.
    pub(super) fn next(self, unix_time: Duration) -> Self {
        let micros = u64::try_from(unix_time.as_micros()).unwrap_or(u64::MAX);
        Self(micros.max(self.0.saturating_add(1)))
    }

    /// When it was queued, as the time since 1970.
    #[must_use]
    pub const fn queued_at(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016}", self.0)
    }
}

impl FromStr for EntryId {
    type Err = ParseIntError;

    /// Reads what `Display` writes: an operator's argument.
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// What is to be done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Put,
    Delete,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

/// The longest key that is in a name whole, in its escaped form; a file's name has 255 bytes.
const LONGEST: usize = 200;

/// Ends a key that is cut: the header has the rest. Escaping leaves none in a key.
const CUT: char = '~';

/// `ID-ACTION-SIZE-KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) id: EntryId,
    pub(super) action: Action,
    /// Bytes of the whole file.
    pub(super) size: u64,
    pub(super) key: String,
    /// Whether `key` is only the beginning of it.
    pub(super) is_cut: bool,
}

impl Name {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '-');
        let id = parts.next().filter(|id| id.len() >= 16)?.parse().ok()?;
        let action = match parts.next()? {
            "put" => Action::Put,
            "delete" => Action::Delete,
            _ => return None,
        };
        let size = parts.next()?.parse().ok()?;
        let escaped = parts.next()?;
        let cut = escaped.strip_suffix(CUT);
        let key = unescaped(cut.unwrap_or(escaped))?;
        Some(Self { id, action, size, key, is_cut: cut.is_some() })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-", self.id, self.action.as_str(), self.size)?;
        f.write_str(&escaped(&self.key))
    }
}

fn escaped(key: &str) -> String {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or('0');
    let mut name = String::with_capacity(key.len().min(LONGEST));
    for c in key.chars() {
        let before = name.len();
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            name.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                name.extend(['%', hex(byte >> 4), hex(byte & 15)]);
            }
        }
        if name.len() > LONGEST {
            name.truncate(before);
            name.push(CUT);
            break;
        }
    }
    name
}

fn unescaped(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Action, EntryId, Name};

    fn name(id: u64, key: &str) -> Name {
        Name { id: EntryId(id), action: Action::Put, size: 47, key: key.to_owned(), is_cut: false }
    }

    #[test]
    fn a_name_tells_id_action_size_and_key() {
        let name = name(1_764_154_457_123_456, "reports/Q 1-2.txt");
        assert_eq!(name.to_string(), "1764154457123456-put-47-reports%2FQ%201-2.txt");
        assert_eq!(Name::parse(&name.to_string()), Some(name));
    }

    #[test]
    fn a_long_key_is_cut_between_characters() {
        let text = name(7, &"ä".repeat(100)).to_string();
        assert!(text.len() < 255);
        let parsed = Name::parse(&text).unwrap();
        assert!(parsed.is_cut);
        assert_eq!(parsed.key, "ä".repeat(33));
    }

    #[test]
    fn files_of_others_are_no_entries() {
        for text in ["lock", "dead", "notes-put-1-x", "0000000000000001-get-1-k", "12-put-3-k"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ids_rise_though_the_clock_steps_back() {
        let late = EntryId::FIRST.next(std::time::Duration::from_secs(9));
        let next = late.next(std::time::Duration::from_secs(3));
        assert!(next > late);
    }

    proptest! {
        #[test]
        fn every_key_comes_back_from_its_name(id in any::<u64>(), key in "\\PC{0,60}") {
            let name = name(id, &key);
            let parsed = Name::parse(&name.to_string()).unwrap();
            assert!(parsed.is_cut && key.starts_with(&parsed.key) || parsed == name);
        }
    }
}
