//! The dashboard can be imported, hides nothing behind another panel, and asks for what there is.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::{promtool, read};

/// The eleven, and those that are shown when asked for.
const FAMILIES: [&str; 19] = [
    "redis_requests_total",
    "redis_errors_total",
    "redis_latency_seconds",
    "redis_circuit_breaker_state",
    "redis_health_score",
    "s3_requests_total",
    "s3_errors_total",
    "s3_latency_seconds",
    "s3_circuit_breaker_state",
    "s3_health_score",
    "s3_bytes_transferred",
    "breaker_transitions_total",
    "degradation_level",
    "degradation_score",
    "spool_depth",
    "spool_bytes",
    "spool_oldest_seconds",
    "redis_pool_connections",
    "redis_fallback_age_seconds",
];

fn dashboard() -> Value {
    serde_json::from_str(&read("dashboard.json")).unwrap()
}

fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().unwrap().iter().collect()
}

fn queries(dashboard: &Value) -> Vec<String> {
    let annotations = dashboard["annotations"]["list"].as_array().unwrap().iter();
    let targets = panels(dashboard).into_iter().filter_map(|panel| panel["targets"].as_array());
    targets
        .flatten()
        .chain(annotations)
        .map(|asks| asks["expr"].as_str().unwrap().to_owned())
        .collect()
}

/// As Grafana asks with everything selected.
fn filled_in(query: &str) -> String {
    query
        .replace("$__rate_interval", "1m")
        .replace("$job", ".+")
        .replace("$instance", ".+")
        .replace("$name", ".*")
}

#[test]
fn every_query_is_one_that_prometheus_can_parse() {
    let dashboard = dashboard();
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (index, query) in queries(&dashboard).iter().enumerate() {
        let query = serde_json::to_string(&filled_in(query)).unwrap();
        assert!(!query.contains('$'), "a variable is left in {query}");
        writeln!(rules, "      - record: query_{index}\n        expr: {query}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dashboard.yml");
    std::fs::write(&path, rules).unwrap();
    let (accepted, said) = promtool(&["check", "rules", path.to_str().unwrap()]);
    assert!(accepted, "{said}");
}

#[test]
fn every_query_asks_for_a_family_that_there_is_of_the_chosen_job_and_instance() {
    let words = |query: &str| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        query.split(move |c| !word(c)).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    for query in queries(&dashboard()) {
        let words = words(&query);
        let known = |word: &&String| {
            let base = word.strip_suffix("_bucket").or_else(|| word.strip_suffix("_count"));
            let base = base.unwrap_or(word);
            FAMILIES.contains(&base)
        };
        assert!(words.iter().any(|word| known(&word)), "{query}");
        let ours = ["redis_", "s3_", "spool_", "degradation_", "breaker_"];
        let like_ours = |word: &&String| ours.iter().any(|start| word.starts_with(start));
        assert!(words.iter().filter(like_ours).all(|word| known(&word)), "{query}");
        assert!(query.contains(r#"job=~"$job", instance=~"$instance""#), "{query}");
    }
}

#[test]
fn every_panel_says_what_it_shows_and_hides_no_other() {
    let dashboard = dashboard();
    let panels = panels(&dashboard);
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "two panels of one id");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        for x in at("x")..at("x") + at("w") {
            assert!(x < 24, "{title} is off the grid");
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{title} hides another panel");
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 20), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{title} asks for nothing");
    }
}
