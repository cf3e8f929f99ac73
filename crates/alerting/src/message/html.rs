//! The message as a page for mail clients: tables and inline styles, because many drop everything else.

use audit_model::PortalText;
use report::words::sentence;

use super::{Fact, Message};

const STYLE: &str = "body{margin:0;padding:16px;background:#ffffff;color:#1b1f23}\
.box{max-width:600px;margin:0 auto;font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\
h1{font-size:20px;line-height:1.3;margin:0 0 12px}h2{font-size:16px;margin:16px 0 4px}ul{margin:0;padding-left:20px}\
table{width:100%;border-collapse:collapse;margin-top:16px}\
th,td{text-align:left;vertical-align:top;padding:4px 8px 4px 0;border-bottom:1px solid #d0d7de}th{width:30%;font-weight:600}\
a{color:#0b57d0}code{font-family:ui-monospace,monospace;font-size:.95em}.small{font-size:13px;color:#57606a;margin-top:16px}\
@media (prefers-color-scheme:dark){body{background:#16191d;color:#e6e8ea}th,td{border-color:#3a4046}a{color:#8ab4f8}.small{color:#a9b1b9}}";

pub(super) fn page(message: &Message) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title><style>{STYLE}</style></head>\n<body><div class=\"box\">\n",
        message.language.code(),
        escaped(&message.subject),
    );
    page.push_str(&format!("<h1>{}</h1>\n<h2>{}</h2>\n<ul>", escaped(&message.title), message.heading));
    message.what_to_do.iter().for_each(|step| page.push_str(&format!("<li>{}</li>", with_code(&sentence(step)))));
    page.push_str("</ul>\n<table>\n");
    for Fact { label, value } in &message.facts {
        page.push_str(&format!("<tr><th scope=\"row\">{label}</th><td>{}</td></tr>\n", escaped(value)));
    }
    page.push_str("</table>\n<p>");
    let links: Vec<String> = message
        .links
        .iter()
        .map(|(label, target)| format!("<a href=\"{}\">{}</a>", escaped(target.as_str()), escaped(label)))
        .collect();
    page.push_str(&format!("{}</p>\n<p class=\"small\">{}</p>\n", links.join(" · "), escaped(&message.footer)));
    page.push_str("</div></body></html>\n");
    page
}

/// What stands between backticks as code, as the pages of reports show it.
fn with_code(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, code, after)) = quoted(rest) {
        shown.push_str(&format!("{}<code>{}</code>", escaped(before), escaped(code)));
        rest = after;
    }
    shown + &escaped(rest)
}

/// What stands before the first text in backticks, that text, and what stands behind it.
fn quoted(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

fn escaped(text: &str) -> String {
    PortalText::new(text).for_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_code_and_nothing_in_them_is_markup() {
        assert_eq!(
            with_code("run `bulk-guard release \"<b>\"` now, or `status`; it`s"),
            "run <code>bulk-guard release &quot;&lt;b&gt;&quot;</code> now, or <code>status</code>; it`s"
        );
    }
}
