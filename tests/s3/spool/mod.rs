//! The upload queue: what it promises, against a real server, a real disk and real kills.

mod attributes;
mod bounds;
mod closing;
mod crash;
mod damage;
mod dead;
mod folder;
mod full;
mod outage;
mod power;
mod reads;
mod support;
mod write_ahead;
