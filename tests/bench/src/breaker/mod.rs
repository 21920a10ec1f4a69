//! What a breaker costs, and what it costs to count a call: ours and the peers, side by side in one run.
//!
//! One operation is `poll_ready`, `call` and as many polls as it takes, over a service that does
//! nothing else. Nanoseconds are the median of alternating rounds, so that a noisy machine disturbs
//! all of them alike; trust the ratios. Allocations are exact. Instructions come from callgrind, as the
//! difference of two lengths of one run. The last columns are two threads that call through one
//! breaker at the same time, each as often as the single one did: a ratio of 1 is no contention.

mod cases;
mod drive;
mod measure;
mod metrics;
mod ours;
mod peers;

pub use self::cases::{find, names};
pub use self::measure::table;
