//! What older portals do otherwise, as named abilities with the version that brought each.
//!
//! Only differences that are known and can be seen by a client stand here; the rest is as in 3.7. The code asks
//! [`Scenario::can`] and never compares versions itself.

use crate::scenario::Scenario;

/// Something that the portal does since a certain version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ability {
    /// Both PUTs of the IP restrictions replace list and switch; before, one changed the list, the other the switch.
    ReplaceRestrictionsWhole,
    /// API keys and their routes. Before, only tokens open the portal.
    Keys,
    /// `ETag`, `Last-Modified` and 304 on the IP restrictions.
    ConditionalRestrictions,
    /// Routes outside files, rooms and people ask a key for `*:read` or `*:write`; before, for nothing.
    GlobalScopes,
    /// `count` is 1 to 100 and everything else is refused; before, it was cut to 1000 without a word.
    StrictCount,
    /// `fields`; before, it was ignored.
    Fields,
    /// A plan that does not allow something is 402; before, 500.
    BillingStatus,
    /// Groups are read with `accounts:read`; before, with a global scope only.
    GroupScopes,
    /// Members of a room come as `sharedToUser` and `sharedToGroup` too; before, only as `sharedTo`.
    SharedToMembers,
    /// Scopes count on anonymous routes too, and a dead key is refused there; before, it counted as none.
    ScopesOnAnonymousRoutes,
    /// Only `keys/@self` is free of scopes; before, every route of keys was.
    ScopesOnKeys,
    /// Every answer of the server names the versions of its API.
    VersionsHeader,
    /// A change of the IP restrictions is written into the audit trail.
    RestrictionsAudited,
    /// Only administrators read the quota; before, everybody but guests.
    QuotaForAdministrators,
    /// The owner's `isAdmin` is false; before, true.
    OwnerIsNoAdministrator,
    /// One upload answers a list, takes the part `file` and flags in the query only; before, it answered an object and
    /// took any file, and fields of the form as flags.
    UploadAnswersList,
    /// Uploads in chunks over routes of the API.
    UploadSessions,
    /// A status for somebody protected or unknown refuses the whole call, and so does another status than the two;
    /// before, such people were skipped and such statuses did nothing.
    StrictStatus,
    /// Disabling an administrator without being the owner is refused, disabling oneself ignored; before, the first was
    /// ignored and the second done.
    StrictDisable,
    /// `withSubFolders`; before, filtered lists of folders were always recursive.
    SubfolderSwitch,
}

use Ability::{
    BillingStatus, ConditionalRestrictions, Fields, GlobalScopes, GroupScopes, Keys, OwnerIsNoAdministrator,
    QuotaForAdministrators, ReplaceRestrictionsWhole, RestrictionsAudited, ScopesOnAnonymousRoutes, ScopesOnKeys,
    SharedToMembers, StrictCount, StrictDisable, StrictStatus, SubfolderSwitch, UploadAnswersList, UploadSessions,
    VersionsHeader,
};

/// The version that brought each ability.
const SINCE: &[((u32, u32), &[Ability])] = &[
    ((3, 0), &[ReplaceRestrictionsWhole]),
    ((3, 1), &[Keys, ConditionalRestrictions]),
    ((3, 2), &[GlobalScopes, StrictCount, Fields, BillingStatus]),
    ((3, 5), &[GroupScopes, SharedToMembers]),
    (
        (3, 7),
        &[
            ScopesOnAnonymousRoutes,
            ScopesOnKeys,
            VersionsHeader,
            RestrictionsAudited,
            QuotaForAdministrators,
            OwnerIsNoAdministrator,
            UploadAnswersList,
            UploadSessions,
            StrictStatus,
            StrictDisable,
            SubfolderSwitch,
        ],
    ),
];

impl Scenario {
    /// Whether the portal of this version does that. A version that is no number is a new one.
    pub(crate) fn can(&self, ability: Ability) -> bool {
        let Some(version) = numbers(&self.version) else { return true };
        SINCE.iter().any(|(since, abilities)| version >= *since && abilities.contains(&ability))
    }

    /// Whether the portal of this version has API keys; older ones take only tokens.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.can(Keys)
    }
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let mut scenario = Scenario::empty(chrono::DateTime::UNIX_EPOCH);
        for (version, keys, strict) in [
            ("2.6.3", false, false),
            ("3.1.0", true, false),
            ("3.6.1", true, false),
            ("3.7.2", true, true),
            ("3.10.0", true, true),
            ("own build", true, true),
        ] {
            version.clone_into(&mut scenario.version);
            assert_eq!((scenario.can(Keys), scenario.can(StrictStatus)), (keys, strict), "{version}");
        }
    }
}
