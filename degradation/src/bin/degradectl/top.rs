//! The status of a service in a terminal, live.

use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use circuit_layer::Clock;
use degradation::StatusDocument;
use reqwest::{Response, Url};
use tokio::signal::unix::{SignalKind, signal};

use crate::client::{Failure, accepted, ask, below, http, read, url};
use crate::figures::lasting;
use crate::screen::{Screen, Tone};
use crate::sse::Events;
use crate::view;

/// A frame comes every second; without one for so long, what is shown is old.
const SILENT: Duration = Duration::from_millis(3_500);

/// A connection that brings nothing for so long is given up.
const HUNG: Duration = Duration::from_secs(10);

/// How long to wait before coming back to a server that has gone.
const RETRY: Duration = Duration::from_secs(1);

/// How the service does now.
pub(crate) async fn look(service: &str) -> Result<StatusDocument, Failure> {
    read(&ask(http()?.get(below(&base(service)?, &["status.json"]))).await?)
}

/// Shows how the service does until a signal ends it.
pub(crate) async fn follow(service: &str) -> Result<u8, Failure> {
    if !io::stdout().is_terminal() {
        return Err(Failure::Usage("top needs a terminal; --once does not".to_owned()));
    }
    let mut feed = Feed::new(service)?;
    let mut document = feed.next().await?;
    let failed = |error: io::Error| Failure::Usage(format!("the terminal: {error}"));
    let mut ended = pin!(ended());
    let shown = Shown::begin().map_err(failed)?;
    let clock = Clock::default();
    let mut heard_at = clock.now();
    loop {
        let draw = || shown.draw(&document, clock.now() - heard_at).map_err(failed);
        draw()?;
        let heard = tokio::select! {
            heard = hear(&mut feed, &clock, draw) => heard?,
            () = &mut ended => return Ok(0),
        };
        if let Some(newest) = heard {
            (document, heard_at) = (newest, clock.now());
            continue;
        }
        feed = Feed::new(service)?;
        tokio::select! {
            () = clock.sleep_until(clock.now() + RETRY) => {}
            () = &mut ended => return Ok(0),
        }
    }
}

/// Waits for the next document, and draws again each second meanwhile. None if there is nothing to
/// be heard any more.
async fn hear(
    feed: &mut Feed,
    clock: &Clock,
    draw: impl Fn() -> Result<(), Failure>,
) -> Result<Option<StatusDocument>, Failure> {
    let give_up = clock.now() + HUNG;
    // Pinned, because a feed that is dropped while it connects would never be connected.
    let mut next = pin!(feed.next());
    loop {
        let redraw = clock.now() + RETRY;
        tokio::select! {
            heard = &mut next => return Ok(heard.ok()),
            () = clock.sleep_until(give_up) => return Ok(None),
            () = clock.sleep_until(redraw) => draw()?,
        }
    }
}

/// Where the status is, from what somebody typed: the service, or its page.
fn base(service: &str) -> Result<Url, Failure> {
    let mut url = url(service)?;
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(path.strip_suffix("/status").unwrap_or(&path));
    Ok(url)
}

/// Ctrl-C, or somebody who stops us.
async fn ended() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// The events of a service.
struct Feed {
    http: reqwest::Client,
    url: Url,
    response: Option<Response>,
    events: Events,
}

impl Feed {
    fn new(service: &str) -> Result<Self, Failure> {
        let url = below(&base(service)?, &["status", "events"]);
        Ok(Self { http: http()?, url, response: None, events: Events::default() })
    }

    /// The newest document. After an error a feed is of no more use.
    async fn next(&mut self) -> Result<StatusDocument, Failure> {
        let too_long = |_| Failure::Unreachable("an event without an end".to_owned());
        let response = match &mut self.response {
            Some(response) => response,
            None => {
                let response = self.http.get(self.url.clone()).send().await?;
                self.response.insert(accepted(response).await?)
            }
        };
        loop {
            let ended = || Failure::Unreachable("the server has ended the feed".to_owned());
            let bytes = response.chunk().await?.ok_or_else(ended)?;
            if let Some(newest) = self.events.take(&bytes).map_err(too_long)?.pop() {
                return read(newest.as_bytes());
            }
        }
    }
}

/// The other page of the terminal, without a cursor and without wrapping; dropped, all is as before.
struct Shown;

impl Shown {
    fn begin() -> io::Result<Self> {
        let mut out = io::stdout();
        out.write_all(b"\x1b[?1049h\x1b[?25l\x1b[?7l")?;
        out.flush()?;
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "drawing is allowed between begin and drop alone")]
    fn draw(&self, document: &StatusDocument, silent: Duration) -> io::Result<()> {
        let screen = Screen::of_stdout();
        let mut lines = view::document(document, screen);
        if silent >= SILENT {
            let age = lasting(u64::try_from(silent.as_millis()).unwrap_or(u64::MAX));
            lines.insert(
                0,
                screen.line(Tone::Bad, &format!("no data for {age}; what is shown is old")),
            );
        }
        lines.truncate(screen.height);
        let mut text = "\x1b[H".to_owned();
        text.push_str(&lines.join("\x1b[K\n"));
        text.push_str("\x1b[K\x1b[J");
        let mut out = io::stdout();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let mut out = io::stdout();
        drop(out.write_all(b"\x1b[?7h\x1b[?25h\x1b[?1049l").and_then(|()| out.flush()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_and_its_page_are_the_same_address() {
        for typed in [
            "http://inventory:8080",
            "http://inventory:8080/",
            "http://inventory:8080/status",
            "http://inventory:8080/status/?a=b#c",
        ] {
            let url = below(&base(typed).unwrap(), &["status", "events"]);
            assert_eq!(url.as_str(), "http://inventory:8080/status/events", "{typed}");
        }
        let url = below(&base("http://gate/inventory/status").unwrap(), &["status.json"]);
        assert_eq!(url.as_str(), "http://gate/inventory/status.json");
    }

    #[test]
    fn what_is_no_address_of_a_service_is_not_understood() {
        for typed in ["inventory", "ftp://inventory", "file:///etc", "http://", ""] {
            let failure = base(typed).unwrap_err();
            assert_eq!(failure.code(), crate::USAGE, "{typed}: {failure}");
        }
    }
}
