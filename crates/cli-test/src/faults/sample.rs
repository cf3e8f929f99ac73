//! Few of all cells, for a second engine: what differs between engines does not hang on each pair of a fault and a source.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cell;

/// Cells in which each source, each fault and each time comes at least once: for each fault the one whose source and time have come least
/// by then, and one more for whatever has not come at all.
pub(super) fn sample(cells: &[Cell]) -> Vec<Cell> {
    const SOURCE: usize = 0;
    const FAULT: usize = 1;
    const WHEN: usize = 2;
    let mut times: [BTreeMap<&str, usize>; 3] = Default::default();
    let mut sample = Vec::new();
    for part in [FAULT, SOURCE, WHEN] {
        for wanted in cells.iter().map(|cell| cell.parts()[part]).collect::<BTreeSet<_>>() {
            if times[part].contains_key(wanted) {
                continue;
            }
            let rank = |cell: &&Cell| {
                let of = |part: usize| times[part].get(cell.parts()[part]).copied().unwrap_or_default();
                (of(SOURCE), of(WHEN))
            };
            let Some(cell) = cells.iter().filter(|cell| cell.parts()[part] == wanted).min_by_key(rank) else {
                continue;
            };
            for (times, name) in times.iter_mut().zip(cell.parts()) {
                *times.entry(name).or_default() += 1;
            }
            sample.push(cell.clone());
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use portal_sim::RequestLine;

    use super::super::cells::{ON_SERVER, cells};
    use super::*;

    #[test]
    fn everything_comes_at_least_once() {
        let long = ["security/audit/events/filter", "security/audit/login/filter", "files/rooms", "files/71/log"];
        let short = ["people/@self", "settings", "portal/quota", "keys/@self"];
        let asked = |path: &str| RequestLine {
            method: "GET".to_owned(),
            target: format!("/api/2.0/{path}?count=100"),
            status: 200,
            bytes: 0,
            forbidden_fields: false,
        };
        let asked: Vec<RequestLine> =
            long.iter().flat_map(|path| [asked(path), asked(path), asked(path)]).chain(short.map(asked)).collect();
        let all = cells(&asked, ON_SERVER);
        let sample = sample(&all);
        for part in 0..3 {
            let of = |cells: &[Cell]| -> BTreeSet<String> {
                cells.iter().map(|cell| cell.parts()[part].to_owned()).collect()
            };
            assert_eq!(of(&sample), of(&all));
        }
        assert!(sample.len() < all.len() / 5, "{} of {}", sample.len(), all.len());
    }
}
