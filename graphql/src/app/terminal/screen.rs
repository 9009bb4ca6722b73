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

/// Which of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Out,
    Err,
}

struct Streams {
    out: Stream,
    err: Stream,
    /// Which of them has the status line.
    line_on: Channel,
    /// Columns; none where it is not known.
    width: Box<dyn Fn() -> Option<usize> + Send>,
    /// The status line that stands, as drawn; empty when there is none.
    line: String,
}

impl Screen {
    /// This process's, with the status line on standard output.
    pub fn of_process() -> Arc<Self> {
        Self::with_line_on(Channel::Out)
    }

    /// This process's, with the status line on standard error: what goes to standard output is an answer.
    pub fn of_process_that_answers() -> Arc<Self> {
        Self::with_line_on(Channel::Err)
    }

    fn with_line_on(line_on: Channel) -> Arc<Self> {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let out = Stream { is_terminal: out.is_terminal(), to: Box::new(out) };
        let err = Stream { is_terminal: err.is_terminal(), to: Box::new(err) };
        let width =
            move || if line_on == Channel::Out { width_of(std::io::stdout()) } else { width_of(std::io::stderr()) };
        let streams = Streams { out, err, line_on, width: Box::new(width), line: String::new() };
        Arc::new(Self(Mutex::new(streams)))
    }

    /// Gives writers to standard error, one for each log record, which must come in one piece.
    pub fn log_writers(self: &Arc<Self>) -> impl Fn() -> LogWriter + Send + Sync + 'static {
        let screen = Arc::clone(self);
        move || LogWriter(Arc::clone(&screen))
    }

    /// Whether the status line is drawn anew in its place, or written below the last one.
    pub(in crate::app) fn is_terminal(&self) -> bool {
        self.streams().line().is_terminal
    }

    /// Whether standard output is read as it comes, by a person.
    pub(in crate::app) fn is_read(&self) -> bool {
        self.streams().out.is_terminal
    }

    /// Writes to standard output, above the status line.
    pub(in crate::app) fn print(&self, text: &str) {
        self.streams().write(Channel::Out, text.as_bytes());
    }

    /// Puts `line` in the place of the last one, cut to the screen's width.
    pub(in crate::app) fn set_line(&self, line: &str) {
        let mut streams = self.streams();
        if streams.line().is_terminal {
            let width = (streams.width)().unwrap_or(usize::MAX);
            streams.line = line.chars().take(width).collect();
            let drawn = format!("{CLEAR_ROW}{}", streams.line);
            streams.line().write(drawn.as_bytes());
        } else {
            streams.line().write(format!("{line}\n").as_bytes());
        }
    }

    /// Leaves the line that stands where it is; what comes next is written below it.
    pub(in crate::app) fn leave_line(&self) {
        let mut streams = self.streams();
        if !streams.line.is_empty() {
            streams.line.clear();
            streams.line().write(b"\n");
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Streams {
    /// The stream that has the status line.
    fn line(&mut self) -> &mut Stream {
        self.stream(self.line_on)
    }

    fn stream(&mut self, channel: Channel) -> &mut Stream {
        if channel == Channel::Out { &mut self.out } else { &mut self.err }
    }

    /// Writes above the status line where it would be seen beside it.
    fn write(&mut self, to: Channel, bytes: &[u8]) {
        if self.line.is_empty() || !self.stream(to).is_terminal {
            return self.stream(to).write(bytes);
        }
        self.line().write(CLEAR_ROW.as_bytes());
        self.stream(to).write(bytes);
        let line = std::mem::take(&mut self.line);
        self.line().write(line.as_bytes());
        self.line = line;
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
        self.0.streams().write(Channel::Err, record);
        Ok(record.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn width_of(terminal: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
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
        screen_of(out, err, Channel::Out)
    }

    fn screen_of(out: bool, err: bool, line_on: Channel) -> (Arc<Screen>, Seen) {
        let seen = Seen::default();
        let stream = |is_terminal| Stream { to: Box::new(seen.clone()), is_terminal };
        let (out, err) = (stream(out), stream(err));
        let streams = Streams { out, err, line_on, width: Box::new(|| Some(20)), line: String::new() };
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

    #[test]
    fn answers_stand_above_a_line_on_standard_error_and_go_to_a_pipe_alone() {
        let (screen, seen) = screen_of(true, true, Channel::Err);
        screen.set_line("3 %");
        screen.print("differs\n");
        check_seen(&seen, "\r\x1b[2K3 %\r\x1b[2Kdiffers\n3 %");
        let (screen, seen) = screen_of(false, true, Channel::Err);
        screen.set_line("3 %");
        screen.print("differs\n");
        screen.log_writers()().write_all(b"WARN\n").unwrap();
        check_seen(&seen, "\r\x1b[2K3 %differs\n\r\x1b[2KWARN\n3 %");
    }
}
