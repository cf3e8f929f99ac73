//! A server as somebody sees it who only looks: whether a store can be there, and who is at work in it.

use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::postgres::{OnServer, Server, Session};
use crate::statement::Failure;
use crate::store::on_thread;

/// What a look at a server gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenServer {
    /// As the server calls it: `15.8`.
    pub version: String,
    /// What the server takes for now.
    pub clock: DateTime<Utc>,
    pub has_schema: bool,
    /// Whether the role may do there what runs do: make tables in the schema, or the schema in the database.
    pub may_make: bool,
    /// Who is at work for this portal.
    pub lease: Option<SeenLease>,
}

/// A lease that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenLease {
    /// Where that run is, by its own account.
    pub holder: String,
    /// When it took the lease, by the clock of the server.
    pub since: DateTime<Utc>,
}

impl SeenServer {
    /// Looks at the place of a store, and makes and changes nothing.
    ///
    /// # Errors
    /// Those of [`Store::on_server`](crate::Store::on_server).
    pub async fn at(place: &OnServer) -> Result<Self, Error> {
        let place = place.clone();
        let look = move || {
            let server = Server::connect(&place)?;
            let session = server.entered()?;
            look(&session, &place.schema).map_err(|failure| server.failure("looking at the server", failure))
        };
        on_thread(look).await
    }
}

fn look(session: &Session, schema: &str) -> Result<SeenServer, Failure> {
    let instant = |micros: i64| DateTime::from_timestamp_micros(micros).unwrap_or_default();
    let sql = "SELECT split_part(current_setting('server_version'), ' ', 1), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
            has_database_privilege(current_database(), 'CREATE'),
            (SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = ?),
            to_regclass('lease') IS NOT NULL";
    let rows = session.query(sql, &[schema.into()])?;
    let row = rows.first().ok_or_else(|| Failure::other("no answer"))?;
    let (makes_schemas, makes_tables): (bool, Option<bool>) = (row.try_get(2)?, row.try_get(3)?);
    let mut seen = SeenServer {
        version: row.try_get(0)?,
        clock: instant(row.try_get(1)?),
        has_schema: makes_tables.is_some(),
        may_make: makes_tables.unwrap_or(makes_schemas),
        lease: None,
    };
    if row.try_get(4)? {
        let sql = "SELECT holder, since_us FROM lease WHERE job = 'run' AND until_us > ?";
        let rows = session.query(sql, &[seen.clock.timestamp_micros().into()])?;
        if let Some(row) = rows.first() {
            seen.lease = Some(SeenLease { holder: row.try_get(0)?, since: instant(row.try_get(1)?) });
        }
    }
    Ok(seen)
}
