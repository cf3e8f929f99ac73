//! Alerts as lines of a file, for whatever collects logs on the machine.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use job_store::files;
use serde::Deserialize;

use super::Way;
use super::format::Format;
use super::kind::Kind;
use super::settings::read;
use crate::error::Error;

/// `kind = "file"`
pub(super) const KIND: Kind = Kind {
    name: "file",
    secrets: &[],
    keeps_open: true,
    check: |members| read::<Settings>(members).map(drop),
    build: |members, _, _| {
        let Settings { path, format } = read(members)?;
        Ok(Way::File(path, format))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The file; its folder must exist.
    path: PathBuf,
    #[serde(default)]
    format: Format,
}

/// Appends one line and waits until it is on the disk.
///
/// Blocks for the length of a small write and a sync, which the few alerts of a run can afford.
pub(crate) fn append(path: &Path, json: &str) -> Result<(), Error> {
    append_line(path, json).map_err(|source| Error::File { path: path.to_owned(), source })
}

fn append_line(path: &Path, json: &str) -> io::Result<()> {
    let mut file = files::open_append(path)?;

    let line_break = if ends_inside_a_line(&mut file)? { "\n" } else { "" };
    let line = format!("{line_break}{json}\n");
    // One write in append mode: lines of two programs never mix. What a full disk cuts off is not written later, because
    // another program's line may stand there by then.
    let written = file.write(line.as_bytes())?;
    if written < line.len() {
        return Err(io::Error::new(io::ErrorKind::WriteZero, "only part of the line could be written"));
    }
    file.sync_all()
}

fn ends_inside_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
