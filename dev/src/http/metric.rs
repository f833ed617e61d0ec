//! A metric of one of our services, as its admin listener shows it.

use super::get;

/// The sum over its labels; a metric that is not there yet is 0, and who doesn't answer has said nothing.
pub fn metric(admin: u16, name: &str) -> Option<u64> {
    Some(values(admin, name)?.into_iter().sum())
}

/// The same, of a metric that has to be there.
pub fn metric_told(admin: u16, name: &str) -> Option<u64> {
    values(admin, name).filter(|values| !values.is_empty()).map(|values| values.into_iter().sum())
}

/// One a line; none where one of them is no whole number.
fn values(admin: u16, name: &str) -> Option<Vec<u64>> {
    let answer = get(admin, "/metrics", None).ok().filter(|answer| answer.status == 200)?;
    answer.body.lines().filter_map(|line| value_of(line, name)).map(|value| value.parse().ok()).collect()
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
