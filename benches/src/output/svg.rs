//! Line plots as SVG, written by hand: a title, axes with round ticks, a legend, and a line per series.

use std::fmt::Write;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 56.0;
const TICKS: f64 = 6.0;
/// Distinguishable also without colour vision (Okabe and Ito's set).
const COLOURS: [&str; 5] = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#555555"];

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the legend says.
    pub label: String,
    /// Points in order of x.
    pub points: Vec<(f64, f64)>,
}

/// A plot with linear axes from zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// The headline.
    pub title: String,
    /// A second, smaller line: the conditions.
    pub subtitle: String,
    /// The x axis with its unit.
    pub x_label: String,
    /// The y axis with its unit.
    pub y_label: String,
    /// The lines.
    pub series: Vec<Series>,
}

impl Plot {
    /// The whole SVG document.
    pub fn to_svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| series.points.iter());
        let x_axis = Axis::covering(points().map(|point| point.0));
        let y_axis = Axis::covering(points().map(|point| point.1));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"{LEFT}\" y=\"26\" font-size=\"17\" font-weight=\"600\">{}</text>\n\
             <text x=\"{LEFT}\" y=\"46\" fill=\"#666\">{}</text>\n",
            escape(&self.title),
            escape(&self.subtitle)
        );
        self.push_axes(&mut svg, &x_axis, &y_axis);
        self.push_series(&mut svg, &x_axis, &y_axis);
        svg.push_str("</svg>\n");
        svg
    }

    fn push_axes(&self, svg: &mut String, x_axis: &Axis, y_axis: &Axis) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in y_axis.ticks() {
            let y = y_position(y_axis, tick);
            push(
                svg,
                format_args!(
                    "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#e4e4e4\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                    LEFT - 8.0,
                    y + 4.5,
                    tick_label(tick)
                ),
            );
        }
        for tick in x_axis.ticks() {
            let x = x_position(x_axis, tick);
            push(
                svg,
                format_args!(
                    "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{:.1}\" stroke=\"#222\"/>\
                     <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                    bottom + 5.0,
                    bottom + 20.0,
                    tick_label(tick)
                ),
            );
        }
        let middle_y = (TOP + bottom) / 2.0;
        push(
            svg,
            format_args!(
                "<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#222\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
                 <text transform=\"translate(20 {middle_y:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                (LEFT + right) / 2.0,
                HEIGHT - 12.0,
                escape(&self.x_label),
                escape(&self.y_label)
            ),
        );
    }

    fn push_series(&self, svg: &mut String, x_axis: &Axis, y_axis: &Axis) {
        let mut legend_x = LEFT;
        for (index, series) in self.series.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let mut path = String::new();
            for (at, &(x, y)) in series.points.iter().enumerate() {
                let command = if at == 0 { 'M' } else { 'L' };
                push(&mut path, format_args!("{command}{:.1} {:.1}", x_position(x_axis, x), y_position(y_axis, y)));
            }
            push(
                svg,
                format_args!(
                    "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n\
                     <line x1=\"{legend_x:.1}\" x2=\"{:.1}\" y1=\"66\" y2=\"66\" stroke=\"{colour}\" stroke-width=\"3\"/>\
                     <text x=\"{:.1}\" y=\"70.5\">{}</text>\n",
                    legend_x + 22.0,
                    legend_x + 28.0,
                    escape(&series.label)
                ),
            );
            legend_x += 52.0 + 7.2 * series.label.chars().count() as f64;
        }
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(arguments);
}

/// An axis from zero to a round end.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    step: f64,
    end: f64,
}

impl Axis {
    fn covering(values: impl Iterator<Item = f64>) -> Self {
        let largest = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let rough = if largest > 0.0 { largest / TICKS } else { 1.0 };
        let magnitude = 10f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * magnitude >= rough);
        let step = factor.unwrap_or(10.0) * magnitude;
        Self { step, end: (largest / step).ceil().max(1.0) * step }
    }

    fn ticks(self) -> impl Iterator<Item = f64> {
        let count = (self.end / self.step).round() as u32;
        (0..=count).map(move |n| f64::from(n) * self.step)
    }
}

fn x_position(axis: &Axis, x: f64) -> f64 {
    LEFT + x / axis.end * (WIDTH - LEFT - RIGHT)
}

fn y_position(axis: &Axis, y: f64) -> f64 {
    HEIGHT - BOTTOM - y / axis.end * (HEIGHT - TOP - BOTTOM)
}

/// Thousands are set apart by thin spaces.
fn tick_label(value: f64) -> String {
    if value.fract() != 0.0 {
        return format!("{value:.2}").trim_end_matches('0').to_owned();
    }
    let digits = format!("{value:.0}");
    let mut label = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            label.push('\u{2009}');
        }
        label.push(digit);
    }
    label
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_a_round_number_that_covers_every_value() {
        for largest in [0.3, 1.0, 7.0, 99.0, 63_012.0, 1e6] {
            let axis = Axis::covering([0.0, largest].into_iter());
            assert!(axis.end >= largest && axis.end < largest * 1.5, "{largest}: {axis:?}");
            assert!(axis.ticks().count() <= 9, "{largest}: {axis:?}");
        }
        assert_eq!(Axis::covering([0.0].into_iter()).end, 1.0);
    }

    #[test]
    fn a_plot_names_its_axes_and_series_and_escapes_them() {
        let plot = Plot {
            title: "a < b & c".to_owned(),
            subtitle: "conditions".to_owned(),
            x_label: "time in s".to_owned(),
            y_label: "requests/s".to_owned(),
            series: vec![Series { label: "jitter 10 %".to_owned(), points: vec![(0.0, 0.0), (1.0, 12_000.0)] }],
        };
        let svg = plot.to_svg();
        for part in ["a &lt; b &amp; c", "time in s", "requests/s", "jitter 10 %", "12\u{2009}000", "</svg>"] {
            assert!(svg.contains(part), "{part}");
        }
    }
}
