//! What waits for a channel that is not configured any more: it goes where the settings send it now.

use chrono::{DateTime, Utc};
use job_store::{Failure, Row, Value, Write};
use tracing::warn;

use crate::alert::Alert;
use crate::channel::{About, Channel};
use crate::error::Error;
use crate::history::{self, Outcome};
use crate::memory::instant;
use crate::outbox::{Outbox, left_out};

const WAITS_SQL: &str =
    "SELECT alert, json, first_us FROM waiting WHERE channel = ? AND next_us IS NOT NULL ORDER BY rowid";

/// It waits for another channel, as if it had never been tried.
const HAND_OVER_SQL: &str = "INSERT INTO waiting (alert, channel, json, severity, tries, first_us, next_us, reached)
     SELECT alert, ?, json, severity, 0, first_us, first_us, 0 FROM waiting
     WHERE alert = ? AND channel = ? ON CONFLICT DO NOTHING";

const GIVE_UP_SQL: &str = "UPDATE waiting SET next_us = NULL WHERE alert = ? AND channel = ?";

/// What `alerts explain` says of the old channel.
const GONE: &str = "the channel is not set any more";

struct Waits {
    id: String,
    /// `None`: a later version wrote it.
    alert: Option<Alert>,
    first: DateTime<Utc>,
}

impl Outbox {
    /// Lets what waits for a channel that is gone wait for those that are there and take it. What another has taken is dropped; what none
    /// takes is given up.
    pub(crate) async fn hand_over(&self, gone: &str, channels: &[Channel]) -> Result<(), Error> {
        let (from, channels) = (gone.to_owned(), channels.to_vec());
        let hand_over = move |write: &Write<'_>| {
            let dropped = "DELETE FROM waiting WHERE channel = ? AND reached = 1 AND next_us IS NOT NULL";
            let dropped = write.execute(dropped, &[(&from).into()])?;
            let waits = |row: &Row<'_>| {
                let (id, alert) = (row.text(0)?.to_owned(), serde_json::from_str(row.text(1)?).ok());
                Ok(Waits { id, alert, first: instant(row.int(2)?) })
            };
            for waits in write.all(WAITS_SQL, &[(&from).into()], waits)? {
                hand_over_one(write, &waits, &from, &channels)?;
            }
            let sql = "UPDATE delivery SET outcome = ?, answer = ? WHERE channel = ? AND outcome = ?";
            let (gone, waited) = (Outcome::LeftOut.number(), Outcome::Waits.number());
            write.execute(sql, &[gone.into(), GONE.into(), (&from).into(), waited.into()])?;
            Ok(dropped)
        };
        let dropped = self.store.write("handing alerts over to another channel", hand_over).await?;
        if dropped > 0 {
            warn!(
                channel = gone,
                "alerts dropped that waited for a channel that is not configured any more, and that another took: {dropped}"
            );
        }
        Ok(())
    }
}

fn hand_over_one(write: &Write<'_>, waits: &Waits, from: &str, channels: &[Channel]) -> Result<(), Failure> {
    let left_out = match &waits.alert {
        Some(alert) => left_out(write, About { alert, finding: None }, channels)?,
        // nobody can say whom it is for
        None => vec![None; channels.len()],
    };
    let takers = channels.iter().zip(left_out).filter(|(_, left_out)| left_out.is_none());
    let names: Vec<&str> = takers.map(|(channel, _)| channel.name()).collect();
    let key: [Value; 2] = [(&waits.id).into(), from.into()];
    if names.is_empty() {
        return write.execute(GIVE_UP_SQL, &key).map(|_| ());
    }
    for name in names {
        let is_new = write.execute(HAND_OVER_SQL, &[name.into(), key[0].clone(), key[1].clone()])? > 0;
        if let Some(alert) = waits.alert.as_ref().filter(|_| is_new) {
            history::note(write, alert, name, (Outcome::Waits, ""), waits.first)?;
        }
    }
    write.execute("DELETE FROM waiting WHERE alert = ? AND channel = ?", &key).map(|_| ())
}
