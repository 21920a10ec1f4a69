//! What the panels of the dashboard ask, filled in as Grafana does.

use serde_json::Value;

/// The dashboard that is shipped.
const SHIPPED: &str = include_str!("../../observability/dashboard.json");

/// What `$__rate_interval` becomes: four scrapes of the shipped configuration, of 15 seconds each.
const RATE_INTERVAL: &str = "1m";

/// One query of one panel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// The title of the panel, or of the annotation.
    pub panel: String,
    /// The expression, with the dashboard's variables in it.
    pub expression: String,
}

/// What is picked in the lists at the top of the dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// `$job`, `$instance` and `$name`, as regular expressions.
    values: [(&'static str, String); 3],
}

impl Picked {
    /// "All" in each list.
    #[must_use]
    pub fn all() -> Self {
        let values = [("$job", ".+"), ("$instance", ".+"), ("$name", ".*")];
        Self { values: values.map(|(name, value)| (name, value.to_owned())) }
    }

    /// One job and one instance of it.
    #[must_use]
    pub fn one(job: &str, instance: &str) -> Self {
        let values =
            [("$job", literal(job)), ("$instance", literal(instance)), ("$name", ".*".to_owned())];
        Self { values }
    }

    /// The expression as it is sent.
    #[must_use]
    pub fn fill_in(&self, expression: &str) -> String {
        let filled = expression.replace("$__rate_interval", RATE_INTERVAL);
        self.values.iter().fold(filled, |text, (name, value)| text.replace(name, value))
    }
}

/// A value as a regular expression within a text in quotes.
fn literal(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if !c.is_alphanumeric() && !"_-:/ ".contains(c) {
            text.push_str("\\\\");
        }
        text.push(c);
    }
    text
}

/// Every query of every panel, and those of the annotations.
///
/// # Errors
///
/// The dashboard is no JSON, which a test keeps from being shipped.
pub fn queries() -> Result<Vec<Query>, serde_json::Error> {
    let dashboard: Value = serde_json::from_str(SHIPPED)?;
    let list = |value: &Value, at| value.pointer(at).and_then(Value::as_array).cloned();
    let text = |value: &Value, name| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let panels = list(&dashboard, "/panels").into_iter().flatten().flat_map(|panel| {
        let title = text(&panel, "title").unwrap_or_default();
        let asked = list(&panel, "/targets").into_iter().flatten();
        asked.filter_map(move |asks| Some((title.clone(), text(&asks, "expr")?)))
    });
    let annotations = list(&dashboard, "/annotations/list").into_iter().flatten();
    let annotations = annotations.filter_map(|asks| text(&asks, "name").zip(text(&asks, "expr")));
    let all = panels.chain(annotations);
    Ok(all.map(|(panel, expression)| Query { panel, expression }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_as_grafana_does() {
        let asked = r#"rate(x{job=~"$job", instance=~"$instance", n=~"$name"}[$__rate_interval])"#;
        let all = r#"rate(x{job=~".+", instance=~".+", n=~".*"}[1m])"#;
        assert_eq!(Picked::all().fill_in(asked), all);
        let one = r#"rate(x{job=~"shop", instance=~"10\\.0\\.0\\.1:80", n=~".*"}[1m])"#;
        assert_eq!(Picked::one("shop", "10.0.0.1:80").fill_in(asked), one);
    }

    #[test]
    fn no_variable_is_left_in_any_query() {
        let queries = queries().unwrap();
        assert!(queries.len() > 40, "{}", queries.len());
        for Query { panel, expression } in queries {
            let filled = Picked::all().fill_in(&expression);
            assert!(!filled.contains('$') && !filled.is_empty(), "{panel}: {filled}");
        }
    }
}
