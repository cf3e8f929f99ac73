//! Who the people of the findings are, and when and from where they signed in.

use std::collections::BTreeMap;

use audit_model::{Coverage, Finding, GUEST_ACCOUNT, LoginEvent};
use job_runner::Job;
use tracing::warn;
use uuid::Uuid;

/// Logins of the window, by person; failed ones too, where the typed address is the person's.
pub(crate) type LoginDetails = BTreeMap<Uuid, Vec<LoginEvent>>;

/// Fills in name, e-mail and status of everybody found, and drops the findings about service accounts.
///
/// Somebody who cannot be looked up is as they were remembered, else as the audit trail names them: a finding is never lost for that. It is a gap, because
/// failed logins and service accounts are known by their e-mail addresses.
pub(crate) async fn identify(findings: &mut Vec<Finding>, job: &Job, coverage: &mut Coverage) -> anyhow::Result<()> {
    let mut people = BTreeMap::new();
    for finding in findings.iter() {
        let id = finding.person.id;
        if id == GUEST_ACCOUNT || people.contains_key(&id) {
            continue;
        }
        let looked = job.archive.person(&job.client, id, job.now).await?;
        if let Some(error) = looked.error {
            coverage.gap("people", job.window, error.gap_reason());
            warn!(user.id = %id, "{:#}", anyhow::Error::new(error));
        }
        if let Some(known) = looked.fact {
            people.insert(id, known.value);
        }
    }
    for finding in findings.iter_mut() {
        if let Some(person) = people.get(&finding.person.id) {
            finding.person = person.clone();
        }
    }
    findings.retain(|finding| !is_service_account(finding, &job.service_accounts));
    Ok(())
}

fn is_service_account(finding: &Finding, accounts: &[String]) -> bool {
    let id = finding.person.id.to_string();
    let email = finding.person.email.as_ref().map(|email| email.raw().to_lowercase());
    accounts.iter().any(|account| *account == id || Some(account) == email.as_ref())
}

/// Reads the login history of the window for the people found. What is missing of it is a gap.
pub(crate) async fn logins(findings: &[Finding], job: &Job, coverage: &mut Coverage) -> anyhow::Result<LoginDetails> {
    let refreshed = job.archive.refresh_logins(&job.client, job.window, job.now).await?;
    if let Some(error) = refreshed.error {
        warn!("{:#}", anyhow::Error::new(error));
    }
    coverage.logins = refreshed.coverage;
    coverage.add_gaps(refreshed.gaps);
    let logins = job.archive.logins(job.window).await?;
    let own = |finding: &Finding| logins.iter().filter(|login| is_of(login, finding)).cloned().collect();
    Ok(findings.iter().map(|finding| (finding.person.id, own(finding))).collect())
}

/// A failed login belongs to the guest account; only the typed address says who was meant.
fn is_of(login: &LoginEvent, finding: &Finding) -> bool {
    let email = finding.person.email.as_ref().map(|email| email.raw().to_lowercase());
    let typed = login.login.as_ref().map(|typed| typed.raw().to_lowercase());
    // under the guest account stand the failed logins of everybody; none is that of an anonymous visitor
    if finding.person.id == GUEST_ACCOUNT {
        return false;
    }
    login.user == finding.person.id || (login.user == GUEST_ACCOUNT && email.is_some() && typed == email)
}
