//! Some of all cells, where the rest says the same: for every day, and for a second engine.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cell;

/// Cells for every day: all but two of three in which it fails to read a list, once or from some request on, and but every other one in which
/// what comes has not the form of an answer. Which failure it is matters where the answer is read, and each is played with every other source,
/// always; when it comes matters behind that, and is played with each source and one failure of three, with others at the next source. What an
/// answer does not show as a failure comes at every time, and so does what is known not to hold.
pub(super) fn usual(cells: Vec<Cell>, known: &BTreeSet<&str>) -> Vec<Cell> {
    let mut failures = (0..3).cycle();
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    let mut comes = |cell: &Cell| match cell {
        Cell { fails_later: true, .. } => failures.next() == Some(0),
        Cell { is_no_answer: true, .. } => {
            // what one source is spared comes with the next
            let begins = turns.len();
            let turn = turns.entry(cell.parts()[0].to_owned()).or_insert(begins);
            *turn += 1;
            turn.is_multiple_of(2)
        }
        _ => true,
    };
    cells.into_iter().filter(|cell| comes(cell) || known.contains(&*cell.name())).collect()
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
    fn on_every_day_each_source_and_each_fault_has_each_time_and_each_failure_comes_with_a_third_of_the_sources() {
        let all = all();
        let usual = usual(all.clone(), &BTreeSet::new());
        for parts in [[0, 2], [1, 2]] {
            assert_eq!(of(&usual, &parts), of(&all, &parts));
        }
        let those = |cells: &[Cell], is_no_answer| -> Vec<Cell> {
            cells.iter().filter(|cell| cell.is_no_answer == is_no_answer).cloned().collect()
        };
        assert_eq!(those(&usual, false).len(), those(&all, false).len(), "what may pass for an answer");
        let sources = |cells: &[Cell], fault: &[String]| -> usize {
            of(&those(cells, true), &[1, 0]).iter().filter(|pair| pair[..1] == *fault).count()
        };
        for fault in of(&those(&all, true), &[1]) {
            let (some, all) = (sources(&usual, &fault), sources(&all, &fault));
            assert!(some * 3 >= all, "{fault:?}: {some} of {all}");
        }
        assert!(usual.len() < all.len() * 3 / 4, "{} of {}", usual.len(), all.len());
    }

    #[test]
    fn what_is_known_not_to_hold_comes_on_every_day() {
        let all = all();
        let names: Vec<String> = all.iter().map(Cell::name).collect();
        let known = names.iter().map(String::as_str).collect();
        assert_eq!(usual(all.clone(), &known).len(), all.len());
    }
}
