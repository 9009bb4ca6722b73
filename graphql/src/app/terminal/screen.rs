//! Standard output and standard error as one screen: the status line is its last row, whatever else is written scrolls
//! above it. Knows nothing of what is written.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Takes back the row of the status line.
const CLEAR_ROW: &str = "\r\x1b[2K";

/// Where a program writes. One per process: two would not know of each other's line.
pub struct Screen(Mutex<Streams>);

/// One of the two streams.
struct Stream {
    to: Box<dyn Write + Send>,
    is_terminal: bool,
}

struct Streams {
    out: Stream,
    err: Stream,
    /// Columns; none where it is not known.
    width: Box<dyn Fn() -> Option<usize> + Send>,
    /// The status line that stands, as drawn; empty when there is none.
    line: String,
}

impl Screen {
    /// This process's.
    pub fn of_process() -> Arc<Self> {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let out = Stream { is_terminal: out.is_terminal(), to: Box::new(out) };
        let err = Stream { is_terminal: err.is_terminal(), to: Box::new(err) };
        let streams = Streams { out, err, width: Box::new(terminal_width), line: String::new() };
        Arc::new(Self(Mutex::new(streams)))
    }

    /// Gives writers to standard error, one for each log record, which must come in one piece.
    pub fn log_writers(self: &Arc<Self>) -> impl Fn() -> LogWriter + Send + Sync + 'static {
        let screen = Arc::clone(self);
        move || LogWriter(Arc::clone(&screen))
    }

    /// Whether the status line is drawn anew in its place, or written below the last one.
    pub(super) fn is_terminal(&self) -> bool {
        self.streams().out.is_terminal
    }

    /// Writes to standard output, above the status line.
    pub(super) fn print(&self, text: &str) {
        self.streams().above_line(|streams| streams.out.write(text.as_bytes()));
    }

    /// Puts `line` in the place of the last one, cut to the screen's width.
    pub(super) fn set_line(&self, line: &str) {
        let mut streams = self.streams();
        if streams.out.is_terminal {
            let width = (streams.width)().unwrap_or(usize::MAX);
            streams.line = line.chars().take(width).collect();
            let drawn = format!("{CLEAR_ROW}{}", streams.line);
            streams.out.write(drawn.as_bytes());
        } else {
            streams.out.write(format!("{line}\n").as_bytes());
        }
    }

    /// Leaves the line that stands where it is; what comes next is written below it.
    pub(super) fn leave_line(&self) {
        let mut streams = self.streams();
        if !streams.line.is_empty() {
            streams.line.clear();
            streams.out.write(b"\n");
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Streams {
    fn above_line(&mut self, write: impl FnOnce(&mut Self)) {
        if self.line.is_empty() {
            return write(self);
        }
        self.out.write(CLEAR_ROW.as_bytes());
        write(self);
        self.out.write(self.line.as_bytes());
    }
}

impl Stream {
    /// A closed pipe is no reason to stop following the stream of events, and there is nobody left to tell.
    fn write(&mut self, bytes: &[u8]) {
        let _ = self.to.write_all(bytes).and_then(|()| self.to.flush());
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

/// Brings one log record to standard error, above the status line.
#[derive(Debug)]
pub struct LogWriter(Arc<Screen>);

impl Write for LogWriter {
    fn write(&mut self, record: &[u8]) -> std::io::Result<usize> {
        let mut streams = self.0.streams();
        if streams.err.is_terminal {
            streams.above_line(|streams| streams.err.write(record));
        } else {
            streams.err.write(record);
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What both streams received, in its order.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<u8>>>);

    impl Write for Seen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A screen of 20 columns; which of its two streams are terminals.
    fn screen(out: bool, err: bool) -> (Arc<Screen>, Seen) {
        let seen = Seen::default();
        let stream = |is_terminal| Stream { to: Box::new(seen.clone()), is_terminal };
        let streams = Streams { out: stream(out), err: stream(err), width: Box::new(|| Some(20)), line: String::new() };
        (Arc::new(Screen(Mutex::new(streams))), seen)
    }

    fn check_seen(seen: &Seen, expect: &str) {
        assert_eq!(String::from_utf8(std::mem::take(&mut *seen.0.lock().unwrap())).unwrap(), expect);
    }

    #[test]
    fn a_log_record_never_shares_a_row_with_the_line() {
        let (screen, seen) = screen(true, true);
        screen.set_line("1 event/s");
        check_seen(&seen, "\r\x1b[2K1 event/s");
        screen.log_writers()().write_all(b"WARN no stream\n").unwrap();
        check_seen(&seen, "\r\x1b[2KWARN no stream\n1 event/s");
        screen.print("LIVE\n");
        check_seen(&seen, "\r\x1b[2KLIVE\n1 event/s");
        screen.leave_line();
        screen.log_writers()().write_all(b"INFO ended\n").unwrap();
        check_seen(&seen, "\nINFO ended\n");
    }

    #[test]
    fn the_line_fits_in_one_row() {
        let (screen, seen) = screen(true, true);
        screen.set_line("12345678901234567890 and more");
        check_seen(&seen, "\r\x1b[2K12345678901234567890");
    }

    #[test]
    fn what_is_no_terminal_gets_whole_lines_and_no_escapes() {
        let (screen, seen) = screen(false, true);
        screen.set_line("12345678901234567890 and more");
        screen.log_writers()().write_all(b"WARN\n").unwrap();
        screen.leave_line();
        check_seen(&seen, "12345678901234567890 and more\nWARN\n");
    }

    #[test]
    fn logs_that_go_elsewhere_leave_the_line_alone() {
        let (screen, seen) = self::screen(true, false);
        screen.set_line("1 event/s");
        screen.log_writers()().write_all(b"WARN\n").unwrap();
        check_seen(&seen, "\r\x1b[2K1 event/sWARN\n");
    }
}
