//! Names and titles that try to be something else.

use std::fs;

use super::Program;
use crate::faults::hostile_world;

impl Program {
    /// What people gave themselves for a name commands no terminal, no browser and no spreadsheet; JSON has it as it is.
    pub async fn hostile_names(&self) {
        let setting = self.setting(hostile_world()).await;
        let files = ["whole.html", "whole.csv", "whole.txt", "whole.json"];
        let flags: Vec<&str> = files.iter().flat_map(|file| ["--report", file]).collect();
        let ended = self.run(&setting, &flags).await;
        assert_eq!(ended.exit, 0, "{}", ended.stderr);
        let [page, table, text, data] = files.map(|file| fs::read_to_string(setting.state.path().join(file)).unwrap());
        for (form, text) in
            [("stdout", &ended.stdout), ("stderr", &ended.stderr), ("page", &page), ("table", &table), ("text", &text)]
        {
            assert_eq!(text.replace("\r\n", "\n").chars().find(|c| commands(*c)), None, "{form}: {text:?}");
        }
        for tag in ["<script", "<img"] {
            assert!(!page.contains(tag), "{tag} in {page}");
        }
        let is_formula = |cell: &str| cell.starts_with(['=', '+', '@', '-']) && cell.parse::<f64>().is_err();
        let cells = table.lines().flat_map(|row| row.split([',', ';'])).map(|cell| cell.trim_start_matches('"'));
        assert_eq!(cells.filter(|cell| is_formula(cell)).collect::<Vec<_>>(), [""; 0]);
        assert!(page.contains("&lt;script&gt;"), "nobody hostile is named: {page}");
        crate::assert_keeps(&self.schema(), &data);
    }
}

/// Characters that move the cursor, or the text behind them.
fn commands(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
}
