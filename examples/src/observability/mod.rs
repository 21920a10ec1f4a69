//! The dashboard and the rules, asked of a real Prometheus that scrapes the running service.
//!
//! A query that can be parsed may still ask for nothing: a label that no series has, a bucket that is
//! spelled otherwise, a family that is switched off. Nobody notices before the day when the panel is
//! needed. So here are the questions of the dashboard, filled in as Grafana does, and a Prometheus to
//! answer them, with the shipped configuration and the shipped rules.
//!
//! | file | what it does |
//! | --- | --- |
//! | `prometheus` | a Prometheus as a child of this process |
//! | `dashboard` | what the panels ask |
//! | `selectors` | which series an expression is about |
//! | `survey` | which of all that has an answer |

pub mod dashboard;
mod prometheus;
pub mod selectors;
mod survey;

pub use self::prometheus::{Prometheus, PrometheusError, Rule};
pub use self::survey::{Asked, Survey};
