//! What the terminal can show: how wide it is, and whether it has colours.

use std::env;
use std::io::{self, IsTerminal};

use terminal_size::{Height, Width};

/// Where a width is not known, as in a pipe, nothing is cut off.
const UNKNOWN_WIDTH: usize = usize::MAX;

/// What lines are made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub(crate) width: usize,
    pub(crate) height: usize,
    colours: bool,
}

/// What a piece of text is to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Warn,
    Bad,
    Soft,
    Strong,
    Plain,
}

impl Screen {
    /// The terminal; colours unless `NO_COLOR` is set (no-color.org).
    pub(crate) fn of_stdout() -> Self {
        let size = terminal_size::terminal_size_of(io::stdout());
        let (width, height) = size.map_or((UNKNOWN_WIDTH, usize::MAX), |(Width(w), Height(h))| {
            (usize::from(w), usize::from(h))
        });
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { width, height, colours: wanted && io::stdout().is_terminal() }
    }

    #[cfg(test)]
    pub(crate) const fn plain(width: usize) -> Self {
        Self { width, height: usize::MAX, colours: false }
    }

    /// Text in the colour of its tone. It must be [`printable`].
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "1;31",
            Tone::Soft => "2",
            Tone::Strong => "1",
            Tone::Plain => return text.to_owned(),
        };
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// One line of one tone, cut to the width.
    pub(crate) fn line(self, tone: Tone, text: &str) -> String {
        self.paint(tone, &fit(&printable(text), self.width))
    }
}

/// Text without anything that orders a terminal about: what a service tells may hold what somebody
/// else has sent it.
pub(crate) fn printable(text: &str) -> String {
    let is_order =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if is_order(c) { '\u{fffd}' } else { c }).collect()
}

/// At most `width` characters, the last an ellipsis if some are missing.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_tells_can_not_order_the_terminal_about() {
        let told = "\x1b]0;owned\x07\x1b[2Jdown\r\n\u{202e}txt";
        let shown = printable(told);
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert_eq!(shown, "\u{fffd}]0;owned\u{fffd}\u{fffd}[2Jdown\u{fffd}\u{fffd}\u{fffd}txt");
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        assert_eq!(fit("database", 8), "database");
        assert_eq!(fit("database", 5), "data…");
        assert_eq!(Screen::plain(4).line(Tone::Bad, "über alles"), "übe…");
    }
}
