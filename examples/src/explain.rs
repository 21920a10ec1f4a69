//! An error as a person wants to read it: with everything that caused it, on one line.

use std::error::Error;

/// The error and its sources, from the outside in.
#[must_use]
pub fn explain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        // Some errors repeat their source in their own words.
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependencies::StartError;

    #[test]
    fn an_error_is_told_with_its_causes_and_none_twice() {
        let cause = std::io::Error::other("no space left");
        let text = explain(&StartError::Folder(cause));
        assert_eq!(text, "a temporary folder can not be made: no space left");
    }
}
