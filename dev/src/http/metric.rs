//! A metric of one of our services, as its admin listener shows it.

use super::get;

/// The sum over its labels; a metric that is not there yet is 0, and who doesn't answer has said nothing.
pub fn metric(admin: u16, name: &str) -> Option<u64> {
    let text = get(admin, "/metrics", None).ok()?.body;
    text.lines().filter_map(|line| value_of(line, name)).map(|value| value.parse::<u64>().ok()).sum()
}

/// The value on a line that is of this metric, with labels or without.
fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(name)?;
    let (labels, value) = rest.rsplit_once(' ')?;
    (labels.is_empty() || labels.starts_with('{')).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_told_from_those_that_begin_like_it() {
        assert_eq!(value_of("events_total{shard=\"1\"} 12", "events_total"), Some("12"));
        assert_eq!(value_of("events_total 12", "events_total"), Some("12"));
        assert_eq!(value_of("events_total_seconds 12", "events_total"), None);
        assert_eq!(value_of("# TYPE events_total counter", "events_total"), None);
    }
}
