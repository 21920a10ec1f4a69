//! The program degradectl, run as an operator runs it, against a real server.
//!
//! | module | question |
//! | --- | --- |
//! | `look` | does it show what there is, and is the exit code the level? |
//! | `orders` | is each order carried out, and an event? |
//! | `mistakes` | is a mistake told clearly, with a code of its own? |
//! | `terminal` | does the live view follow the service, and leave the terminal as it was? |
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected should stop"
)]

mod look;
mod mistakes;
mod orders;
mod service;
mod terminal;
