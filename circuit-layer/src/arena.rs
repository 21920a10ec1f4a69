//! Cells for breakers: taken, given back, never freed.
//!
//! The arena grows to the largest number of breakers that ever lived at one time, a few hundred
//! bytes each, and no further.

use std::sync::{Mutex, PoisonError};

use crate::cell::Cell;

static VACANT: Mutex<Vec<&'static Cell>> = Mutex::new(Vec::new());

/// An empty cell that nobody else has.
pub(crate) fn take() -> &'static Cell {
    let vacant = VACANT.lock().unwrap_or_else(PoisonError::into_inner).pop();
    vacant.unwrap_or_else(|| Box::leak(Box::new(Cell::new())))
}

/// Empties the cell, which ends its generation, and keeps it for the next breaker.
pub(crate) fn give_back(cell: &'static Cell) {
    cell.move_out();
    // A model run must not meet the primitives of another run, so there no cell is used twice.
    if cfg!(not(circuit_loom)) {
        VACANT.lock().unwrap_or_else(PoisonError::into_inner).push(cell);
    }
}
