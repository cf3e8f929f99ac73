//! What stands before the first request of a run, and whom its settings name.

use alerting::{Channel, Mailer};
use chrono::{DateTime, Utc};
use docspace_client::Client;
use url::Url;

use crate::Error;
use crate::config::CommonConfig;
use crate::names::NamedList;
use crate::naming::Naming;
use crate::program::Program;
use crate::setup::Setup;
use crate::state_path::StatePaths;

/// All lists of the settings that name people, groups or rooms.
pub(crate) fn named<P: Program>(common: &CommonConfig, config: &P::Config, now: DateTime<Utc>) -> Vec<NamedList> {
    let robots = NamedList::people("service_accounts", &common.service_accounts);
    [robots].into_iter().chain(P::named(config, now)).collect()
}

/// What stands before the first request of a run.
pub(crate) struct Surroundings {
    pub(crate) now: DateTime<Utc>,
    pub(crate) paths: StatePaths,
    pub(crate) client: Client,
    pub(crate) portal_url: Url,
    pub(crate) channels: Vec<Channel>,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) naming: Naming,
}

impl Surroundings {
    pub(crate) fn new<P: Program>(setup: &Setup<'_, P::Config>) -> anyhow::Result<Self> {
        setup.warn_of_exposed(&P::secret_files(setup.config));
        let mailer = setup.mailer()?;
        if mailer.is_none() && P::needs_mail(setup.config) {
            let message = "is missing: the settings ask for mails; set it and `mail.from`";
            return Err(Error::setting("mail.host", message).into());
        }
        Ok(Surroundings {
            now: setup.now,
            portal_url: setup.portal_url()?,
            client: setup.client()?,
            paths: setup.state_paths()?,
            channels: setup.channels()?,
            mailer,
            naming: setup.naming()?,
        })
    }
}
