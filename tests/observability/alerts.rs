//! The rules are valid, tested one by one, and each alert leads to a section of the runbook.

use crate::{file, promtool, read};

/// The values of a key in a file of rules.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let key = format!("{key}: ");
    text.lines()
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix(&key))
        .map(|value| value.trim_matches('"'))
        .collect()
}

#[test]
fn promtool_accepts_the_configuration_and_the_rules_that_it_names() {
    let (accepted, said) = promtool(&["check", "config", file("prometheus.yml").to_str().unwrap()]);
    assert!(accepted, "{said}");
    assert!(said.contains("SUCCESS: 8 rules found") && said.contains("SUCCESS: 21 rules found"));
}

#[test]
fn the_rules_pass_their_tests_and_a_wrong_expectation_fails() {
    let (passed, said) = promtool(&["test", "rules", file("rules_test.yml").to_str().unwrap()]);
    assert!(passed, "{said}");
    let control = file("rules_test_must_fail.yml");
    let (passed, said) = promtool(&["test", "rules", control.to_str().unwrap()]);
    assert!(!passed, "the negative control passed: {said}");
    assert!(said.contains("alertname: RedisBreakerOpen"), "it failed for another reason: {said}");
}

#[test]
fn every_alert_is_seen_firing_in_a_test_and_has_its_section_in_the_runbook() {
    let (alerts, tests, runbook) = (read("alerts.yml"), read("rules_test.yml"), read("RUNBOOK.md"));
    let names = values(&alerts, "alert");
    assert_eq!(names.len(), 21);
    let anchor = |heading: &str| heading.to_lowercase().replace(' ', "-");
    let sections: Vec<_> =
        runbook.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor).collect();
    let urls = values(&alerts, "runbook_url");
    assert_eq!(urls.len(), names.len());
    for url in urls {
        let (path, section) = url.split_once('#').unwrap();
        assert_eq!(path, "examples/observability/RUNBOOK.md");
        assert!(sections.iter().any(|known| known == section), "no section {section}");
    }
    for name in names {
        let fires = tests.split("- eval_time:").any(|case| {
            case.contains(&format!("alertname: {name}\n")) && case.contains("exp_labels:")
        });
        assert!(fires, "no test sees {name} firing");
    }
}

#[test]
fn the_guide_to_deploying_tells_of_each_alert_how_long_and_how_urgent() {
    let (alerts, guide) = (read("alerts.yml"), read("../DEPLOYMENT.md"));
    let (times, severities) = (values(&alerts, "for"), values(&alerts, "severity"));
    for (name, (time, severity)) in
        values(&alerts, "alert").into_iter().zip(times.into_iter().zip(severities))
    {
        let name = format!("`{name}`");
        let row = guide.lines().find(|line| line.starts_with("| `") && line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("no row tells of {name}"));
        let ends = format!("| {time} | {severity} |");
        assert!(row.ends_with(&ends), "{row}: alerts.yml has {ends}");
    }
}
