//! What a program does besides its report: plans, files, mails, changes at the portal. What was found is told, whatever becomes of it.

use crate::exit::{Exit, exit_of};
use crate::explained;
use crate::failures::Failures;
use crate::job::{Job, Publishing, Refusal};
use crate::program::{Program, ReportOf};
use crate::stop::Stop;

/// How acting ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acted {
    Done,
    /// Not all of it: somebody or the time limit ended the run meanwhile, or the clock was wrong.
    Cut,
    /// With this exit code.
    Failed(Exit),
}

impl Acted {
    /// How both ended: what somebody has to correct first, then what failed, then what was cut.
    pub(crate) fn and(self, other: Acted) -> Acted {
        match (self, other) {
            (Acted::Failed(Exit::Usage), _) | (_, Acted::Done) => self,
            (_, Acted::Failed(_)) | (Acted::Done, _) => other,
            (_, Acted::Cut) => self,
        }
    }
}

/// Carries out what the program does about its findings.
pub(crate) async fn act<P: Program>(
    config: &P::Config,
    job: &Job,
    report: &mut ReportOf<P>,
    failures: &mut Failures,
    stop: &mut Stop,
) -> Acted {
    let acted = stop.limit(&job.client, P::act(config, job, report)).await;
    note::<P>(acted.ok(), report, failures)
}

/// Whoever reads the report elsewhere gets it, whatever was found and done.
pub(crate) async fn publish<P: Program>(
    config: &P::Config,
    publishing: &Publishing,
    report: &mut ReportOf<P>,
    failures: &mut Failures,
    stop: &mut Stop,
) -> Acted {
    let published = stop.hurry(P::publish(config, publishing, report)).await;
    note::<P>(published, report, failures)
}

/// Says in the report what was not done; `None` is what was cut.
fn note<P: Program>(done: Option<anyhow::Result<()>>, report: &mut ReportOf<P>, failures: &mut Failures) -> Acted {
    match done {
        Some(Ok(())) => Acted::Done,
        Some(Err(failure)) => {
            let lines = explained::lines(&failure);
            let note = format!("not everything was done: {}", lines.join("; "));
            // what was left before the look may be left for the same reason
            if !report.head.notes.contains(&note) {
                lines.iter().for_each(|line| failures.error(line));
                report.head.notes.push(note);
            }
            match failure.downcast_ref() {
                // what there was to see was seen
                Some(Refusal::Clock { .. }) => Acted::Cut,
                _ => Acted::Failed(exit_of(&failure)),
            }
        }
        None => cut::<P>(report),
    }
}

/// Says in the report that something was left undone, whether or not it was begun.
pub(crate) fn cut<P: Program>(report: &mut ReportOf<P>) -> Acted {
    report.head.notes.push("not everything was done, because the run was stopped before".to_owned());
    Acted::Cut
}
