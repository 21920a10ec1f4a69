//! Which series an expression is about.
//!
//! An alert that does not fire answers nothing, whether all is well or its name is misspelled. What
//! tells the two apart is whether its series are there.

/// What the names of our series begin with; no function and no label of a query does.
const OURS: [&str; 8] = [
    "redis_",
    "s3_",
    "database_",
    "openai_",
    "breaker_",
    "degradation_",
    "spool_",
    "service_peer_name:",
];

/// The selectors of an expression, without ranges: `name`, or `name{label="value"}`. Each once.
#[must_use]
pub fn selectors(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '"') {
        rest = rest.get(start..).unwrap_or_default();
        if rest.starts_with('"') {
            rest = rest.get(quoted(rest)..).unwrap_or_default();
            continue;
        }
        let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let name = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(name);
        let matchers = if after.starts_with('{') { braced(after) } else { 0 };
        let (matchers, after) = after.split_at(matchers);
        if OURS.iter().any(|ours| word.starts_with(ours)) {
            found.push(format!("{word}{matchers}"));
        }
        rest = after;
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// How long the text is that begins with a quote.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

/// How long the matchers are that begin with a brace; their values may hold braces too.
fn braced(text: &str) -> usize {
    let mut at = 1;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with('}') {
            return at.saturating_add(1);
        }
        let step = match rest.chars().next() {
            Some('"') => quoted(rest),
            first => first.map_or(1, char::len_utf8),
        };
        at = at.saturating_add(step);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, wanted: &[&str]) {
        assert_eq!(selectors(expression), wanted, "{expression}");
    }

    #[test]
    fn names_and_matchers_are_found_and_functions_labels_and_texts_are_not() {
        check("redis_circuit_breaker_state == 1", &["redis_circuit_breaker_state"]);
        check("absent(s3_health_score)", &["s3_health_score"]);
        check(
            r#"sum by (job, service_peer_name) (rate(redis_requests_total{status="rejected"}[5m])) > 0"#,
            &[r#"redis_requests_total{status="rejected"}"#],
        );
        check(
            r#"a{x="}\"{", y="redis_not"} and spool_bytes{le=~"5|5.0"}[15m] or spool_bytes"#,
            &["spool_bytes", r#"spool_bytes{le=~"5|5.0"}"#],
        );
        check(
            "service_peer_name:redis_error_ratio:rate1h > 14.4 * 0.001",
            &["service_peer_name:redis_error_ratio:rate1h"],
        );
        check("", &[]);
        check("\"redis_", &[]);
        check("redis_up{", &["redis_up{"]);
    }
}
