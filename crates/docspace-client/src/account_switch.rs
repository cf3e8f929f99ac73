//! Disabling and enabling an account.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::client::{Question, parse};
use crate::wire::PersonDto;
use crate::{Account, Client, Error, ErrorKind};

/// What an account is switched to. The portal takes other words too, and makes something else of them; none of them is ever sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountSwitch {
    /// The person cannot sign in, sessions end, keys rest.
    Disabled,
    /// Takes a seat. Somebody without a name who was invited has to accept the invitation again.
    Enabled,
}

impl AccountSwitch {
    fn path(self) -> &'static str {
        match self {
            AccountSwitch::Disabled => "people/status/Terminated",
            AccountSwitch::Enabled => "people/status/Active",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            AccountSwitch::Disabled => "disable",
            AccountSwitch::Enabled => "enable",
        }
    }
}

impl Client {
    /// Switches exactly one account, once: a call that broke is not repeated, for nobody knows what it has done. Gives the account as the
    /// answer shows it, which servers up to 3.6.1 also send where they did nothing: look at the status, and read it back.
    ///
    /// # Errors
    /// `MissingRight` for every refusal, whatever its reason: the owner, the own account, another admin, an account of a directory, nobody;
    /// `NoSeat` where enabling needs a seat. [`Error::may_have_acted`] says whether it may be done all the same.
    pub async fn switch_account(&self, person: Uuid, to: AccountSwitch) -> Result<Account, Error> {
        const ASKED: &str = "an account";
        let question = Question::new(ASKED, to.path(), "accounts:write or *:write");
        let switched = async {
            let request = self.request(Method::PUT, &question)?.json(&json!({ "userIds": [person] }));
            let body = self.exchange(&question, request).await?;
            let accounts = parse::<Vec<PersonDto>>(&question, &body)?.response;
            let [account] = <[PersonDto; 1]>::try_from(accounts).map_err(|_| unexpected(ASKED))?;
            if account.id == person { Ok(Account::from(account)) } else { Err(unexpected(ASKED)) }
        };
        switched.await.map_err(|error| {
            let kind = if error.kind == ErrorKind::PlanLacks { ErrorKind::NoSeat } else { error.kind };
            Error { kind, ..error }.trying_to(to.verb())
        })
    }
}

fn unexpected(asked: &'static str) -> Error {
    Error::new(asked, ErrorKind::UnexpectedForm)
}
