//! The rules of the house, checked on the tree itself.
//!
//! A rule that only a reviewer knows holds until that reviewer is on holiday. What `ARCHITECTURE.md`
//! states in bold about the sources, and what the top level promises, is read from the files here:
//!
//! | module | question |
//! | --- | --- |
//! | `layout` | is the top level what it should be, and does each file fit a screen or two? |
//! | `imports` | which crate may depend on which? |
//! | `purity` | do the decisions stay free of clocks, locks, logs and futures? |
//! | `clock` | is time read in one file alone? |
//! | `manifests` | does each crate take the lints and say which Rust it needs? |
//! | `words` | do the files say what they must, and nothing of the machine they were written on? |
//!
//! Every check is a function from text to violations, so that a made-up bad text can show that it
//! bites.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a tree that can not be read is a failure")]

mod clock;
mod code;
mod imports;
mod layout;
mod manifests;
mod purity;
mod tree;
mod words;
