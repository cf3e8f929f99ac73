//! `mail.*`: the SMTP server over which programs write to people.

use std::path::Path;

use alerting::Mailer;
use outbound::{SMTP_PATIENCE, SmtpOptions, SmtpSecurity};
use serde::{Deserialize, Serialize};

use super::path::PathSetting;
use super::problem::Problem;
use crate::Error;

/// `mail.*`
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct MailSettings {
    /// `mail.host`: name of the SMTP server; without it no mail can be sent.
    pub host: Option<String>,
    /// `mail.port`. Default 587, which goes with `starttls`; `tls` usually has 465.
    pub port: u16,
    /// `mail.security`: `starttls`, `tls`, or `none` to a server on this machine. Default `starttls`.
    pub security: MailSecurity,
    /// `mail.user`: who signs in; without it nobody does.
    pub user: Option<String>,
    /// `mail.password_file`: file with the password of `mail.user`. The credential `smtp-password` does as well.
    pub password_file: Option<PathSetting>,
    /// `mail.from`: the sender, with a name if wanted: `DocSpace <docspace@example.com>`.
    pub from: Option<String>,
    /// `mail.reply_to`: who reads answers.
    pub reply_to: Option<String>,
    /// `mail.ca_file`: PEM file with further certificate authorities; without it `outbound.ca_file`.
    pub ca_file: Option<PathSetting>,
}

/// How the connection to the mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    StartTls,
    Tls,
    None,
}

impl From<MailSecurity> for SmtpSecurity {
    fn from(security: MailSecurity) -> Self {
        match security {
            MailSecurity::StartTls => SmtpSecurity::StartTls,
            MailSecurity::Tls => SmtpSecurity::Tls,
            MailSecurity::None => SmtpSecurity::None,
        }
    }
}

impl Default for MailSettings {
    fn default() -> Self {
        MailSettings {
            host: None,
            port: 587,
            security: MailSecurity::StartTls,
            user: None,
            password_file: None,
            from: None,
            reply_to: None,
            ca_file: None,
        }
    }
}

impl MailSettings {
    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |key: &str, message: &str| problems.push(Problem::new(key, message));
        let Some(host) = &self.host else { return problems };
        let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.security == MailSecurity::None && !is_here {
            wrong(
                "mail.security",
                "\"none\" would send mails and the password in plain; it is for `mail.host = \"localhost\"`",
            );
        }
        if self.from.is_none() {
            wrong("mail.from", "is missing: give the address that mails come from");
        }
        if self.user.is_none() && self.password_file.is_some() {
            wrong("mail.user", "is missing, although `mail.password_file` is set");
        }
        problems
    }

    /// A mailer for these settings; `None` without `mail.host`. `password` reads the password, where somebody signs in.
    pub(crate) fn mailer(
        &self,
        ca_file: Option<&Path>,
        password: impl FnOnce() -> Result<String, Error>,
    ) -> Result<Option<Mailer>, Error> {
        let (Some(host), Some(from)) = (&self.host, &self.from) else {
            return Ok(None);
        };
        let credentials = match &self.user {
            Some(user) => Some((user.clone(), password()?)),
            None => None,
        };
        let ca_file = self.ca_file.as_ref().map(PathSetting::as_path).or(ca_file).map(Path::to_owned);
        if let Some(path) = &ca_file
            && let Err(error) = std::fs::File::open(path)
        {
            let message = format!("names {}, which cannot be read ({error}); correct it", path.display());
            return Err(Error::setting("mail.ca_file", message));
        }
        let options = SmtpOptions {
            host: host.clone(),
            port: self.port,
            security: self.security.into(),
            credentials,
            ca_file,
            patience: SMTP_PATIENCE,
        };
        let mailer = Mailer::new(options, from, self.reply_to.as_deref());
        mailer.map(Some).map_err(|error| Error::setting("mail", format!("{:#}", anyhow::Error::new(error))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_leak_or_reach_nobody_are_refused() {
        let set = |host: &str, security: MailSecurity, from: Option<&str>| MailSettings {
            host: Some(host.to_owned()),
            security,
            from: from.map(str::to_owned),
            ..MailSettings::default()
        };
        let keys = |settings: &MailSettings| {
            settings.validate().into_iter().filter_map(|problem| problem.key).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(&MailSettings::default()), "");
        assert_eq!(keys(&set("mail.example.com", MailSecurity::Tls, Some("a@example.com"))), "");
        assert_eq!(keys(&set("localhost", MailSecurity::None, Some("a@example.com"))), "");
        assert_eq!(keys(&set("mail.example.com", MailSecurity::None, None)), "mail.security mail.from");
        assert_eq!(serde_json::to_value(MailSecurity::StartTls).unwrap(), "starttls");
        assert!(serde_json::from_str::<MailSecurity>("\"ssl\"").is_err());
        let bad = set("mail.example.com", MailSecurity::Tls, Some("no address"));
        assert!(bad.mailer(None, || Ok(String::new())).is_err());
        let good = set("mail.example.com", MailSecurity::Tls, Some("a@example.com"));
        assert!(good.mailer(None, || Ok(String::new())).is_ok());
        let missing = good.mailer(Some(Path::new("/nonexistent/ca.pem")), || Ok(String::new())).unwrap_err();
        assert!(missing.to_string().contains("mail.ca_file") && missing.to_string().contains("ca.pem"), "{missing}");
    }
}
