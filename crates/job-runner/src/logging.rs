//! The log: on stderr only, because stdout is the report. What is logged is left to whoever logs; that each event is one line of
//! bounded length is seen to here, because part of it may come from a server.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};

use audit_model::PortalText;
use tracing::field::Field;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{FormatFields, Writer, debug_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::Error;
use crate::environment::Environment;
use crate::failures::Gate;

/// Libraries whose `info` and `debug` explain them and not this run. They stay at `warn`, whatever `-v` says.
const NOISY: [&str; 8] = ["h2", "hyper", "hyper_util", "mio", "reqwest", "rustls", "tokio", "want"];

/// Says in words of its own, and for each try, what our errors say once: that a certificate is not accepted.
const NEVER: &str = "rustls_platform_verifier=off";

/// How much of the log is sent along when a run fails: what the receiver of a heartbeat keeps.
const TAIL_BYTES: usize = 10_000;

/// Longer texts are cut: a server can answer anything, and cron mails it.
const LONGEST_TEXT: usize = 1_000;

/// The log of this process. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Its last lines.
    pub tail: LogTail,
    pub(crate) gate: Gate,
}

/// The last lines of the log, `info` included, whatever stderr shows. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct LogTail(Arc<Mutex<VecDeque<u8>>>);

impl LogTail {
    /// The last lines, at most 10 kB, oldest first.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = if bytes.len() < TAIL_BYTES { None } else { bytes.iter().position(|&byte| byte == b'\n') };
        let whole_lines: Vec<u8> = bytes.iter().copied().skip(cut.map_or(0, |end| end + 1)).collect();
        String::from_utf8_lossy(&whole_lines).into_owned()
    }
}

impl io::Write for LogTail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(bytes);
        let too_many = kept.len().saturating_sub(TAIL_BYTES);
        kept.drain(..too_many);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the log of this process: `warn` by default, `info` and `debug` with `-v` and `-vv`, `error` with `-q`;
/// `RUST_LOG` wins over all. Instants are UTC. Colour only on a terminal, and never with `NO_COLOR`.
///
/// # Errors
/// `RUST_LOG` is no filter, or the process has a log already.
pub fn init(verbose: u8, quiet: bool, environment: &Environment) -> Result<Log, Error> {
    let rust_log = environment.get("RUST_LOG");
    let filter = filter(verbose, quiet, rust_log)?;
    let is_terminal = io::stderr().is_terminal();
    let colour = is_terminal && environment.get("NO_COLOR").is_none();
    let is_watched = is_terminal || verbose > 0 || rust_log.is_some();
    let log = Log { tail: LogTail::default(), gate: if is_watched { Gate::watched() } else { Gate::default() } };
    subscriber(filter, colour, Stderr(log.gate.clone()), log.tail.clone()).try_init().map_err(Error::LogTwice)?;
    Ok(log)
}

/// Stderr behind the gate.
struct Stderr(Gate);

impl<'w> MakeWriter<'w> for Stderr {
    type Writer = Line;

    fn make_writer(&'w self) -> Line {
        Line { gate: self.0.clone(), level: Level::ERROR }
    }

    fn make_writer_for(&'w self, metadata: &Metadata<'_>) -> Line {
        Line { gate: self.0.clone(), level: *metadata.level() }
    }
}

/// One line on its way to stderr. The formatter writes it in one piece.
struct Line {
    gate: Gate,
    level: Level,
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gate.lets_through(self.level, &String::from_utf8_lossy(bytes)) {
            io::stderr().write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn filter(verbose: u8, quiet: bool, rust_log: Option<&str>) -> Result<EnvFilter, Error> {
    let directives = match (rust_log, quiet, verbose) {
        (Some(text), ..) => text.to_owned(),
        (None, true, _) => format!("error,{NEVER}"),
        (None, false, 0) => format!("warn,{NEVER}"),
        (None, false, 1) => without_noise("info"),
        (None, false, _) => without_noise("debug"),
    };
    EnvFilter::try_new(directives).map_err(Error::LogFilter)
}

fn without_noise(level: &str) -> String {
    NOISY.iter().fold(format!("{level},{NEVER}"), |directives, library| format!("{directives},{library}=warn"))
}

fn subscriber<W>(filter: EnvFilter, colour: bool, writer: W, tail: LogTail) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let shown = fmt::layer().compact().with_target(false).with_ansi(colour).fmt_fields(one_line()).with_writer(writer);
    let shown = shown.with_filter(filter);
    let kept = fmt::layer().compact().with_target(false).with_ansi(false).fmt_fields(one_line());
    let kept = kept.with_writer(move || tail.clone());
    tracing_subscriber::registry().with(shown).with(kept.with_filter(EnvFilter::new(without_noise("info"))))
}

/// Message and fields, none of which can begin a line of its own or act on a terminal.
fn one_line() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    let write = |writer: &mut Writer<'_>, field: &Field, value: &dyn std::fmt::Debug| {
        let text = PortalText::new(format!("{value:?}")).for_terminal_within(LONGEST_TEXT);
        if field.name() == "message" { write!(writer, "{text}") } else { write!(writer, "{}={text}", field.name()) }
    };
    debug_fn(write).delimited(" ")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing::{debug, error, info, warn};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What arrives of one line per level from this program and two from a library.
    fn logged(verbose: u8, quiet: bool, rust_log: Option<&str>) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let log =
            subscriber(filter(verbose, quiet, rust_log).unwrap(), false, move || writer.clone(), LogTail::default());
        tracing::subscriber::with_default(log, || {
            error!("own-error");
            warn!(run.rows = 3, "own-warn");
            info!("own-info");
            debug!("own-debug");
            warn!(target: "hyper_util::client", "library-warn");
            debug!(target: "hyper_util::client", "library-debug");
            error!(target: "rustls_platform_verifier::verification::others", "certificate-error");
        });
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn levels() {
        let words = ["own-error", "own-warn", "own-info", "own-debug", "library-warn", "library-debug"];
        for (verbose, quiet, rust_log, expected) in [
            (0, false, None, [true, true, false, false, true, false]),
            (1, false, None, [true, true, true, false, true, false]),
            (2, false, None, [true, true, true, true, true, false]),
            (5, false, None, [true, true, true, true, true, false]),
            (0, true, None, [true, false, false, false, false, false]),
            (0, true, Some("debug"), [true, true, true, true, true, true]),
            (2, false, Some("error"), [true, false, false, false, false, false]),
        ] {
            let log = logged(verbose, quiet, rust_log);
            assert_eq!(words.map(|word| log.contains(word)), expected, "{verbose} {quiet} {rust_log:?}\n{log}");
            assert_eq!(log.contains("certificate-error"), rust_log.is_some(), "{verbose} {quiet} {rust_log:?}\n{log}");
        }
    }

    #[test]
    fn a_line_has_a_utc_time_and_fields_but_neither_colour_nor_target() {
        let log = logged(0, false, None);
        let line = log.lines().find(|line| line.contains("own-warn")).unwrap();
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{line}");
        assert_eq!(rest.trim_start(), "WARN own-warn run.rows=3");
    }

    #[test]
    fn an_event_is_one_line_of_bounded_length_whatever_a_server_says() {
        let (buffer, tail) = (Buffer::default(), LogTail::default());
        let writer = buffer.clone();
        let log = subscriber(filter(0, false, None).unwrap(), false, move || writer.clone(), tail.clone());
        let forged = "no\n2026-11-20T09:00:00Z ERROR forged\r\u{1b}[2J\u{202e}";
        tracing::subscriber::with_default(log, || {
            warn!(kind = forged, code = %forged, "it said {forged}{}", "x".repeat(5_000));
        });
        for text in [String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap(), tail.text()] {
            assert_eq!((text.lines().count(), text.matches("forged").count()), (1, 3), "{text}");
            assert!(!text.contains(['\r', '\u{1b}', '\u{202e}']) && text.len() < 2_000, "{text}");
        }
    }

    #[test]
    fn the_tail_holds_the_last_whole_lines_up_to_info() {
        let tail = LogTail::default();
        let log = subscriber(filter(0, true, None).unwrap(), false, io::sink, tail.clone());
        tracing::subscriber::with_default(log, || {
            info!("first");
            debug!("left out");
        });
        assert!(tail.text().contains("first") && !tail.text().contains("left out"), "{}", tail.text());
        for line in 0..1_000 {
            writeln!(tail.clone(), "line {line} of many").unwrap();
        }
        let text = tail.text();
        assert!(text.len() <= 10_000 && text.len() > 9_900, "{}", text.len());
        assert!(text.starts_with("line ") && text.ends_with("line 999 of many\n"), "{text}");
    }

    #[test]
    fn a_broken_rust_log_is_an_error() {
        assert!(matches!(filter(0, false, Some("a=b=c")), Err(Error::LogFilter(_))));
    }
}
