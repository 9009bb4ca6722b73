//! `pagetrack verify`: what differs on standard output, how far it is on standard error.

use crate::app::terminal::{Screen, printable};
use anyhow::{Context, bail};
use chrono::SecondsFormat;
use schema::clock::Clock;
use schema::hour::Hour;
use schema::store::{Durability, Migration, Store, StoreUrl, open};
use schema::verify::{Event, Overrule, Progress, Verified, repair, verify};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Differences that are printed one by one on a terminal; all are elsewhere.
const MOST_SHOWN: u64 = 100;
/// How often the progress is written anew on a terminal, and elsewhere.
const ON_TERMINAL: Duration = Duration::from_millis(250);
const ELSEWHERE: Duration = Duration::from_secs(10);
/// Below this share nothing is said of the time that is left.
const FORESEEN_FROM: f64 = 0.02;

/// What becomes of what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// It is told.
    Tell,
    /// It is told and mended.
    Repair,
}

/// Verifies the store at `url`.
///
/// # Errors
/// When the store cannot be opened or read, and when something differs, or still does after the repair.
pub async fn verify_store(
    url: &StoreUrl,
    remedy: Remedy,
    screen: &Arc<Screen>,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let opened = open(url, Migration::Expect, Durability::Power).await;
    let store = opened.with_context(|| format!("cannot open --store {url}"))?;
    let found = run(&*store, screen, clock).await?;
    if found.differences == 0 {
        return Ok(());
    }
    if remedy == Remedy::Tell {
        bail!("{} differences in {url}; --repair mends them", found.differences);
    }
    screen.print("repairing\n");
    repair(&*store, &found, Overrule::Nothing, clock.now()).await.context("cannot repair")?;
    let mut left = run(&*store, screen, clock).await?;
    if left.differences > 0 {
        // What a hand changed later than its page was made is not mended by the page's own version.
        screen.print("repairing, against later changes\n");
        repair(&*store, &left, Overrule::LaterChanges, clock.now()).await.context("cannot repair")?;
        left = run(&*store, screen, clock).await?;
    }
    if left.differences > 0 {
        bail!("{} differences are left in {url}, of {}", left.differences, found.differences);
    }
    screen.print(&format!("repaired: {} differences are gone\n", found.differences));
    Ok(())
}

async fn run(store: &dyn Store, screen: &Screen, clock: &dyn Clock) -> anyhow::Result<Verified> {
    let mut told = Telling::begin(screen);
    let found = verify(store, clock.now(), &mut |event| told.tell(event)).await;
    screen.leave_line();
    let found = found.context("cannot verify")?;
    if let Some(more) = found.differences.checked_sub(told.most_shown).filter(|more| *more > 0) {
        screen.print(&format!("and {more} more; a file gets all\n"));
    }
    let (pages, rows, seconds) = (found.pages, found.rows, told.began.elapsed().as_secs_f64());
    let outcome =
        if found.differences == 0 { "nothing differs".into() } else { format!("{} differ", found.differences) };
    screen.print(&format!("verified {pages} pages, {rows} rows in {seconds:.1} s: {outcome}\n"));
    if found.frozen > Hour::MIN {
        screen.print(&format!("hours before {} are frozen and were not looked at\n", found.frozen));
    }
    if let Some(until) = found.counted_until {
        let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
        screen.print(&format!("counts of what ended behind {until}, or has not, were not compared\n"));
    }
    Ok(found)
}

/// Brings events to the screen.
struct Telling<'a> {
    screen: &'a Screen,
    every: Duration,
    most_shown: u64,
    began: Instant,
    last: Option<Instant>,
    shown: u64,
}

impl<'a> Telling<'a> {
    fn begin(screen: &'a Screen) -> Self {
        let every = if screen.is_terminal() { ON_TERMINAL } else { ELSEWHERE };
        let most_shown = if screen.is_read() { MOST_SHOWN } else { u64::MAX };
        Self { screen, every, most_shown, began: Instant::now(), last: None, shown: 0 }
    }

    fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::Difference(difference) => {
                if self.shown < self.most_shown {
                    self.screen.print(&format!("{}\n", printable(&difference.to_string())));
                }
                self.shown += 1;
            }
            Event::Progress(progress) => {
                if self.last.is_none_or(|last| last.elapsed() >= self.every) {
                    self.last = Some(Instant::now());
                    self.screen.set_line(&progress_line(progress, self.began.elapsed(), self.shown));
                }
            }
        }
    }
}

/// `pages_by_user: 41 %, 1200000 rows, 81000 rows/s, 0 differ, 1 min 40 s left`
fn progress_line(progress: Progress, spent: Duration, differences: u64) -> String {
    let Progress { reading, rows, share } = progress;
    let rate = rows as f64 / spent.as_secs_f64().max(0.001);
    let left = if share < FORESEEN_FROM {
        "time left not known yet".into()
    } else {
        format!("{} left", shown_time(spent.as_secs_f64() * (1.0 - share) / share))
    };
    format!("{}: {:.0} %, {rows} rows, {rate:.0} rows/s, {differences} differ, {left}", reading.name(), share * 100.0)
}

fn shown_time(seconds: f64) -> String {
    // A share that is wrong must not make a number without end.
    let seconds = seconds.clamp(0.0, 1e9).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::tables::Table;
    use schema::verify::Reading;

    #[test]
    fn the_time_left_follows_from_the_share() {
        let check = |share, spent, expect: &str| {
            let progress = Progress { reading: Reading::Table(Table::PagesByUser), rows: 5_000, share };
            assert_eq!(progress_line(progress, Duration::from_secs(spent), 3), expect);
        };
        check(0.01, 10, "pages_by_user: 1 %, 5000 rows, 500 rows/s, 3 differ, time left not known yet");
        check(0.25, 10, "pages_by_user: 25 %, 5000 rows, 500 rows/s, 3 differ, 30 s left");
        check(0.5, 100, "pages_by_user: 50 %, 5000 rows, 50 rows/s, 3 differ, 1 min 40 s left");
        check(0.1, 1_000, "pages_by_user: 10 %, 5000 rows, 5 rows/s, 3 differ, 2 h 30 min left");
    }
}
