//! Cells for breakers: taken, given back, never freed.
//!
//! The arena grows to the largest number of breakers that ever lived at one time, a few hundred
//! bytes each, and no further.

#[cfg(not(circuit_loom))]
use std::sync::{Mutex, PoisonError};

use crate::cell::Cell;

#[cfg(not(circuit_loom))]
static VACANT: Mutex<Vec<&'static Cell>> = Mutex::new(Vec::new());

/// An empty cell that nobody else has.
#[cfg(not(circuit_loom))]
pub(crate) fn take() -> &'static Cell {
    let vacant = VACANT.lock().unwrap_or_else(PoisonError::into_inner).pop();
    vacant.unwrap_or_else(|| Box::leak(Box::new(Cell::new())))
}

/// Empties the cell, which ends its generation, and keeps it for the next breaker.
#[cfg(not(circuit_loom))]
pub(crate) fn give_back(cell: &'static Cell) {
    cell.move_out();
    VACANT.lock().unwrap_or_else(PoisonError::into_inner).push(cell);
}

/// A model run must not meet the primitives of another run, so here no cell is used twice.
#[cfg(circuit_loom)]
pub(crate) fn take() -> &'static Cell {
    Box::leak(Box::new(Cell::new()))
}

#[cfg(circuit_loom)]
pub(crate) fn give_back(cell: &'static Cell) {
    cell.move_out();
}
