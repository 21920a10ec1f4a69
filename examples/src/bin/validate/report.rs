//! Numbered checks in sections, on the screen as they are made and in a file afterwards.

use std::fmt::{self, Display, Write as _};

/// One check.
#[derive(Debug)]
struct Check {
    name: String,
    seen: String,
    holds: bool,
}

#[derive(Debug)]
struct Section {
    title: &'static str,
    checks: Vec<Check>,
}

/// All checks so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    sections: Vec<Section>,
}

impl Report {
    /// Begins a section; the checks that follow are in it.
    pub(crate) fn section(&mut self, title: &'static str) {
        println!("\n{}. {title}", self.sections.len().saturating_add(1));
        self.sections.push(Section { title, checks: Vec::new() });
    }

    /// One check: what was seen, and whether that is as it must be.
    pub(crate) fn check(&mut self, name: impl Into<String>, seen: impl Display, holds: bool) {
        let check = Check { name: name.into(), seen: seen.to_string(), holds };
        println!("{:4}  {check}", self.total().saturating_add(1));
        if let Some(section) = self.sections.last_mut() {
            section.checks.push(check);
        }
    }

    /// One that holds if both are the same.
    #[expect(clippy::needless_pass_by_value, reason = "the values are made for the check")]
    pub(crate) fn equal<T: Display + PartialEq>(
        &mut self,
        name: impl Into<String>,
        expected: T,
        seen: T,
    ) {
        let holds = expected == seen;
        let seen = if holds { seen.to_string() } else { format!("{seen}, expected {expected}") };
        self.check(name, seen, holds);
    }

    /// One that holds if it worked and `holds` of what came of it.
    pub(crate) fn works<T, E: Display>(
        &mut self,
        name: impl Into<String>,
        result: Result<T, E>,
        holds: impl FnOnce(&T) -> bool,
    ) {
        match result {
            Ok(value) => {
                let holds = holds(&value);
                self.check(name, if holds { "as it must be" } else { "another answer" }, holds);
            }
            Err(error) => self.check(name, error, false),
        }
    }

    fn total(&self) -> usize {
        self.sections.iter().map(|section| section.checks.len()).sum()
    }

    fn hold(&self) -> usize {
        let all = self.sections.iter().flat_map(|section| &section.checks);
        all.filter(|check| check.holds).count()
    }

    /// Whether there are any and all of them hold.
    pub(crate) fn all_hold(&self) -> bool {
        self.total() > 0 && self.hold() == self.total()
    }

    /// `N/N`.
    pub(crate) fn verdict(&self) -> String {
        format!("{}/{}", self.hold(), self.total())
    }

    /// As a document, under a head.
    pub(crate) fn document(&self, head: &str) -> String {
        let mut text = format!("{head}\n**{} checks hold.**\n", self.verdict());
        let mut number = 0_usize;
        for (index, section) in self.sections.iter().enumerate() {
            // Writing to a string does not fail.
            let _infallible = writeln!(
                text,
                "\n## {}. {}\n\n| no. | check | seen | |\n| ---: | --- | --- | --- |",
                index.saturating_add(1),
                section.title
            );
            for check in &section.checks {
                number = number.saturating_add(1);
                let verdict = if check.holds { "pass" } else { "**FAIL**" };
                let seen = check.seen.replace('|', "\\|").replace('\n', " ");
                let _infallible =
                    writeln!(text, "| {number} | {} | {seen} | {verdict} |", check.name);
            }
        }
        text
    }
}

impl Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds { "ok  " } else { "FAIL" };
        write!(f, "{verdict}  {}: {}", self.name, self.seen)
    }
}
