//! Telling people: what they know already, the report, and the alerts, in an order in which a killed run loses nothing.
//!
//! With channels, what is told and the alerts are written down together, then the report is printed, then the alerts are
//! sent. Without channels the report is the delivery, so what is told is remembered only after it was printed.

use alerting::{Alert, Channel, Delivery, Lapsed, Moment, Outbox, Refused, Said};
use audit_model::Finding;
use chrono::DateTime;
use chrono_tz::Tz;
use report::words::plural;
use serde::Serialize;
use tracing::{error, warn};

use crate::report::{Found, Report};
use crate::setup;
use crate::undelivered::{Undelivered, undelivered};

/// What a run needs to tell what it found.
pub(crate) struct Telling<'a> {
    pub(crate) outbox: Outbox,
    pub(crate) channels: Vec<Channel>,
    pub(crate) moment: Moment<'a>,
    /// Of the report: quiet hours of channels go by it.
    pub(crate) zone: Tz,
    /// Whether findings become alerts.
    pub(crate) sends_alerts: bool,
    /// Nothing is sent or remembered.
    pub(crate) dry_run: bool,
}

/// How telling went.
pub(crate) struct HowTold {
    /// Whether the report could be printed.
    pub(crate) printed: anyhow::Result<()>,
    /// Whether every critical alert has reached somebody, those of earlier runs included.
    pub(crate) critical_reached: bool,
    /// Whether everything was told or waits where the next run finds it. Else a later run must look at the same time again.
    pub(crate) is_safe: bool,
    /// Another run has taken over, and tells it.
    pub(crate) is_left: bool,
}

impl Telling<'_> {
    /// Prints what was compared ([`compare`](Self::compare)), and sends it. `said` are the program's own words; `print` is given the report, and what it must say even where the
    /// report has nothing to say.
    pub(crate) async fn tell<D: Serialize, B>(
        &self,
        report: &mut Report<D, B>,
        said: impl Fn(&Report<D, B>, &Found<D>) -> Said,
        print: impl FnOnce(&Report<D, B>, &[String]) -> anyhow::Result<()>,
    ) -> HowTold {
        if self.dry_run {
            return HowTold { printed: print(report, &[]), critical_reached: true, is_safe: true, is_left: false };
        }
        let lapsed = self.lapsed().await;
        let notes: Vec<String> = lapsed.iter().map(note).collect();
        report.head.notes.extend(notes.iter().cloned());
        let mut alerts = if self.sends_alerts { report.alerts(said) } else { Vec::new() };
        let is_kept = !self.channels.is_empty() && self.keep(report, &mut alerts).await;
        if self.outbox.is_taken_over().await {
            // that run finds and tells the same
            return HowTold { printed: Ok(()), critical_reached: true, is_safe: false, is_left: true };
        }
        let printed = print(report, &notes);
        if printed.is_ok() {
            if let Err(failure) = self.outbox.forget(&lapsed).await {
                warn!("the next report says again what was given up: {:#}", anyhow::Error::new(failure));
            }
            if self.channels.is_empty() {
                self.keep(report, &mut []).await;
            }
        }
        if self.channels.is_empty() {
            let is_safe = printed.is_ok();
            return HowTold { printed, critical_reached: true, is_safe, is_left: false };
        }
        match self.deliver(&alerts, is_kept).await {
            Some((critical_reached, is_safe)) => HowTold { printed, critical_reached, is_safe, is_left: false },
            None => HowTold { printed, critical_reached: true, is_safe: false, is_left: true },
        }
    }

    /// Says of every finding what people know of it.
    ///
    /// # Errors
    /// Of the memory of what was told; the findings are as they were.
    pub(crate) async fn compare<D, B>(&self, report: &mut Report<D, B>) -> Result<(), alerting::Error> {
        let compared = self.outbox.compare(&mut report.findings, &self.moment).await;
        let compared =
            compared.inspect_err(|failure| warn!("it is not known what was reported before: {failure:#}"))?;
        report.suppressed = compared.suppressed;
        report.ended = compared.ended;
        report.lapsed = compared.lapsed;
        Ok(())
    }

    async fn lapsed(&self) -> Vec<Lapsed> {
        let lapsed = self.outbox.lapsed(&self.channels).await.unwrap_or_else(|failure| {
            warn!("a later run reports which alerts were given up: {:#}", anyhow::Error::new(failure));
            Vec::new()
        });
        for Lapsed { alert, channel, .. } in &lapsed {
            error!(alert, channel, "alert given up; the report says what it was about");
        }
        lapsed
    }

    async fn keep<D, B>(&self, report: &Report<D, B>, alerts: &mut [Alert]) -> bool {
        let over: Vec<Finding> = report.ended.iter().chain(&report.lapsed).cloned().collect();
        let kept = self.outbox.keep(&report.findings, &over, alerts, &self.channels, &self.moment).await;
        kept.inspect_err(|_| warn!("the next run will tell the findings again")).map_err(log).is_ok()
    }

    /// Whether every critical alert has reached somebody, and whether all alerts were taken or wait. `None`: another run has taken over
    /// meanwhile, and sees to that.
    async fn deliver(&self, alerts: &[Alert], is_kept: bool) -> Option<(bool, bool)> {
        let drained = match self.outbox.drain(&self.channels, self.leaves_at()).await {
            Ok(drained) => drained,
            Err(failure) => {
                log(failure);
                return Some((self.deliver_directly(alerts).await, is_kept));
            }
        };
        not_delivered(drained.refused);
        if drained.left > 0 {
            warn!("{} left for the next run, because there are too many for one", plural(drained.left as u64, "alert"));
        }
        if drained.critical > 0 {
            error!("critical alerts that have not reached anybody yet: {}", drained.critical);
        }
        drained.store_error.into_iter().for_each(log);
        if drained.is_taken_over {
            warn!("another run has taken over, and sends the alerts that wait");
            return None;
        }
        let reached = drained.critical == 0;
        Some(if is_kept { (reached, true) } else { (self.deliver_directly(alerts).await && reached, false) })
    }

    /// By now, reading may have taken long; receivers refuse signatures of minutes ago.
    fn leaves_at(&self) -> DateTime<Tz> {
        setup::now().max(self.moment.now).with_timezone(&self.zone)
    }

    async fn deliver_directly(&self, alerts: &[Alert]) -> bool {
        let report = alerting::deliver(alerts, &self.channels, self.leaves_at().to_utc()).await;
        let reached = report.undelivered_critical().next().is_none();
        not_delivered(report.deliveries.into_iter().flat_map(|Delivery { alert, failures, .. }| {
            failures.into_iter().map(move |failure| Refused { alert: alert.clone(), failure })
        }));
        reached
    }
}

fn log(failure: alerting::Error) {
    warn!("{:#}", anyhow::Error::new(failure));
}

fn not_delivered(refused: impl IntoIterator<Item = Refused>) {
    for Undelivered { alert, channel, why } in undelivered(refused) {
        error!(alert, channel, "alert not delivered: {why}");
    }
}

/// For the reader of the report, who may be the only one who learns of it.
fn note(Lapsed { channel, subject, reached, .. }: &Lapsed) -> String {
    let others = if *reached { "another channel has it" } else { "no other channel has it" };
    format!("gave up sending an alert that {channel} did not accept ({others}): {subject}")
}
