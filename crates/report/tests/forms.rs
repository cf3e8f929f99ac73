//! What readers get, in every form and every situation.

mod common;

use report::{Document, Form};

fn rendered(document: &Document, form: Form) -> String {
    String::from_utf8(form.render(document)).unwrap()
}

fn snapshots(name: &str, document: &Document) {
    for (form, ending) in [(Form::Text, "text"), (Form::Csv, "csv"), (Form::Json, "json")] {
        insta::assert_snapshot!(format!("{name}_{ending}"), rendered(document, form));
    }
    // the style sheet stands in the repository already
    let page = rendered(document, Form::Html);
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    insta::assert_snapshot!(format!("{name}_html"), format!("{head}<style></style>{body}"));
}

#[test]
fn quiet_and_complete() {
    snapshots("quiet", &common::quiet());
}

#[test]
fn findings_with_hostile_names() {
    snapshots("findings", &common::findings());
}

#[test]
fn incomplete_with_many_gaps() {
    snapshots("incomplete", &common::incomplete());
}

#[test]
fn nothing_could_be_concluded() {
    snapshots("nothing", &common::nothing());
}
