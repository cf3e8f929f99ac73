//! Some of all cells, where the rest says the same: for every day, and for a second engine.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cell;

/// Cells for every day: all but two of three in which it fails to read a list, once or from some request on. Which failure it is matters
/// where the answer is read, and each is played with each source, always; when it comes matters behind that, and is played with each source
/// and one failure of three, with others at the next source. What an answer does not show as a failure comes at every time, and so does
/// what is known not to hold.
pub(super) fn usual(cells: Vec<Cell>, known: &BTreeSet<&str>) -> Vec<Cell> {
    let mut failures = (0..3).cycle();
    let mut comes = |cell: &Cell| !cell.fails_later || failures.next() == Some(0) || known.contains(&*cell.name());
    cells.into_iter().filter(|cell| comes(cell)).collect()
}

/// Cells in which each source, each fault and each time comes at least once, for a second engine: what differs between engines does not
/// hang on each pair of a fault and a source. For each fault it is the one whose source and time have come least by then, and one more for
/// whatever has not come at all.
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

    fn all() -> Vec<Cell> {
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
        cells(&asked, ON_SERVER)
    }

    /// What there is of these parts of cells.
    fn of(cells: &[Cell], parts: &[usize]) -> BTreeSet<Vec<String>> {
        cells.iter().map(|cell| parts.iter().map(|&part| cell.parts()[part].to_owned()).collect()).collect()
    }

    #[test]
    fn everything_comes_at_least_once() {
        let all = all();
        let sample = sample(&all);
        for part in 0..3 {
            assert_eq!(of(&sample, &[part]), of(&all, &[part]));
        }
        assert!(sample.len() < all.len() / 5, "{} of {}", sample.len(), all.len());
    }

    #[test]
    fn on_every_day_each_source_has_each_fault_and_each_time_and_each_fault_has_each_time() {
        let all = all();
        let usual = usual(all.clone(), &BTreeSet::new());
        for parts in [[0, 1], [0, 2], [1, 2]] {
            assert_eq!(of(&usual, &parts), of(&all, &parts));
        }
        let others = |cells: &[Cell]| cells.iter().filter(|cell| !cell.fails_later).count();
        assert_eq!(others(&usual), others(&all));
        assert!(usual.len() < all.len() * 9 / 10, "{} of {}", usual.len(), all.len());
    }

    #[test]
    fn what_is_known_not_to_hold_comes_on_every_day() {
        let all = all();
        let names: Vec<String> = all.iter().map(Cell::name).collect();
        let known = names.iter().map(String::as_str).collect();
        assert_eq!(usual(all.clone(), &known).len(), all.len());
    }
}
