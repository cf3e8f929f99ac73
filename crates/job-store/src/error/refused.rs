//! Servers that let nobody in, or refuse a statement: what to do, by the reason that they give.

/// What an error says, with all its causes.
fn said(source: &(dyn std::error::Error + 'static)) -> String {
    let mut said = String::new();
    let mut cause = Some(source);
    while let Some(this) = cause {
        said.push_str(&this.to_string());
        cause = this.source();
    }
    said
}

/// About a server that ended a connection which it had taken.
const AGAIN: &str = "see in the server's log why it ended the connection; the next run asks for what was not kept";

/// What to do about a statement that failed, where somebody can do something, by the code that the server gives.
pub(super) fn failed(source: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let reasons = [
        ("(42501)", "make this role the owner of the schema and of all that is in it"),
        ("(3F000)", "make this role the owner of the schema and of all that is in it"),
        ("(25006)", "name the server that can be written to, and no copy of it, in the address"),
        ("(53100)", "make room on the disk of the server"),
        ("(53200)", "give the server more memory, or start fewer runs at a time"),
        (
            "statement timeout (57014)",
            "raise `statement_timeout` of the role to some minutes, or let others read less at this time",
        ),
        ("(55P03)", "raise `lock_timeout` of the role, and see who holds the lock (`pg_locks`)"),
        ("(25P03)", "raise `idle_in_transaction_session_timeout` of the role to some minutes"),
        ("(25P04)", "raise `transaction_timeout` of the role to some minutes"),
        ("(57P05)", "raise `idle_session_timeout` of the role to more than a run takes"),
        ("(57P01)", AGAIN),
        ("(57P02)", AGAIN),
        ("(57P03)", AGAIN),
        ("connection closed", AGAIN),
        (
            "no answer within",
            "see whether the server works, and which of its connections waits for what (`pg_stat_activity`)",
        ),
    ];
    let said = said(source);
    reasons.into_iter().find(|(reason, _)| said.contains(reason)).map(|(_, remedy)| remedy)
}

/// What to do about a server that lets nobody in, by the reason that it gives: the code at its end, where it has one.
pub(super) fn refused(source: &(dyn std::error::Error + 'static)) -> &'static str {
    let said = said(source);
    let reasons = [
        ("no encryption", "the server demands TLS: ask for it in the address with `sslmode=verify-full`"),
        ("(28P01)", "correct the password of the role"),
        ("does not exist (28000)", "create the role, or correct its name in the address"),
        ("(28000)", "allow this host to sign in with this role to this database, in `pg_hba.conf` of the server"),
        ("(3D000)", "create the database, or correct its name in the address"),
        (
            "(42501)",
            "grant the role CREATE on the database, or make the schema with `CREATE SCHEMA … AUTHORIZATION` and this role",
        ),
        ("(53300)", "raise `max_connections` of the server, or start fewer runs at a time"),
        ("(57P03)", "wait until the server has started"),
        ("no answer within", "see whether the server works: it takes connections, and says nothing"),
        ("efused", "check host and port in the address, and whether the server is running"),
        ("No such file", "check the folder of the socket in the address, and whether the server is running"),
    ];
    let known = reasons.into_iter().find(|(reason, _)| said.contains(reason));
    known.map_or("check the address, the role, its password and whether the server is running", |(_, remedy)| remedy)
}

#[cfg(test)]
mod tests {
    use crate::Error;

    #[test]
    fn each_reason_of_a_server_has_its_remedy() {
        for (said, remedy) in [
            ("password authentication failed for user \"vdr\" (28P01)", "correct the password"),
            ("role \"vdr\" does not exist (28000)", "create the role"),
            (
                "no pg_hba.conf entry for host \"192.0.2.7\", user \"vdr\", database \"audit\", no encryption (28000)",
                "demands TLS",
            ),
            (
                "no pg_hba.conf entry for host \"192.0.2.7\", user \"vdr\", database \"audit\", SSL encryption (28000)",
                "pg_hba.conf",
            ),
            ("database \"audit\" does not exist (3D000)", "create the database"),
            ("permission denied for database audit (42501)", "grant the role CREATE"),
            ("sorry, too many clients already (53300)", "max_connections"),
            ("the database system is starting up (57P03)", "has started"),
            ("error connecting to server: Connection refused (os error 111)", "host and port"),
            ("error connecting to server: No such file or directory (os error 2)", "socket"),
            ("no answer within 10 s", "says nothing"),
            ("something else", "check the address, the role"),
        ] {
            let error = Error::CannotConnect { path: "postgres://db/audit".into(), source: said.into() };
            let told = error.remedy().unwrap();
            assert!(told.contains(remedy), "{said}: {told}");
        }
    }

    #[test]
    fn a_statement_that_is_refused_has_its_remedy() {
        for (said, remedy) in [
            ("permission denied for schema vdr_watch (42501)", Some("owner of the schema")),
            ("no schema has been selected to create in (3F000)", Some("owner of the schema")),
            ("cannot execute INSERT in a read-only transaction (25006)", Some("written to")),
            ("could not extend file \"base/5/2619\": No space left on device (53100)", Some("make room")),
            ("no answer within 120 s", Some("pg_stat_activity")),
            ("canceling statement due to statement timeout (57014)", Some("statement_timeout")),
            ("canceling statement due to user request (57014)", None),
            ("canceling statement due to lock timeout (55P03)", Some("lock_timeout")),
            ("terminating connection due to idle-in-transaction timeout (25P03)", Some("idle_in_transaction")),
            ("terminating connection due to administrator command (57P01)", Some("server's log")),
            ("connection closed", Some("server's log")),
            ("syntax error at or near \"x\" (42601)", None),
        ] {
            let error = Error::Database { path: "postgres://db/audit".into(), doing: "storing", source: said.into() };
            assert_eq!(error.remedy().is_some(), remedy.is_some(), "{said}");
            assert!(remedy.is_none_or(|remedy| error.remedy().is_some_and(|told| told.contains(remedy))), "{said}");
        }
    }
}
