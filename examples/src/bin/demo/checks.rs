//! What had to hold, what was seen, and the table of both.

use std::fmt;
use std::time::Duration;

/// One check.
#[derive(Debug)]
struct Check {
    name: String,
    expected: String,
    got: String,
    holds: bool,
}

/// All checks so far.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<Check>);

impl Checks {
    /// Adds one, in words and with the verdict.
    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        expected: impl fmt::Display,
        got: impl fmt::Display,
        holds: bool,
    ) {
        let (name, expected, got) = (name.into(), expected.to_string(), got.to_string());
        self.0.push(Check { name, expected, got, holds });
    }

    /// Adds one that holds if both are the same.
    pub(crate) fn equal<T: fmt::Display + PartialEq>(
        &mut self,
        name: impl Into<String>,
        expected: T,
        got: T,
    ) {
        let holds = expected == got;
        self.add(name, expected, got, holds);
    }

    /// Adds one that holds if it happened; `took` is how long that was.
    pub(crate) fn happened(
        &mut self,
        name: impl Into<String>,
        expected: impl fmt::Display,
        took: Option<Duration>,
    ) {
        let got = took.map_or_else(|| "not at all".to_owned(), |took| format!("after {took:.1?}"));
        self.add(name, expected, got, took.is_some());
    }

    /// Whether there are any and all of them hold.
    pub(crate) fn all_hold(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|check| check.holds)
    }
}

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: fn(&Check) -> &str| {
            self.0.iter().map(|check| column(check).chars().count()).max().unwrap_or(0)
        };
        let name = width(|check| &check.name);
        let expected = width(|check| &check.expected);
        writeln!(f, "      {:name$}  {:expected$}  got", "check", "expected")?;
        for check in &self.0 {
            let verdict = if check.holds { "ok  " } else { "FAIL" };
            let Check { name: n, expected: e, got, .. } = check;
            writeln!(f, "{verdict}  {n:name$}  {e:expected$}  {got}")?;
        }
        let hold = self.0.iter().filter(|check| check.holds).count();
        write!(f, "{hold}/{} checks hold", self.0.len())
    }
}
