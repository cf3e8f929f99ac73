//! A store on a server: whether runs can use it, and who is at work in it.

use chrono::TimeDelta;
use event_archive::{Archive, JUDGED_TABLES};
use job_store::{OnServer, SeenLease, SeenServer};
use report::words::{duration, instant};

use super::Check;
use super::limit::{LONGEST_CHECK, within};
use crate::hold::shown_holder;
use crate::setup::Setup;
use crate::state_path::ServerState;
use crate::stores::copied;

/// A difference that people should know of; leases go by the server's clock alone.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// The server and the schema, its clock, and the lease.
pub(super) async fn checks<C>(setup: &Setup<'_, C>, on_server: Box<ServerState>, part: &str) -> Vec<Check> {
    const NAME: &str = "state";
    let shown = on_server.shown.clone();
    let on_network = on_server.place.url.is_plain_on_the_network();
    let seen = match within(LONGEST_CHECK, SeenServer::at(&on_server.place)).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(error)) => return vec![Check::failed(NAME, error)],
        Err(late) => {
            return vec![Check::fail(
                NAME,
                format!("{shown}: the server {late}"),
                "check the address and the firewall",
            )];
        }
    };
    let version = format!("PostgreSQL {}", seen.version);
    let mut checks = vec![if !seen.may_make {
        let what = if seen.has_schema { "tables in the schema" } else { "the schema" };
        let schema = &on_server.place.schema;
        Check::fail(
            NAME,
            format!("{shown} ({version}): the role may not make {what}, so runs have no memory"),
            if seen.has_schema {
                format!("make the role the owner of the schema, with `ALTER SCHEMA {schema} OWNER TO` and its name")
            } else {
                "grant the role CREATE on the database, or make the schema with `CREATE SCHEMA … AUTHORIZATION` and this role".to_owned()
            },
        )
    } else if !seen.has_schema {
        Check::ok(NAME, format!("{shown} ({version}): the schema does not exist yet; the first run creates it"))
    } else {
        match judged(&on_server.place, part).await {
            Ok(judged) => Check::ok(NAME, format!("{shown} ({version}), {judged}")),
            Err(error) => Check::failed(NAME, error),
        }
    }];
    if on_network {
        let text = "what is remembered goes over the network in plain text, because the address of the server says `sslmode=disable`";
        checks.push(Check::warn("state_encryption", text, "remove that, unless you trust the network"));
    }
    let differ = setup.clock() - seen.clock;
    if differ.abs() > CLOCKS_DIFFER {
        let direction = if differ > TimeDelta::zero() { "behind" } else { "ahead of" };
        let text = format!(
            "the server's clock is {} {direction} this machine's; leases go by the server's clock, everything else does not",
            duration(differ.abs())
        );
        checks.push(Check::warn("state_clock", text, "set both by NTP"));
    }
    checks.push(lease(setup, &seen));
    checks
}

/// The events, which are nearly all that there is, stay where they are.
async fn judged(place: &OnServer, part: &str) -> anyhow::Result<String> {
    let (copy, _) = copied(place, Some(&JUDGED_TABLES)).await?;
    let judged = Archive::open(copy).await?.for_part(part).judged().await?.until();
    Ok(judged.map_or_else(|| "nothing judged yet".to_owned(), |until| format!("judged up to {}", instant(until))))
}

fn lease<C>(setup: &Setup<'_, C>, seen: &SeenServer) -> Check {
    const NAME: &str = "lock";
    let limit = TimeDelta::from_std(setup.common.run_limit.0).unwrap_or(TimeDelta::MAX);
    let Some(SeenLease { holder, since }) = &seen.lease else {
        return Check::ok(NAME, "the lease is free, as no run is at work");
    };
    let holder = shown_holder(holder);
    if seen.clock - *since > limit {
        let text = format!(
            "a run that began at {} ({holder}) still holds the lease, longer than `run_limit`",
            instant(*since)
        );
        return Check::fail(NAME, text, "end that process");
    }
    Check::ok(NAME, format!("a run is at work since {} ({holder})", instant(*since)))
}
