//! A scrape, read the way Prometheus reads it.

use std::collections::BTreeMap;

use circuit_layer::metrics::Exporter;

/// Series to value. Fails on a series that is there twice, which `promtool` does not notice.
pub(crate) fn series(exporter: &Exporter) -> BTreeMap<String, f64> {
    let text = exporter.render().unwrap();
    let mut all = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let before = all.insert(series.to_owned(), value.parse().unwrap());
        assert_eq!(before, None, "{series} is in the scrape twice:\n{text}");
    }
    all
}

/// The sum of the series of one metric whose labels contain all of these.
pub(crate) fn sum(all: &BTreeMap<String, f64>, metric: &str, labels: &[&str]) -> f64 {
    let wanted = |series: &str| {
        let (name, rest) = series.split_once('{').unwrap_or((series, ""));
        name == metric && labels.iter().all(|label| rest.contains(label))
    };
    all.iter().filter(|(series, _)| wanted(series)).map(|(_, value)| value).sum()
}
