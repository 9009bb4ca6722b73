//! The table that is printed: wanted beside measured, `SHORT` where it misses by more than noise.

/// How a figure is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
    /// The same of a ratio; what it is of differs by no more than the machine's noise.
    NoiseAtMost(f64),
    /// Stated beside another figure; not judged.
    Stated,
}

/// One row.
#[derive(Debug)]
struct Row {
    what: String,
    wanted: Wanted,
    measured: f64,
    unit: &'static str,
}

/// All rows of a run.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// Adds a figure and tells of it at once, so that a long run shows where it is.
    pub(crate) fn add(&mut self, what: &str, wanted: Wanted, measured: f64, unit: &'static str) {
        let row = Row { what: what.into(), wanted, measured, unit };
        eprintln!("  {}: {} {}", row.what, figure(measured), unit);
        self.0.push(row);
    }

    /// The rows as Markdown.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = String::from("| figure | wanted | measured | |\n| --- | --- | --- | --- |\n");
        for Row { what, wanted, measured, unit } in &self.0 {
            let (bound, is_short) = match *wanted {
                Wanted::AtLeast(least) => (format!("≥ {} {unit}", figure(least)), *measured < least),
                Wanted::AtMost(most) | Wanted::NoiseAtMost(most) => {
                    (format!("≤ {} {unit}", figure(most)), *measured > most)
                }
                Wanted::Stated => (String::new(), false),
            };
            let verdict = match wanted {
                Wanted::NoiseAtMost(_) if is_short => "noise",
                _ if is_short => "SHORT",
                _ => "",
            };
            text += &format!("| {what} | {} | {} {unit} | {verdict} |\n", bound.trim(), figure(*measured));
        }
        text
    }
}

/// A number with as many digits as mean something, thousands apart.
pub(crate) fn figure(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The value that `percent` of `values` do not exceed, by nearest rank.
pub(crate) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100).max(1) - 1]
}
