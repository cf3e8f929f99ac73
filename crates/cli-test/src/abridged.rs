//! Reports as a snapshot shows them.

/// The JSON report with the first item of each list of evidence or logins, and how many follow: what they have in common is the
/// subject of a snapshot, and the rest is for [`crate::assert_keeps`].
pub fn abridged(report: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = report.lines();
    while let Some(line) = lines.next() {
        kept.push(line.to_owned());
        if line.ends_with('[') && !STAYS.iter().any(|name| line.trim_start().starts_with(name)) {
            let closing = format!("{}]", indent(line));
            let mut items: Vec<&str> = Vec::new();
            let end = lines.by_ref().find(|line| {
                let is_end = line.trim_end_matches(',') == closing;
                items.extend((!is_end).then_some(*line));
                is_end
            });
            abridge(&items, &mut kept);
            kept.extend(end.map(str::to_owned));
        }
    }
    kept.join("\n") + "\n"
}

/// Lists that are the report itself.
const STAYS: [&str; 3] = ["\"findings\"", "\"gaps\"", "\"actions\""];

fn abridge(items: &[&str], kept: &mut Vec<String>) {
    let Some(margin) = items.first().map(|first| indent(first)) else { return };
    let ends = |line: &&&str| indent(line) == margin && !line.trim_start().ends_with('{');
    let count = items.iter().filter(ends).count();
    let first = items.iter().position(|line| ends(&line)).map_or(items.len(), |last| last + 1);
    if count <= 2 || !items[0].ends_with('{') {
        kept.extend(items.iter().map(|line| (*line).to_owned()));
        return;
    }
    kept.extend(items[..first].iter().map(|line| (*line).to_owned()));
    kept.push(format!("{margin}… {} more", count - 1));
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_lists_of_objects_are_cut_and_nothing_else() {
        let report = json!({
            "findings": [{ "evidence": [{ "event": 1 }, { "event": 2 }, { "event": 3 }], "reasons": ["a", "b", "c"] }],
            "gaps": [{}, {}, {}],
            "logins": { "anna": [{ "at": 1 }, { "at": 2 }] },
            "none": [],
        });
        let report = serde_json::to_string_pretty(&report).unwrap();
        let cut = abridged(&report);
        assert!(cut.contains("          \"event\": 1\n        },\n        … 2 more\n      ]"), "{cut}");
        let lost: Vec<&str> = report.lines().filter(|line| !cut.lines().any(|kept| kept == *line)).collect();
        assert_eq!(lost, ["          \"event\": 2", "          \"event\": 3", "        }"]);
    }
}
