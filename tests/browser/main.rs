//! The status page in a real browser: a headless Chromium, driven through chromedriver.
//!
//! | module | question |
//! | --- | --- |
//! | `live` | is an outage seen at once, does the page survive a restart, is text text? |
//! | `access` | can everybody read it: 360 pixels, dark, keyboard, screen reader? |
//!
//! The pictures that `access` takes are in `target/screenshots`, for people to look at.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the unexpected should stop"
)]

mod access;
mod browser;
mod live;
mod service;
