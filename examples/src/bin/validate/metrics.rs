//! Each metric, as it is scraped.

use std::collections::BTreeMap;

use circuit_layer::metrics::{REDIS, S3};
use degradation::openai::OPENAI;
use degradation::sqlx::DATABASE;
use examples::Inventory;
use examples::metrics::{ASKED_FOR, ELEVEN};

use crate::Fallible;
use crate::report::Report;

pub(crate) async fn check(report: &mut Report, inventory: &Inventory) -> Fallible<()> {
    let url = format!("{}/metrics", inventory.url());
    let text = reqwest::get(url).await?.text().await?;
    let types: BTreeMap<_, _> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    for (name, kind) in ELEVEN.into_iter().chain(ASKED_FOR) {
        let seen = types.get(name).copied().unwrap_or("none");
        let series = text.lines().filter(|line| line.starts_with(name)).count();
        let holds = seen == kind && series > 0;
        report.check(name, format!("{seen}, {series} lines"), holds);
    }
    let known = |name: &str| ELEVEN.iter().chain(&ASKED_FOR).any(|(known, _)| *known == name);
    let others: Vec<_> = types.keys().filter(|name| !known(name)).collect();
    report.check("no other family", format!("{others:?}"), others.is_empty());

    for family in [&REDIS, &S3, &DATABASE, &OPENAI] {
        let prefix = family.prefix;
        let sum = |name: &str, label: &str| sum(&text, &format!("{prefix}_{name}"), label);
        let (success, failure) = (
            sum("requests_total", "status=\"success\""),
            sum("requests_total", "status=\"failure\""),
        );
        let timed = sum("latency_seconds_count", "");
        report.equal(
            format!("{prefix}: latencies are successes and failures"),
            success + failure,
            timed,
        );
        report.equal(format!("{prefix}: errors are failures"), failure, sum("errors_total", ""));
        let called = family.operations.iter().filter(|operation| {
            let label = format!("operation=\"{operation}\",status=\"success\"");
            sum("requests_total", &label) > 0.0
        });
        let (called, all) = (called.count(), family.operations.len());
        report.check(
            format!("{prefix}: operations with a success"),
            format!("{called} of {all}"),
            called == all,
        );
    }
    for way in ["upload", "download"] {
        let bytes = sum(&text, "s3_bytes_transferred", &format!("direction=\"{way}\""));
        report.check(format!("s3: bytes of {way}s"), bytes, bytes > 0.0);
    }
    Ok(())
}

fn sum(text: &str, name: &str, label: &str) -> f64 {
    let lines = text.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && line.contains(label)
    });
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}
