//! Finds members of rooms who do nothing there, reminds them, and tells the manager. See the README for operators.

mod body;
mod cli;
mod config;
mod doctor;
mod explain;
mod gather;
mod publish;
mod remind;
mod report;
mod rule;

use std::process::ExitCode;

use ::report::{Document, Line};
use audit_model::{MainSource, Source, Window};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_archive::Look;
use job_runner::exit::Exit;
use job_runner::{About, Check, Head, Job, Judgement, Program, Publishing, Question, Reached, Setup};

use crate::body::{Body, Report};
use crate::cli::{Command, Flags};
use crate::config::Config;
use crate::gather::Facts;

/// This program, as the runner sees it.
struct NudgeInactive;

impl Program for NudgeInactive {
    const ABOUT: About = About {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: "Finds members of rooms who do nothing there, reminds them, and tells the manager",
        report_version: 1,
        window: rule::WINDOW,
        main: MainSource::Audit,
        blind_spots: &rule::BLIND_SPOTS,
        judged_by: &[Source::Audit],
        schedule: "0 10 * * 2",
        // who is inactive is for the manager, in one report, and not an incident each
        sends_alerts: false,
    };

    type Flags = Flags;
    type Command = Command;
    type Config = Config;
    type Facts = Facts;
    type Detail = ();
    type Body = Body;

    /// The period before its end, whatever earlier runs have seen: a shorter one would call people inactive who are not.
    fn window(
        config: &Config,
        since: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        _zone: Tz,
    ) -> Result<Option<Window>, job_runner::Error> {
        let until = until.unwrap_or(now);
        Ok(Some(Window::new(since.unwrap_or(until - config.period()), until)))
    }

    async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
        gather::gather(config, job, look).await
    }

    fn judge(config: &Config, facts: Facts) -> Judgement<(), Body> {
        body::judge(config, facts)
    }

    fn unseen(config: &Config, _head: &Head) -> Body {
        Body::unseen(config)
    }

    async fn act(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
        remind::act(config, job, report).await
    }

    async fn publish(config: &Config, publishing: &Publishing, report: &mut Report) -> anyhow::Result<()> {
        publish::publish(config, publishing, report, job_runner::document::<Self>).await
    }

    fn body(report: &Report, document: &mut Document) {
        report::body(report, document)
    }

    fn headline(report: &Report, _told: u64) -> Option<Line> {
        Some(body::headline(report))
    }

    /// The whole report, where the settings ask for it.
    fn text(report: &Report, document: &Document) -> Option<Vec<u8>> {
        // what fails in JSON fails in `--format json`, which says so
        report.body.print.map(|form| job_runner::render(form, report, document).unwrap_or_default())
    }

    fn questions(reached: &Reached) -> Vec<Question> {
        const MAIL_TO: &str = "manager.mail_to";
        let rooms = reached.rooms_to_choose(|room| !room.archived);
        vec![
            Question::several("rooms", "Whose members are looked at? (none marked: those of every room)", rooms),
            Question::line(
                MAIL_TO,
                "Who gets the report by mail? (addresses with commas; Enter: nobody, cron mails what is new)",
            ),
            Question::line("mail.host", "Which mail server takes the mails? (Enter: none yet)").only_with(MAIL_TO),
            Question::line("mail.from", "Which address are they from? (Enter: none yet)").only_with(MAIL_TO),
        ]
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        doctor::checks(config, reached).await
    }

    async fn own_command(command: &Command, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
        let Command::Explain { person, room } = command;
        explain::explain(setup, person, room).await
    }
}

fn main() -> ExitCode {
    job_runner::main::<NudgeInactive>()
}
