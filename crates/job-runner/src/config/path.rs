//! Paths in settings.

use std::path::{Path, PathBuf};

use figment::value::magic::RelativePathBuf;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path from a setting. A relative one in a file is resolved against that file's folder, because cron chooses the
/// working directory; elsewhere it is kept as it is. Text with `://` in it is no path and kept as well, and so is an empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSetting(PathBuf);

impl PathSetting {
    /// The resolved path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl<P: Into<PathBuf>> From<P> for PathSetting {
    fn from(path: P) -> Self {
        Self(path.into())
    }
}

impl Serialize for PathSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PathSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = RelativePathBuf::deserialize(deserializer)?;
        let is_no_path = path.original().to_str().is_some_and(|text| text.is_empty() || text.contains("://"));
        Ok(Self(if is_no_path { path.original().to_owned() } else { path.relative() }))
    }
}
