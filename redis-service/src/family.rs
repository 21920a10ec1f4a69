//! The Redis metrics are described once for the workspace; here is the proof that they fit.

pub(crate) use circuit_layer::metrics::REDIS;

#[cfg(test)]
mod tests {
    use super::REDIS;
    use crate::{ErrorKind, Operation};

    #[test]
    fn operations_and_error_kinds_have_the_places_that_the_recorder_gives_them() {
        assert_eq!(REDIS.operations, Operation::LABELS);
        assert_eq!(REDIS.errors, ErrorKind::LABELS);
    }
}
