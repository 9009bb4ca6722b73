//! Starts the program in a folder of its own and hears what it says.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What cannot work must have been said by then.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// What is said at the start, with a keyspace to be made on a busy node.
const SAYS_WITHIN: Duration = Duration::from_secs(120);

/// A program that came to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs it in `folder` to its end; fails when that takes more than 15 s.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Ended {
    let mut running = Running::start(folder, args);
    let deadline = Instant::now() + ENDS_WITHIN;
    let (stdout, stderr) = (rest(&running.stdout, deadline), rest(&running.stderr, deadline));
    Ended { code: running.child.wait().unwrap().code(), stdout, stderr }
}

/// Runs it in a folder that must be empty then; the only line that it said, having ended with `code`.
pub(crate) fn last_word(args: &[&str], code: i32) -> String {
    let folder = TempDir::new().unwrap();
    let said = last_word_in(folder.path(), args, code);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{args:?} left something behind");
    said
}

/// The same in a folder that may hold something.
pub(crate) fn last_word_in(folder: &Path, args: &[&str], code: i32) -> String {
    let ended = run(folder, args);
    assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
    assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{args:?}: {ended:?}");
    ended.stderr
}

/// The program while it runs. Killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    /// Starts it in `folder`, with no setting from the environment.
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pagetrack"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PAGETRACK_")) {
            command.env_remove(name);
        }
        command.env_remove("NO_COLOR").args(args).current_dir(folder);
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program was built for this test");
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { stdout: lines(stdout), stderr: lines(stderr), child }
    }

    /// Its number for the system.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard output up to the first line with `word`.
    pub(crate) fn stdout_until(&self, word: &str) -> String {
        until(&self.stdout, word)
    }

    /// Standard error up to the first line with `word`.
    pub(crate) fn stderr_until(&self, word: &str) -> String {
        until(&self.stderr, word)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until(lines: &Receiver<String>, word: &str) -> String {
    let (deadline, mut said) = (Instant::now() + SAYS_WITHIN, String::new());
    while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        said = said + &line;
        if line.contains(word) {
            return said;
        }
    }
    panic!("{word:?} was not said: {said}");
}

/// Everything up to the end of the stream.
fn rest(lines: &Receiver<String>, deadline: Instant) -> String {
    let mut said = String::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => said += &line,
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return said,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it did not end in time; it said: {said}"),
        }
    }
}

/// The lines of a stream, with their ends, as they come.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = String::new();
            let read = reader.read_line(&mut line).expect("what it says is text");
            if read == 0 || send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}
