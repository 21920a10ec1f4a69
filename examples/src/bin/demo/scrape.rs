//! The metrics, read as Prometheus reads them: from the text that is served.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use examples::metrics::{ASKED_FOR, ELEVEN};

use crate::checks::Checks;

#[derive(Debug)]
struct Series {
    name: String,
    /// With the braces.
    labels: String,
    value: f64,
}

/// One scrape.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    families: BTreeMap<String, String>,
    series: Vec<Series>,
}

impl Scrape {
    pub(crate) fn parse(text: &str) -> Self {
        let mut scrape = Self::default();
        for line in text.lines() {
            if let Some(family) = line.strip_prefix("# TYPE ") {
                let (name, kind) = family.split_once(' ').unwrap_or((family, ""));
                scrape.families.insert(name.to_owned(), kind.to_owned());
            } else if let Some((series, value)) = line.rsplit_once(' ')
                && !line.starts_with('#')
                && let Ok(value) = value.parse()
            {
                let (name, labels) = series.split_at(series.find('{').unwrap_or(series.len()));
                let (name, labels) = (name.to_owned(), labels.to_owned());
                scrape.series.push(Series { name, labels, value });
            }
        }
        scrape
    }

    /// The sum over all series of this name with this label (`status="failure"`); all with "".
    pub(crate) fn sum(&self, name: &str, label: &str) -> f64 {
        let of = self.series.iter().filter(|one| one.name == name && one.labels.contains(label));
        of.map(|one| one.value).sum()
    }

    /// The families, and what has to hold between them.
    pub(crate) fn check(&self, checks: &mut Checks) {
        let named = |(name, kind): (&str, &str)| format!("{name} {kind}");
        let got: BTreeSet<_> =
            self.families.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        let eleven: BTreeSet<_> = ELEVEN.into_iter().map(named).collect();
        let missing: Vec<_> = eleven.difference(&got).map(String::as_str).collect();
        let seen = if missing.is_empty() { "those".to_owned() } else { missing.join(", ") };
        checks.add("metrics: the eleven", "all, with their types", seen, missing.is_empty());
        let asked_for: BTreeSet<_> = ASKED_FOR.into_iter().map(named).collect();
        let besides: BTreeSet<_> = got.difference(&eleven).cloned().collect();
        let differ: Vec<_> = asked_for.symmetric_difference(&besides).map(String::as_str).collect();
        let seen = if differ.is_empty() { "those".to_owned() } else { differ.join(", ") };
        let wanted = format!("the {} that this service asks for", ASKED_FOR.len());
        checks.add("metrics: besides them", wanted, seen, differ.is_empty());
        for prefix in ["redis", "s3", "database", "openai"] {
            self.check_invariants(prefix, checks);
        }
        for operation in ["get", "set", "upload", "download"] {
            let prefix = if matches!(operation, "get" | "set") { "redis" } else { "s3" };
            let label = format!("operation=\"{operation}\",status=\"success\"");
            let successes = self.sum(&format!("{prefix}_requests_total"), &label);
            let check = format!("metrics: {prefix} {operation}, successes");
            checks.add(check, "> 0", successes, successes > 0.0);
        }
        let bytes = ["upload", "download"]
            .map(|way| self.sum("s3_bytes_transferred", &format!("direction=\"{way}\"")));
        let both = bytes.iter().all(|bytes| *bytes > 0.0);
        let [up, down] = bytes;
        checks.add(
            "metrics: bytes to and from S3",
            "both > 0",
            format!("{up} up, {down} down"),
            both,
        );
    }

    fn check_invariants(&self, prefix: &str, checks: &mut Checks) {
        let requests = format!("{prefix}_requests_total");
        let of = |status: &str| self.sum(&requests, &format!("status=\"{status}\""));
        let (success, failure) = (of("success"), of("failure"));
        let timed = self.sum(&format!("{prefix}_latency_seconds_count"), "");
        let errors = self.sum(&format!("{prefix}_errors_total"), "");
        checks.equal(
            format!("metrics: {prefix} latencies = successes + failures"),
            success + failure,
            timed,
        );
        checks.equal(format!("metrics: {prefix} errors = failures"), failure, errors);
        let rejected = of("rejected");
        checks.add(format!("metrics: {prefix} rejected calls"), "> 0", rejected, rejected > 0.0);
        let state = self.sum(&format!("{prefix}_circuit_breaker_state"), "");
        checks.equal(format!("metrics: {prefix} breaker state at the end"), 0.0, state);
    }
}

impl fmt::Display for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (family, kind) in &self.families {
            writeln!(f, "# TYPE {family} {kind}")?;
            let own = self.series.iter().filter(|one| one.name.starts_with(family.as_str()));
            let own = own.filter(|one| !one.name.ends_with("_bucket"));
            for Series { name, labels, value } in
                own.filter(|one| one.value > 0.0 || kind == "gauge")
            {
                writeln!(f, "{name}{labels} {value}")?;
            }
        }
        Ok(())
    }
}
