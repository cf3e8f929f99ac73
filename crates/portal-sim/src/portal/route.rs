//! A path and the verbs it knows.
//!
//! Which path is which is decided in `portal`; who may use a verb is `auth`'s business.

use super::method::{Action, Method, Need, Read, Write};
use super::reply::{Failure, Output};
use super::{Change, Context};
use crate::version::Ability;

/// A path that exists.
#[derive(Default)]
pub(super) struct Route {
    methods: Vec<Method>,
    /// Older portals do not have the path.
    pub(super) since: Option<Ability>,
}

impl Route {
    /// A path without GET; add the verbs with [`Route::post`] and its like.
    pub(super) fn none() -> Route {
        Route::default()
    }

    /// A GET route.
    pub(super) fn new<O: Into<Output>>(
        need: Need,
        action: impl Fn(&Context<'_>) -> Result<O, Failure> + 'static,
    ) -> Route {
        Route::none().read(need, false, false, action)
    }

    /// A GET route whose rows `fields` may trim.
    pub(super) fn security<O: Into<Output> + 'static>(action: fn(&Context<'_>) -> Result<O, Failure>) -> Route {
        Route::none().read(Need::Global, false, true, action)
    }

    /// A GET route that needs no key.
    pub(super) fn anonymous<O: Into<Output>>(
        need: Need,
        action: impl Fn(&Context<'_>) -> Result<O, Failure> + 'static,
    ) -> Route {
        Route::none().read(need, true, false, action)
    }

    /// Also POST.
    pub(super) fn post<O: Into<Output>>(
        self,
        need: Need,
        action: impl Fn(&mut Change<'_>) -> Result<O, Failure> + 'static,
    ) -> Route {
        self.change("POST", need, action)
    }

    /// Also PUT.
    pub(super) fn put<O: Into<Output>>(
        self,
        need: Need,
        action: impl Fn(&mut Change<'_>) -> Result<O, Failure> + 'static,
    ) -> Route {
        self.change("PUT", need, action)
    }

    /// Also DELETE.
    pub(super) fn delete<O: Into<Output>>(
        self,
        need: Need,
        action: impl Fn(&mut Change<'_>) -> Result<O, Failure> + 'static,
    ) -> Route {
        self.change("DELETE", need, action)
    }

    /// Also a GET that may change the portal: downloads are written down.
    pub(super) fn get<O: Into<Output>>(
        self,
        need: Need,
        action: impl Fn(&mut Change<'_>) -> Result<O, Failure> + 'static,
    ) -> Route {
        self.change("GET", need, action)
    }

    /// The verb added last needs no key.
    pub(super) fn open(mut self) -> Route {
        if let Some(method) = self.methods.last_mut() {
            method.anonymous = true;
        }
        self
    }

    /// `fields` trims what the verb added last answers.
    pub(super) fn trimmed(mut self) -> Route {
        if let Some(method) = self.methods.last_mut() {
            method.trims = true;
        }
        self
    }

    /// All verbs as recorded with `fields`: a client must not send it here, and does harm on a real portal.
    pub(super) fn trimmed_throughout(mut self) -> Route {
        for method in &mut self.methods {
            method.trims = true;
        }
        self
    }

    /// Portals without this ability do not have the path.
    pub(super) fn since(mut self, ability: Ability) -> Route {
        self.since = Some(ability);
        self
    }

    /// The verb of a request, in any case.
    pub(super) fn method(&self, verb: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.verb.eq_ignore_ascii_case(verb))
    }

    /// The `Allow` header: the verbs in alphabetical order.
    pub(super) fn allow(&self) -> String {
        let mut verbs: Vec<&str> = self.methods.iter().map(|method| method.verb).collect();
        verbs.sort_unstable();
        verbs.join(", ")
    }

    fn read<O: Into<Output>>(
        mut self,
        need: Need,
        anonymous: bool,
        trims: bool,
        action: impl Fn(&Context<'_>) -> Result<O, Failure> + 'static,
    ) -> Route {
        let action: Read = Box::new(move |context| action(context).map(Into::into));
        self.methods.push(Method { verb: "GET", need, anonymous, trims, action: Action::Read(action) });
        self
    }

    fn change<O: Into<Output>>(
        mut self,
        verb: &'static str,
        need: Need,
        action: impl Fn(&mut Change<'_>) -> Result<O, Failure> + 'static,
    ) -> Route {
        let action: Write = Box::new(move |change| action(change).map(Into::into));
        self.methods.push(Method { verb, need, anonymous: false, trims: false, action: Action::Change(action) });
        self
    }
}
