//! Plots of a report as inline SVG: small, plain, without a script.

use super::{EvalReport, OURS, models::TOGETHER, page::escape, report::HorizonReport};
use std::fmt::Write;

/// One line of a plot.
pub(crate) struct Series {
    /// Its name in the legend.
    pub(crate) name: String,
    /// Points, left to right.
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 48.0;
const BOTTOM: f64 = 36.0;
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888", "#b8a000"];

/// Every plot that `report` has data for.
pub(super) fn of(report: &EvalReport) -> String {
    let mut out = String::new();
    for place in ["prompt end", "boundary"] {
        let horizons: Vec<_> = report.horizons.iter().filter(|one| one.place == place).collect();
        if !horizons.is_empty() {
            let title = format!("Loss by segments ahead, {place} (nats)");
            out.push_str(&lines(&title, "segments ahead", &by_horizon(&horizons)));
        }
    }
    for one in report.horizons.iter().filter(|one| one.place == "boundary") {
        out.push_str(&reliability(one));
    }
    if !report.curves.is_empty() {
        let title = "Learning curve: loss by training documents (nats)";
        out.push_str(&lines(title, "documents", &curve(report)));
    }
    if !report.confusion.is_empty() {
        let names: Vec<&str> = report.per_theme.iter().map(|one| one.theme.as_str()).collect();
        out.push_str(&heat_map("Came (row) and likeliest (column), 1 ahead", &names, report));
    }
    out
}

fn by_horizon(horizons: &[&HorizonReport]) -> Vec<Series> {
    let text = ["text: TF-IDF", "text: MiniLM", TOGETHER];
    let wanted = [&[OURS, "persistence", "Markov 2"], &text[..], &[super::BOTH]].concat();
    let of = |name: &str| Series {
        name: name.to_owned(),
        points: horizons
            .iter()
            .filter_map(|one| {
                let model = one.models.iter().find(|model| model.name == name)?;
                Some((one.ahead as f64, model.scores.nll_nats))
            })
            .collect(),
    };
    wanted.iter().map(|name| of(name)).filter(|one| !one.points.is_empty()).collect()
}

fn reliability(horizon: &HorizonReport) -> String {
    let points: Vec<_> = horizon.reliability.iter().map(|bin| (bin.forecast, bin.came)).collect();
    let series = [
        Series { name: "forecast = came".to_owned(), points: vec![(0.0, 0.0), (1.0, 1.0)] },
        Series { name: OURS.to_owned(), points },
    ];
    let title = format!("Reliability, boundary, {} ahead", horizon.ahead);
    lines(&title, "probability of the likeliest theme", &series)
}

fn curve(report: &EvalReport) -> Vec<Series> {
    let mut aheads: Vec<usize> = report.curves.iter().map(|one| one.ahead).collect();
    aheads.sort_unstable();
    aheads.dedup();
    let of = |ahead: usize| Series {
        name: format!("{ahead} ahead"),
        points: report
            .curves
            .iter()
            .filter(|one| one.ahead == ahead)
            .map(|one| {
                let mean = one.nll_nats.iter().sum::<f64>() / one.nll_nats.len().max(1) as f64;
                (one.documents as f64, mean)
            })
            .collect(),
    };
    aheads.into_iter().map(of).collect()
}

/// A line plot with dots and a legend.
pub(crate) fn lines(title: &str, axis: &str, series: &[Series]) -> String {
    let all = || series.iter().flat_map(|one| &one.points);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let (low, high) = all()
            .map(of)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |range, x| (range.0.min(x), range.1.max(x)));
        if high > low { (low, high) } else { (low - 0.5, low + 0.5) }
    };
    let ((left, right), (low, high)) = (range(|point| point.0), range(|point| point.1));
    let x = |value: f64| LEFT + (value - left) / (right - left) * (WIDTH - LEFT - 16.0);
    let y = |value: f64| HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - 16.0);
    let mut body = String::new();
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let (across, up) = (left + share * (right - left), low + share * (high - low));
        let (at, bottom) = (y(up), HEIGHT - BOTTOM);
        let _ = write!(
            body,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#8884\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{up:.2}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            WIDTH - 16.0,
            LEFT - 6.0,
            at + 4.0,
            x(across),
            bottom + 14.0,
            tick(across)
        );
    }
    let mut legend = String::new();
    for (one, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<String> =
            one.points.iter().map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b))).collect();
        let _ = write!(
            body,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            points.join(" ")
        );
        for &(a, b) in &one.points {
            let _ = write!(
                body,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                x(a),
                y(b)
            );
        }
        let name = escape(&one.name);
        let _ = write!(legend, "<span style=\"color:{colour}\">■</span> {name} &nbsp;");
    }
    let middle = (LEFT + WIDTH) / 2.0;
    let _ = write!(
        body,
        "<text x=\"{middle:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
        HEIGHT - 6.0,
        escape(axis)
    );
    figure(title, (WIDTH, HEIGHT), &body, &legend)
}

fn heat_map(title: &str, names: &[&str], report: &EvalReport) -> String {
    const CELL: f64 = 15.0;
    const MARGIN: f64 = 170.0;
    let mut body = String::new();
    for (row, counts) in report.confusion.iter().enumerate() {
        let all = f64::from(counts.iter().sum::<u32>()).max(1.0);
        let top = row as f64 * CELL;
        let name: String = names.get(row).unwrap_or(&"").chars().take(26).collect();
        let _ = write!(
            body,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{row} {}</text>",
            MARGIN - 4.0,
            top + CELL - 3.0,
            escape(&name)
        );
        for (column, &count) in counts.iter().enumerate() {
            let left = MARGIN + column as f64 * CELL;
            let share = f64::from(count) / all;
            let _ = write!(
                body,
                "<rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"{CELL}\" height=\"{CELL}\" \
                 fill=\"#0072b2\" fill-opacity=\"{share:.2}\" stroke=\"#8883\">\
                 <title>{count}</title></rect>"
            );
        }
    }
    let themes = report.confusion.len() as f64;
    for column in 0..report.confusion.len() {
        let left = MARGIN + (column as f64 + 0.5) * CELL;
        let _ = write!(
            body,
            "<text x=\"{left:.0}\" y=\"{:.0}\" text-anchor=\"middle\" \
             style=\"font-size:8px\">{column}</text>",
            themes * CELL + 10.0
        );
    }
    figure(title, (MARGIN + themes * CELL + 4.0, themes * CELL + 16.0), &body, "")
}

fn figure(title: &str, (width, height): (f64, f64), body: &str, legend: &str) -> String {
    format!(
        "<figure><figcaption>{}</figcaption><svg role=\"img\" viewBox=\"0 0 {width:.0} \
         {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">{body}</svg>\
         <figcaption>{legend}</figcaption></figure>\n",
        escape(title)
    )
}

fn tick(value: f64) -> String {
    if value.abs() >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stay_within_the_frame_and_names_are_escaped() {
        let points = vec![(0.0, 5.0), (1.0, 7.0)];
        let svg = lines("a < b", "x", &[Series { name: "<one>".into(), points }]);
        assert!(svg.contains("a &lt; b") && svg.contains("&lt;one&gt;") && !svg.contains("NaN"));
        assert!(
            svg.contains("cx=\"48.0\" cy=\"224.0\"") && svg.contains("cx=\"404.0\" cy=\"16.0\"")
        );
        let flat = lines("t", "x", &[Series { name: "n".into(), points: vec![(1.0, 1.0)] }]);
        assert!(!flat.contains("NaN") && !flat.contains("inf"));
    }
}
