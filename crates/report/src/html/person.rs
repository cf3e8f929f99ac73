//! One line per person: how urgent, who, what and where, what to do. Reasons and evidence are folded.

use super::blocks::titled;
use super::{Clock, Markup};
use crate::words;
use crate::{Line, PersonLine, line};

pub(super) fn person(page: &mut Markup, person: &PersonLine, clock: Clock) {
    let severity = person.severity.name();
    page.tag("article", &[("class", &format!("person {severity}"))], |page| {
        page.tag("div", &[("class", "row")], |page| {
            page.tag("p", &[("class", "severity")], |page| {
                page.tag("span", &[("class", "badge")], |page| page.text(words::severity(person.severity)));
                if let Some(state) = person.state.map(words::state).filter(|state| !state.is_empty()) {
                    page.tag("span", &[("class", "state")], |page| page.text(state));
                }
            });
            page.tag("div", &[("class", "who")], |page| who(page, person));
            page.tag("div", &[("class", "what")], |page| what(page, person, clock));
            page.tag("div", &[("class", "to-do")], |page| what_to_do(page, person));
        });
        if !(person.facts.is_empty() && person.details.is_empty() && person.matter.is_none()) {
            page.tag("details", &[], |page| {
                page.tag("summary", &[], |page| {
                    page.text("Reasons and evidence");
                    let name = Line::from(" about ").and(person.who.shown_name());
                    page.tag("span", &[("class", "unseen-text")], |page| page.line(&name));
                });
                page.tag("div", &[("class", "folded")], |page| proof(page, person, clock));
            });
        }
    });
}

fn who(page: &mut Markup, person: &PersonLine) {
    let who = &person.who;
    page.tag("h3", &[], |page| match &who.page {
        Some(url) => page.link(who.shown_name(), url),
        None => page.line(&who.shown_name()),
    });
    if let Some(email) = &who.email {
        page.line_in("p", &[("class", "email")], Line::name(email));
    }
    if let Some(remark) = &who.remark {
        page.line_in("p", &[("class", "remark")], remark.clone());
    }
}

fn what(page: &mut Markup, person: &PersonLine, clock: Clock) {
    page.line_in("p", &[("class", "reason")], person.what.clone().capitalised());
    page.tag("dl", &[], |page| {
        let mut fact = |name: &'static str, inside: &dyn Fn(&mut Markup)| {
            page.tag("div", &[], |page| {
                page.line_in("dt", &[], name);
                page.tag("dd", &[], inside);
            });
        };
        if let Some(place) = &person.place {
            fact("Where", &|page| match &place.page {
                Some(url) => page.link(place.line(), url),
                None => page.line(&place.line()),
            });
        }
        if !person.how_much.is_empty() {
            fact("How much", &|page| page.line(&person.how_much));
        }
        let only = person.first.filter(|_| person.first == person.last);
        if let Some(when) = only {
            return fact("When", &|page| page.instant(when, clock));
        }
        if let Some(first) = person.first {
            fact("Since", &|page| page.instant(first, clock));
        }
        if let Some(last) = person.last {
            fact("Last", &|page| page.instant(last, clock));
        }
    });
}

fn what_to_do(page: &mut Markup, person: &PersonLine) {
    match person.what_to_do.as_slice() {
        [] => {}
        [only] => {
            page.line_in("p", &[("class", "label")], "What to do");
            page.line_in("p", &[], only.clone().capitalised());
        }
        steps => {
            page.line_in("p", &[("class", "label")], "What to do");
            page.tag("ul", &[], |page| {
                steps.iter().for_each(|step| page.line_in("li", &[], step.clone().capitalised()));
            });
        }
    }
    for link in &person.links {
        page.tag("p", &[("class", "page")], |page| page.link(link.label.clone(), &link.url));
    }
}

fn proof(page: &mut Markup, person: &PersonLine, clock: Clock) {
    if !person.facts.is_empty() {
        page.tag("ul", &[], |page| {
            person.facts.iter().for_each(|fact| page.line_in("li", &[], fact.clone().capitalised()));
        });
    }
    if let Some(matter) = &person.matter {
        page.line_in("p", &[("class", "label")], line!["Matter ", matter.as_str()]);
    }
    for details in &person.details {
        page.line_in("p", &[("class", "label")], details.summary.clone());
        titled(page, &details.blocks, &details.summary, clock);
    }
}
