//! Pictures in SVG, coloured by the page's style sheet so that they follow light and dark.

use std::fmt::Write;

use super::page::escaped;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// A picture under way.
pub(super) struct Chart {
    body: String,
    height: f64,
}

/// How values become places along an axis.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    /// Whether equal factors are equally far apart.
    logarithmic: bool,
}

impl Scale {
    pub(super) fn linear(from: f64, to: f64) -> Scale {
        Scale {
            from,
            to: if to > from { to } else { from + 1.0 },
            logarithmic: false,
        }
    }

    pub(super) fn logarithmic(from: f64, to: f64) -> Scale {
        Scale {
            from: from.ln(),
            to: to.max(from * 1.01).ln(),
            logarithmic: true,
        }
    }

    fn share(self, value: f64) -> f64 {
        let value = if self.logarithmic { value.ln() } else { value };
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    fn x(self, value: f64) -> f64 {
        LEFT + self.share(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y(self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.share(value) * (HEIGHT - TOP - BOTTOM)
    }

    /// Round values along it.
    pub(super) fn ticks(self) -> Vec<f64> {
        if self.logarithmic {
            let powers = (self.from / 10_f64.ln()).ceil() as i32..=(self.to / 10_f64.ln()) as i32;
            return powers.map(|power| 10_f64.powi(power)).collect();
        }
        let rough = (self.to - self.from) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|nice| nice * power);
        let step = steps
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let first = (self.from / step).ceil() as i64;
        (first..=(self.to / step + 1e-9).floor() as i64)
            .map(|i| i as f64 * step)
            .collect()
    }
}

impl Chart {
    pub(super) fn new() -> Chart {
        Chart {
            body: String::new(),
            height: HEIGHT,
        }
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        self.body
            .write_fmt(element)
            .expect("text takes all that is written");
    }

    fn text(&mut self, (x, y): (f64, f64), anchor: &str, text: &str) {
        let text = escaped(text);
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// Lines across with what they stand for.
    pub(super) fn across(&mut self, scale: Scale, label: &dyn Fn(f64) -> String) {
        for tick in scale.ticks() {
            let y = scale.y(tick);
            self.add(format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
                WIDTH - RIGHT
            ));
            self.text((LEFT - 6.0, y + 4.0), "end", &label(tick));
        }
    }

    /// What stands below at some values.
    pub(super) fn below(&mut self, scale: Scale, label: &dyn Fn(f64) -> String) {
        for tick in scale.ticks() {
            self.text((scale.x(tick), HEIGHT - 16.0), "middle", &label(tick));
        }
    }

    /// What an axis is of.
    pub(super) fn named(&mut self, below: &str) {
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        self.text((middle, HEIGHT - 2.0), "middle", below);
    }

    /// A line through points.
    pub(super) fn line(&mut self, class: &str, (x, y): (Scale, Scale), points: &[(f64, f64)]) {
        let points = points
            .iter()
            .map(|(px, py)| format!("{:.1},{:.1}", x.x(*px), y.y(*py)));
        let points: Vec<String> = points.collect();
        let points = points.join(" ");
        self.add(format_args!(
            "<polyline class=\"{class}\" points=\"{points}\"/>"
        ));
    }

    /// A point with what it says when it is pointed at.
    pub(super) fn point(
        &mut self,
        class: &str,
        (x, y): (Scale, Scale),
        at: (f64, f64),
        says: &str,
    ) {
        let (cx, cy, says) = (x.x(at.0), y.y(at.1), escaped(says));
        self.add(format_args!(
            "<circle class=\"{class}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"4\"><title>{says}</title></circle>"
        ));
    }

    /// Pairs of bars side by side, each pair with a name below.
    pub(super) fn pairs(&mut self, y: Scale, pairs: &[(String, f64, f64, String)]) {
        let step = (WIDTH - LEFT - RIGHT) / pairs.len().max(1) as f64;
        let wide = step * 0.36;
        for (place, (name, first, second, says)) in pairs.iter().enumerate() {
            let from = LEFT + step * (place as f64 + 0.14);
            for (class, value, x) in [("one", *first, from), ("two", *second, from + wide)] {
                let (top, bottom, says) = (y.y(value), y.y(0.0), escaped(says));
                self.add(format_args!(
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" \
                     height=\"{:.1}\"><title>{says}</title></rect>",
                    (bottom - top).max(0.5)
                ));
            }
            self.text((from + wide, HEIGHT - 16.0), "middle", name);
        }
    }

    /// Bars to the right and left of a middle, one below the other, with whiskers.
    pub(super) fn bars(bars: &[(String, f64, f64, String)]) -> Chart {
        const ROW: f64 = 22.0;
        const LETTER: f64 = 6.6;
        let longest = bars.iter().map(|bar| bar.0.chars().count()).max();
        let names = (16.0 + LETTER * longest.unwrap_or(0) as f64).clamp(100.0, WIDTH / 2.0);
        let most = bars
            .iter()
            .map(|bar| bar.1.abs() + bar.2)
            .fold(1e-9, f64::max);
        let signed = bars.iter().any(|bar| bar.1 < 0.0 || bar.2 > 0.0);
        let middle = if signed {
            (names + WIDTH - 70.0) / 2.0
        } else {
            names
        };
        let unit = (WIDTH - 74.0 - middle) / most;
        let mut chart = Chart {
            body: String::new(),
            height: bars.len() as f64 * ROW + 8.0,
        };
        for (place, (name, value, error, says)) in bars.iter().enumerate() {
            let y = 4.0 + place as f64 * ROW;
            let (x, wide) = (middle + value.min(0.0) * unit, value.abs() * unit);
            let class = if *value < 0.0 { "two" } else { "one" };
            chart.text((names - 8.0, y + 14.0), "end", name);
            chart.add(format_args!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\"/>",
                y + 3.0,
                wide.max(0.5)
            ));
            let (low, high) = (
                middle + (value - error) * unit,
                middle + (value + error) * unit,
            );
            if *error > 0.0 {
                chart.add(format_args!(
                    "<line class=\"whisker\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>",
                    y + 10.0
                ));
            }
            chart.text((WIDTH - 2.0, y + 14.0), "end", says);
        }
        chart
    }

    /// The picture, with words for those who do not see it.
    pub(super) fn finish(self, says: &str) -> String {
        let Chart { body, height } = self;
        let says = escaped(says);
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{says}\">{body}</svg>"
        )
    }
}
