//! A path with holes, written as axum writes it.

/// `/items/{id}/parts` or `/files/{*rest}`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    segments: Vec<Segment>,
    open_ended: bool,
}

#[derive(Clone, Debug)]
enum Segment {
    Is(Box<str>),
    Any,
}

impl Pattern {
    pub(crate) fn new(path: &str) -> Self {
        let mut segments: Vec<Segment> = path.split('/').map(Segment::new).collect();
        let open_ended = path.rsplit('/').next().is_some_and(|last| last.starts_with("{*"));
        if open_ended {
            segments.pop();
        }
        Self { segments, open_ended }
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        let mut found = path.split('/');
        let fits = self.segments.iter().all(|own| found.next().is_some_and(|one| own.fits(one)));
        let rest = found.next();
        fits && if self.open_ended {
            rest.is_some_and(|rest| !rest.is_empty())
        } else {
            rest.is_none()
        }
    }
}

impl Segment {
    fn new(segment: &str) -> Self {
        if segment.starts_with('{') && segment.ends_with('}') {
            Self::Any
        } else {
            Self::Is(segment.into())
        }
    }

    fn fits(&self, segment: &str) -> bool {
        match self {
            Self::Is(own) => **own == *segment,
            Self::Any => !segment.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, fits: &[&str], fits_not: &[&str]) {
        let found = Pattern::new(pattern);
        for path in fits {
            assert!(found.matches(path), "{pattern} should match {path}");
        }
        for path in fits_not {
            assert!(!found.matches(path), "{pattern} should not match {path}");
        }
    }

    #[test]
    fn a_plain_path_matches_itself_alone() {
        check("/items", &["/items"], &["/items/", "/items/1", "/item", "/", ""]);
        check("/", &["/"], &["", "/a"]);
    }

    #[test]
    fn a_hole_takes_one_segment_that_is_not_empty() {
        check(
            "/items/{id}/parts",
            &["/items/7/parts"],
            &["/items//parts", "/items/7", "/items/7/8/parts"],
        );
    }

    #[test]
    fn a_last_hole_with_a_star_takes_all_that_follows() {
        check("/files/{*rest}", &["/files/a", "/files/a/b/c"], &["/files", "/files/", "/other/a"]);
    }
}
