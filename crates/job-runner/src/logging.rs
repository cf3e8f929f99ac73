//! The log: on stderr only, because stdout is the report. What is logged is left to whoever logs.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::Error;
use crate::environment::Environment;

/// Libraries whose `info` and `debug` explain them and not this run. They stay at `warn`, whatever `-v` says.
const NOISY: [&str; 9] = ["h2", "hyper", "hyper_util", "mio", "reqwest", "rustls", "sqlx", "tokio", "want"];

/// Starts the log of this process: `warn` by default, `info` and `debug` with `-v` and `-vv`, `error` with `-q`;
/// `RUST_LOG` wins over all. Instants are UTC. Colour only on a terminal, and never with `NO_COLOR`.
///
/// # Errors
/// `RUST_LOG` is no filter, or the process has a log already.
pub fn init(verbose: u8, quiet: bool, environment: &Environment) -> Result<(), Error> {
    let filter = filter(verbose, quiet, environment.get("RUST_LOG"))?;
    let colour = io::stderr().is_terminal() && environment.get("NO_COLOR").is_none();
    subscriber(filter, colour, io::stderr).try_init().map_err(Error::LogTwice)
}

fn filter(verbose: u8, quiet: bool, rust_log: Option<&str>) -> Result<EnvFilter, Error> {
    let directives = match (rust_log, quiet, verbose) {
        (Some(text), ..) => text.to_owned(),
        (None, true, _) => "error".to_owned(),
        (None, false, 0) => "warn".to_owned(),
        (None, false, 1) => without_noise("info"),
        (None, false, _) => without_noise("debug"),
    };
    EnvFilter::try_new(directives).map_err(Error::LogFilter)
}

fn without_noise(level: &str) -> String {
    NOISY.iter().fold(level.to_owned(), |directives, library| format!("{directives},{library}=warn"))
}

fn subscriber<W>(filter: EnvFilter, colour: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    fmt().compact().with_target(false).with_ansi(colour).with_env_filter(filter).with_writer(writer).finish()
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
        let log = subscriber(filter(verbose, quiet, rust_log).unwrap(), false, move || writer.clone());
        tracing::subscriber::with_default(log, || {
            error!("own-error");
            warn!(run.rows = 3, "own-warn");
            info!("own-info");
            debug!("own-debug");
            warn!(target: "sqlx::query", "library-warn");
            debug!(target: "hyper_util::client", "library-debug");
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
    fn a_broken_rust_log_is_an_error() {
        assert!(matches!(filter(0, false, Some("a=b=c")), Err(Error::LogFilter(_))));
    }
}
