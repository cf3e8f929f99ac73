//! Misbehaviour on order: what to answer instead of the truth, on which routes, how often.
//!
//! How a reset or a cut body is done on the wire is in `net` and `portal::reply`.

use serde::{Deserialize, Serialize};

/// One misbehaviour. The first fault that fits a request is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Beginning of the path behind `/api/2.0/`, such as `security/audit/events`; empty for every route.
    #[serde(default)]
    pub route: String,
    /// How many fitting requests are answered properly first.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it hits; absent means all of them.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// This status, with the body that the portal or its proxy sends with it.
    Status {
        /// HTTP status.
        status: u16,
        /// Which body, where a status comes with several.
        #[serde(default)]
        body: Option<FaultBody>,
    },
    /// 429 with an empty body and the headers of the limiter.
    TooManyRequests {
        /// Seconds in `Retry-After`; absent sends none, as the portal's one-minute limit does.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The connection is reset before any byte of the answer.
    Reset,
    /// The true answer, cut in the middle of its body.
    Truncated,
}

/// The kinds of error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// No body: dead key, missing scope, unknown route.
    Empty,
    /// `{"error": …}`: an exception of the action.
    Error,
    /// The error envelope of a database that is down; comes with 403.
    Database,
    /// Bare problem details: unpaid or suspended portal.
    Problem,
    /// Plain text: the caller's address is blocked.
    Text,
    /// The proxy's page.
    Html,
}

impl Fault {
    /// A fault on every route, for every request.
    #[must_use]
    pub fn new(kind: FaultKind) -> Fault {
        Fault { route: String::new(), skip: 0, times: None, kind }
    }

    /// The status with its usual body.
    #[must_use]
    pub fn status(status: u16) -> Fault {
        Fault::new(FaultKind::Status { status, body: None })
    }

    /// Only routes whose path behind `/api/2.0/` begins like this.
    #[must_use]
    pub fn on(mut self, route: &str) -> Fault {
        route.clone_into(&mut self.route);
        self
    }

    /// Only so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Fault {
        self.times = Some(times);
        self
    }

    /// Not the first so many requests.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Fault {
        self.skip = skip;
        self
    }

    /// Counts a request to this route and says whether it is hit.
    fn hits(&mut self, route: &str) -> bool {
        if !route.starts_with(&self.route) || self.times == Some(0) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }
}

/// The misbehaviour that this request meets, and counts it.
pub(crate) fn take(faults: &mut [Fault], route: &str) -> Option<FaultKind> {
    faults.iter_mut().find_map(|fault| fault.hits(route).then(|| fault.kind.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_route_after_so_many_and_so_often() {
        let mut faults = vec![Fault::status(500).on("security/").after(1).times(2)];
        let mut hits = |route| take(&mut faults, route).is_some();
        assert!(!hits("people/@self"));
        assert!(!hits("security/audit/events/filter"), "the first one is let through");
        assert!(hits("security/audit/events/filter"));
        assert!(hits("security/audit/login/filter"));
        assert!(!hits("security/audit/login/filter"), "used up");
    }
}
