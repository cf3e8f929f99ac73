//! What stands before the first request of a run, and whom its settings name.

use alerting::{Channel, Mailer};
use chrono::{DateTime, Utc};
use docspace_client::Client;
use url::Url;

use crate::Error;
use crate::config::{self, CommonConfig, Settings};
use crate::guard::{self, Exposed};
use crate::names::NamedList;
use crate::naming::Naming;
use crate::program::Program;
use crate::setup::Setup;
use crate::state_path::State;

/// All lists of the settings that name people, groups or rooms.
pub(crate) fn named<P: Program>(common: &CommonConfig, own: &P::Config, now: DateTime<Utc>) -> Vec<NamedList> {
    let robots = NamedList::people("service_accounts", &common.service_accounts);
    let routes = config::channels::read(&common.alerts.channel).into_iter().flatten().collect::<Vec<_>>();
    let routes = [
        NamedList::people("alerts.channel.people", routes.iter().flat_map(|channel| &channel.route().people)),
        NamedList::groups("alerts.channel.groups", routes.iter().flat_map(|channel| &channel.route().groups)),
        NamedList::rooms("alerts.channel.rooms", routes.iter().flat_map(|channel| &channel.route().rooms)),
    ];
    let routes = routes.into_iter().filter(|list| !list.entries.is_empty());
    [robots].into_iter().chain(routes).chain(own.named(now)).collect()
}

/// What stands before the first request of a run.
pub(crate) struct Surroundings {
    pub(crate) now: DateTime<Utc>,
    pub(crate) state: State,
    /// What others can read or change, a line each.
    pub(crate) exposed: Vec<Exposed>,
    pub(crate) client: Client,
    pub(crate) portal_url: Url,
    pub(crate) channels: Vec<Channel>,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) naming: Naming,
}

impl Surroundings {
    pub(crate) fn new<P: Program>(setup: &Setup<'_, P::Config>) -> anyhow::Result<Self> {
        let channels = setup.channels()?;
        let lacks_mailer = |channel: &Channel| channel.kind() == "email" && channel.missing().is_some();
        let mailer = match setup.mailer() {
            // that channel says what is wrong, and nothing else needs it
            Err(_) if !setup.config.needs_mail() && channels.iter().any(lacks_mailer) => None,
            mailer => mailer?,
        };
        if mailer.is_none() && setup.config.needs_mail() {
            let message = "is missing: the settings ask for mails; set it and `mail.from`";
            return Err(Error::setting("mail.host", message).into());
        }
        Ok(Surroundings {
            now: setup.now,
            portal_url: setup.portal_url()?,
            client: setup.client()?,
            state: setup.state()?,
            exposed: guard::exposed(setup),
            channels,
            mailer,
            naming: setup.naming()?,
        })
    }
}
