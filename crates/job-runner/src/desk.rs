//! What people decide by hand: what they look at before, where it is written, and who they are.

use std::path::PathBuf;

use alerting::Outbox;
use chrono::{DateTime, Utc};
use event_archive::Archive;
use job_store::{SeenServer, Store};
use serde_json::Value;
use uuid::Uuid;

use crate::Error;
use crate::former;
use crate::gone;
use crate::hold::{self, Asked};
use crate::keeping::open_all;
use crate::naming::Known;
use crate::rights;
use crate::setup::{Setup, copy_at};
use crate::state_path::State;
use crate::stores::open_store;
use crate::voice::Voice;

/// A copy of what a program remembers, to look at: whatever is done to it is gone afterwards.
#[derive(Debug)]
pub struct Looked {
    pub store: Store,
    /// Where the last run ended that saw something; `None` before the first.
    pub seen_until: Option<DateTime<Utc>>,
    /// The portal's, as it was last told; UTC before that.
    pub zone: chrono_tz::Tz,
    /// The file in which the store is, or was; `None` of one on a server.
    pub store_file: Option<PathBuf>,
    archive: Archive,
}

/// The store itself, to write a decision into.
///
/// No run begins, and nobody moves the store, while this is open, unless a run was at work already ([`busy`](Self::busy)). Whoever writes
/// has to see to it that neither that run nor the decision is overwritten.
pub struct Desk {
    pub store: Store,
    busy: Option<String>,
}

impl Desk {
    /// The run that is at work, as the beginning of a sentence: `another run (host a, process 7)`. `None`: this process keeps runs off.
    pub fn busy(&self) -> Option<&str> {
        self.busy.as_deref()
    }
}

async fn take(state: &State, now: DateTime<Utc>) -> anyhow::Result<Asked> {
    Ok(hold::take(state, now).await?)
}

impl<C> Setup<'_, C> {
    /// What is remembered, to look at; empty before the first run.
    ///
    /// # Errors
    /// No portal is set, or no folder: exit code 2. Others are of a store that is damaged, newer than this program, or was taken away.
    pub async fn looked(&self) -> anyhow::Result<Looked> {
        let state = self.state()?;
        let store = copy_at(&state).await?;
        let archive = open_all(&store).await?;
        let seen_until = archive.judged().await?.looked;
        let zone = archive.portal(self.now).await?.map_or(chrono_tz::Tz::UTC, |portal| portal.time_zone);
        Ok(Looked { store, seen_until, zone, store_file: state.store_file(), archive })
    }

    /// Lets `decide` write a decision into the store, and the next run in, whatever becomes of it; `None` where no run has made a store yet.
    /// When somebody wants the process to end meanwhile, what has begun is finished, if that does not take long; `decide` begins nothing more
    /// ([`stopping`](Self::stopping)).
    ///
    /// # Errors
    /// Those of [`looked`](Self::looked) and of `decide`, a lock that cannot be asked for, that somebody has stopped it, and that the store was
    /// moved away while a run kept its lock from this process, so that what was written may be lost.
    pub async fn at_desk<T>(&self, decide: impl AsyncFnOnce(&Desk) -> anyhow::Result<T>) -> anyhow::Result<Option<T>> {
        let stopping = self.stopping();
        let decide = async |desk: &Desk| stopping.finishing_a_step(decide(desk)).await;
        self.with_desk(async |state: &State| stopping.unless_asked(take(state, self.now)).await, decide).await
    }

    /// The same for what somebody must not be kept from doing to its end: it is never left in the middle, so `decide` has to go by
    /// [`stopping`](Self::stopping) or signals itself.
    ///
    /// # Errors
    /// Those of [`at_desk`](Self::at_desk), but for being stopped.
    pub async fn at_desk_to_its_end<T>(
        &self,
        decide: impl AsyncFnOnce(&Desk) -> anyhow::Result<T>,
    ) -> anyhow::Result<Option<T>> {
        // from here on a signal ends nothing by itself
        self.stopping();
        self.with_desk(async |state: &State| take(state, self.now).await, decide).await
    }

    async fn with_desk<T>(
        &self,
        take: impl AsyncFnOnce(&State) -> anyhow::Result<Asked>,
        decide: impl AsyncFnOnce(&Desk) -> anyhow::Result<T>,
    ) -> anyhow::Result<Option<T>> {
        let state = self.state()?;
        let is_there = match &state {
            State::Files(paths) => {
                if let Some(gone) = gone::look(paths) {
                    anyhow::bail!("{gone}; {}", gone::REMEDY);
                }
                former::find(paths).path.exists()
            }
            State::Server(server) => SeenServer::at(&server.place).await?.has_schema,
        };
        if !is_there {
            return Ok(None);
        }
        let by = match take(&state).await? {
            Asked::Ours(hold) => {
                let decide = async |store: &Store| decide(&Desk { store: store.clone(), busy: None }).await;
                return hold.with_store(open_store(&state), decide).await.map(Some);
            }
            Asked::Held(by) => by,
        };
        let desk = Desk { store: open_store(&state).await?, busy: Some(by.run()) };
        let decided = decide(&desk).await;
        let moved = desk.store.in_use().await;
        desk.store.close().await;
        let decided = decided?;
        moved?;
        Ok(Some(decided))
    }

    /// The way to people for a command that acts at the portal, with the store that it has open.
    ///
    /// # Errors
    /// A channel, or the key of pseudonyms, cannot be used as the settings say: exit code 2. Others are of the store.
    pub async fn voice(&self, store: &Store) -> anyhow::Result<Voice> {
        let archive = open_all(store).await?;
        let told = archive.portal(self.now).await?.map(|portal| portal.time_zone);
        Ok(Voice {
            about: self.about,
            portal_url: self.portal_url()?,
            time_zone: told,
            naming: self.naming()?.knowing(rights::named(store, &archive).await?),
            outbox: Outbox::open(store.clone()).await?,
            channels: self.channels()?,
        })
    }

    /// Whom a word means that an operator typed, by what is remembered: an id, an e-mail address or a pseudonym, also one of these people.
    /// `None` for an address that nobody is known by, and for any other word.
    ///
    /// # Errors
    /// The address or the pseudonym belongs to several accounts, or a pseudonym to nobody: exit code 2. Others are of the store.
    pub async fn known_person(
        &self,
        looked: &Looked,
        word: &str,
        people: impl IntoIterator<Item = Uuid>,
    ) -> anyhow::Result<Option<Uuid>> {
        let is_pseudonym = rights::is_pseudonym(word);
        let is_name = Uuid::parse_str(word.trim()).is_err() && !word.contains('@') && !is_pseudonym;
        if is_name {
            return Ok(None);
        }
        let key = self.names_key()?;
        if is_pseudonym {
            let person = rights::reveal(&looked.store, &looked.archive, word, key.as_ref(), people).await?;
            return Ok(Some(person));
        }
        Ok(rights::resolve(&looked.store, &looked.archive, word, key.as_ref()).await?.id)
    }

    /// Whom a word means that an operator typed: a pseudonym leads back to the id of an account, where the key is at hand. Anything else is
    /// handed back as it is.
    ///
    /// # Errors
    /// There is no key, or it leads to nobody of whom anything is remembered, or to several: exit code 2. Others are those of
    /// [`looked`](Self::looked).
    pub async fn revealed(&self, person: &str) -> anyhow::Result<String> {
        if !rights::is_pseudonym(person) {
            return Ok(person.to_owned());
        }
        let id = self.known_person(&self.looked().await?, person, []).await?;
        Ok(id.map_or_else(|| person.to_owned(), |id| id.to_string()))
    }

    /// Who types, as the system calls them: whoever used `sudo` before whoever the process runs as. `None` where the environment does not
    /// say.
    pub fn operator(&self) -> Option<String> {
        let names = ["SUDO_USER", "USER", "LOGNAME"];
        names.into_iter().find_map(|name| self.environment.get(name)).map(str::to_owned)
    }

    /// A JSON document as the setting `names` wants it, where these people are named in sentences besides.
    ///
    /// # Errors
    /// Pseudonyms are asked for, and there is no key for them: exit code 2.
    pub fn named_json(&self, value: Value, people: impl IntoIterator<Item = (Uuid, String)>) -> Result<Value, Error> {
        let known = people.into_iter().map(|(id, name)| Known { id, name: Some(name), email: None });
        Ok(self.naming()?.knowing(known).json(value))
    }
}
