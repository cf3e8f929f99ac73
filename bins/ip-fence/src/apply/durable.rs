//! Whether what is written to a folder is there after a restart of the machine.

use std::path::Path;

/// Why the journal must not be kept there; `None`: it may.
pub(crate) fn trouble(store: &Path) -> Option<String> {
    // a server keeps what it takes, and tests keep their folders where there is room
    if !store.exists() || super::portal::pace() > 1 {
        return None;
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let store = store.canonicalize().ok()?;
    let kind = file_system(&mounts, &store)?;
    ["tmpfs", "ramfs"].contains(&kind).then(|| {
        format!(
            "the store {} is in memory ({kind}), so a restart would forget what is to be taken back",
            store.display()
        )
    })
}

/// The kind of file system on which a path is: that of the longest mount point above it, the last of equals.
fn file_system<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let above = mounted.filter(|(point, _)| path.starts_with(point));
    above.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_point_counts() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/sdb /run/kept ext4 rw 0 0\n";
        for (path, kind) in [
            ("/var/lib/x.sqlite", "ext4"),
            ("/run/x.sqlite", "tmpfs"),
            ("/run/kept/x.sqlite", "ext4"),
            ("/runs/x", "ext4"),
        ] {
            assert_eq!(file_system(mounts, Path::new(path)), Some(kind), "{path}");
        }
    }
}
