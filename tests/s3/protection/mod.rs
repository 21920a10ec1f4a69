//! What the breaker keeps from whom: attempts, retries, deadlines, bodies.

mod bytes;
mod cancelled;
mod download;
mod interceptor;
mod large;
mod other_services;
mod per_bucket;
mod stalled;
mod timeouts;
mod uploads;
