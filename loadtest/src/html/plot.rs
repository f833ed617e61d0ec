//! A plot of lines: where each point, each mark and each label stands in its SVG.

use std::fmt::Write;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;

pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy)]
pub enum Scale {
    Linear,
    /// Values that are not above 0 stand at the bottom.
    Logarithmic,
}

pub struct Plot {
    pub title: String,
    pub frame: Frame,
    pub lines: Vec<Line>,
    pub columns: Vec<Tick>,
    pub rows: Vec<Tick>,
}

/// Where the field of the lines begins and ends.
pub struct Frame {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub bottom: f64,
}

pub struct Line {
    pub name: String,
    /// As `points` of a polyline has them.
    pub points: String,
}

pub struct Tick {
    pub at: f64,
    pub label: String,
}

/// Values from the least to the most, on so many pixels from `begin` to `end`.
struct Axis {
    least: f64,
    most: f64,
    begin: f64,
    end: f64,
    scale: Scale,
}

impl Plot {
    pub fn new(title: &str, ticks: &[(f64, String)], scale: Scale, series: Vec<Series>) -> Plot {
        let values =
            |of: fn(&(f64, f64)) -> f64| series.iter().flat_map(|series| &series.points).map(of).collect::<Vec<_>>();
        let (across, up) = (values(|point| point.0), values(|point| point.1));
        let across = Axis::over(&across, Scale::Linear, LEFT, WIDTH - RIGHT);
        let up = Axis::over(&up, scale, HEIGHT - BOTTOM, TOP);
        let columns = ticks.iter().filter(|(value, _)| *value <= across.most + 1e-9);
        let columns = columns.map(|(value, label)| Tick { at: across.at(*value), label: label.clone() }).collect();
        let rows = up.ticks().into_iter().map(|value| Tick { at: up.at(value), label: short(value) }).collect();
        let line = |series: Series| {
            let mut points = String::new();
            for (x, y) in series.points {
                let _ = write!(points, "{:.1},{:.1} ", across.at(x), up.at(y)); // a String takes all
            }
            Line { name: series.name, points }
        };
        let frame = Frame { width: WIDTH, height: HEIGHT, left: LEFT, bottom: HEIGHT - BOTTOM };
        Plot { title: title.to_owned(), frame, lines: series.into_iter().map(line).collect(), columns, rows }
    }
}

impl Axis {
    /// Long enough for all of the values; a linear one begins at 0, a logarithmic one at a power of ten.
    fn over(values: &[f64], scale: Scale, begin: f64, end: f64) -> Axis {
        let most = values.iter().copied().fold(0.0, f64::max);
        let (least, most) = match scale {
            Scale::Linear => (0.0, if most > 0.0 { most } else { 1.0 }),
            Scale::Logarithmic => {
                let least = values.iter().copied().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
                let least = if least.is_finite() { least.log10().floor() } else { 0.0 };
                let most = if most > 0.0 { most.log10().ceil() } else { 1.0 };
                (10_f64.powf(least), 10_f64.powf(most.max(least + 1.0)))
            }
        };
        Axis { least, most, begin, end, scale }
    }

    fn at(&self, value: f64) -> f64 {
        let part = match self.scale {
            Scale::Linear => (value - self.least) / (self.most - self.least),
            Scale::Logarithmic => (value.max(self.least) / self.least).log10() / (self.most / self.least).log10(),
        };
        self.begin + (self.end - self.begin) * part.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => (0..=4).map(|number| self.most * f64::from(number) / 4.0).collect(),
            Scale::Logarithmic => {
                let mut ticks = vec![self.least];
                while ticks.last().is_some_and(|last| last * 10.0 < self.most * 1.001) {
                    ticks.extend(ticks.last().map(|last| last * 10.0));
                }
                ticks
            }
        }
    }
}

/// At most three digits.
fn short(value: f64) -> String {
    match value {
        _ if value >= 100.0 || value == 0.0 => format!("{value:.0}"),
        _ if value >= 1.0 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        _ => format!("{value:.3}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(scale: Scale, points: Vec<(f64, f64)>) -> Plot {
        Plot::new("x", &[(0.0, "0".to_owned())], scale, vec![Series { name: "x".to_owned(), points }])
    }

    #[test]
    fn points_stand_within_the_plot_and_higher_ones_higher() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let plot = plot(scale, vec![(0.0, 0.2), (1.0, 30.0), (2.0, 0.0)]);
            let at: Vec<(f64, f64)> = plot.lines[0]
                .points
                .split_whitespace()
                .map(|pair| pair.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).unwrap())
                .collect();
            assert!(at.iter().all(|(x, y)| (LEFT..=WIDTH - RIGHT).contains(x) && (TOP..=HEIGHT - BOTTOM).contains(y)));
            assert!(at[1].1 < at[0].1 && at[0].1 <= at[2].1, "{at:?}");
        }
    }

    #[test]
    fn a_logarithmic_axis_is_marked_at_powers_of_ten() {
        let labels: Vec<String> =
            plot(Scale::Logarithmic, vec![(0.0, 0.25), (1.0, 30.0)]).rows.into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["0.1", "1", "10", "100"]);
    }

    #[test]
    fn a_plot_of_nothing_is_a_plot() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            assert!(plot(scale, Vec::new()).rows.len() >= 2);
        }
    }
}
