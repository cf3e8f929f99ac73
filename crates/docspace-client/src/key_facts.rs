//! What the portal says about the key that asks.

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::client::Question;
use crate::folders::author;
use crate::wire::KeyDto;
use crate::{Client, Error, ErrorKind};

/// What belongs together under one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Audit trail, login history, settings, plan, keys: no scope of their own.
    Portal,
    /// The account that the key acts as; `accounts` is not enough.
    OwnAccount,
    Accounts,
    Groups,
    Rooms,
    /// Contents of folders too, even of rooms.
    Files,
}

/// What a key is restricted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// No restriction.
    pub fn unrestricted() -> Self {
        Scopes(Vec::new())
    }

    pub fn is_unrestricted(&self) -> bool {
        self.0.is_empty() || self.has("*")
    }

    /// The portal's names of them; empty for a key without restriction.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether the scopes are enough for reading; what the key's owner may do is another question.
    pub fn can_read(&self, area: Area) -> bool {
        let own = match area {
            Area::Portal => false,
            // here alone the right to write does not include the one to read
            Area::Groups => self.has("accounts:read"),
            _ => self.has(&format!("{}:read", name(area))) || self.has(&format!("{}:write", name(area))),
        };
        own || self.has("*:read") || self.can_write(Area::Portal)
    }

    /// The same for changing.
    pub fn can_write(&self, area: Area) -> bool {
        let own = area != Area::Portal && self.has(&format!("{}:write", name(area)));
        own || self.has("*:write") || self.is_unrestricted()
    }

    fn has(&self, scope: &str) -> bool {
        self.0.iter().any(|known| known == scope)
    }
}

/// What scopes of an area begin with.
fn name(area: Area) -> &'static str {
    match area {
        Area::Portal => "*",
        Area::OwnAccount => "accounts.self",
        Area::Accounts | Area::Groups => "accounts",
        Area::Rooms => "rooms",
        Area::Files => "files",
    }
}

/// The key that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// As its owner called it.
    pub name: PortalText,
    /// Its last four characters, to find it in the portal's list.
    pub postfix: Option<PortalText>,
    pub scopes: Scopes,
    pub created: Option<DateTime<Utc>>,
    /// Whose it is: everything is done in this account's name.
    pub owner: Option<Uuid>,
    /// When it dies; `None` for never.
    pub expires: Option<DateTime<Utc>>,
    pub active: bool,
}

/// A key of the portal's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// As its owner called it.
    pub name: PortalText,
    /// Whose it is: everything is done in this account's name.
    pub owner: Option<Uuid>,
    /// The portal notes each use, also one that it refuses. `None`: never.
    pub last_used: Option<DateTime<Utc>>,
    /// When it dies; `None` for never.
    pub expires: Option<DateTime<Utc>>,
    pub active: bool,
}

impl Client {
    /// All keys of the portal where an admin asks, else those of the key's owner. None on servers that do not know keys (before 3.1).
    ///
    /// # Errors
    /// `MissingScope` for a key without `*:read`.
    pub async fn keys(&self) -> Result<Vec<ListedKey>, Error> {
        let listed = match self.get::<Vec<KeyDto>>(Question::new("the list of keys", "keys", "*:read")).await {
            Ok(answer) => answer.response,
            Err(error) if error.kind == ErrorKind::UnknownCall => Vec::new(),
            // an old server's proxy, which does not know the key that asks either
            Err(error) if is_from_proxy(&error) && self.has_api_key() && self.key().await?.is_none() => Vec::new(),
            Err(error) => return Err(error),
        };
        let keys = listed.into_iter().map(|dto| ListedKey {
            name: dto.name,
            owner: author(dto.create_by),
            last_used: dto.last_used,
            expires: dto.expires_at,
            active: dto.is_active,
        });
        Ok(keys.collect())
    }

    /// What the portal says about the key; `None` for a personal access token, and from servers that do not know keys (before
    /// 3.1). Server 3.7 asks for no scope here, so it is the question that tells a dead key; older ones may ask for `*:read`.
    pub async fn key(&self) -> Result<Option<KeyFacts>, Error> {
        if !self.has_api_key() {
            return Ok(None); // the portal fails at anything else
        }
        let ask = async || self.get::<KeyDto>(Question::new("the key's own facts", "keys/@self", "*:read")).await;
        let mut asked = ask().await;
        if asked.as_ref().is_err_and(is_from_proxy) {
            // an old server's proxy does not know where this should go, but one that is being restarted knows no other way either
            self.public_settings().await?;
            asked = ask().await;
        }
        let dto = match asked {
            Ok(answer) => answer.response,
            Err(error) if error.kind == ErrorKind::UnknownCall || is_from_proxy(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(KeyFacts {
            name: dto.name,
            postfix: dto.key_postfix,
            scopes: Scopes(dto.permissions),
            created: dto.create_on,
            owner: author(dto.create_by),
            expires: dto.expires_at,
            active: dto.is_active,
        }))
    }
}

fn is_from_proxy(error: &Error) -> bool {
    error.kind == ErrorKind::NotAPortal { status: 404 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Area; 6] = [Area::Portal, Area::OwnAccount, Area::Accounts, Area::Groups, Area::Rooms, Area::Files];

    fn readable(scopes: &[&str]) -> Vec<Area> {
        let scopes = Scopes(scopes.iter().map(|&scope| scope.to_owned()).collect());
        ALL.into_iter().filter(|area| scopes.can_read(*area)).collect()
    }

    #[test]
    fn scopes_open_what_the_portal_lets_them_open() {
        for all in [&[][..], &["*"], &["*:read"], &["*:write"]] {
            assert_eq!(readable(all), ALL, "{all:?}");
        }
        assert_eq!(readable(&["accounts:read"]), [Area::Accounts, Area::Groups]);
        assert_eq!(readable(&["accounts:write"]), [Area::Accounts]);
        assert_eq!(readable(&["accounts.self:read"]), [Area::OwnAccount]);
        assert_eq!(readable(&["rooms:write"]), [Area::Rooms]);
        assert_eq!(readable(&["files:read"]), [Area::Files]);
        assert_eq!(readable(&["read"]), []);
    }

    #[test]
    fn reading_is_not_writing() {
        let scopes = Scopes(vec!["*:read".to_owned(), "files:write".to_owned()]);
        let writable: Vec<Area> = ALL.into_iter().filter(|area| scopes.can_write(*area)).collect();
        assert_eq!(writable, [Area::Files]);
        assert!(!scopes.is_unrestricted() && Scopes::unrestricted().can_write(Area::Portal));
    }
}
