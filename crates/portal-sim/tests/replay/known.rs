//! What the simulator does not answer as recorded, and why. The list may only shrink: an entry under which everything
//! matches fails.

use crate::exchange::Exchange;
use crate::stand_in;

/// What to do with an exchange.
pub(crate) enum Verdict {
    /// A route or an order of the recording set-up, or a body that was not recorded.
    SetUp,
    /// Compare; a difference is expected if an entry of [`DIFFERENCES`] is given.
    Compare(Option<usize>),
}

const STAND_IN: &str = "the recorded action did nothing; the real one refuses what is not there or not allowed";
const INVENTED: &str = "only the recording set-up has this route; no real one like it is known";
const THIRD_PARTY: &str = "the recorded action did nothing; storage of third parties is not simulated";

/// What differs: an exchange by its name, or all of a verb and the beginning of a path behind `/api/2.0/`; the reason.
pub(crate) const DIFFERENCES: &[(&str, &str)] = &[
    ("PUT people/@self/x", INVENTED),
    ("DELETE people/1a2b3c4d-0000-4000-8000-000000000001", STAND_IN),
    ("GET people/self", STAND_IN),
    ("GET people/00000000-0000-0000-0000-000000000000", STAND_IN),
    ("access undefined number", STAND_IN),
    ("file startIndex -1", STAND_IN),
    ("file, negative id", STAND_IN),
    ("folder startIndex -1", STAND_IN),
    ("session finalize", STAND_IN),
    ("session finalize, full answer", STAND_IN),
    ("session parallel chunk, number in form", STAND_IN),
    ("startIndex -1", STAND_IN),
    ("startIndex negative", STAND_IN),
    ("without status", STAND_IN),
    ("without status, slash", STAND_IN),
    ("zero guid", STAND_IN),
    ("file, text id", THIRD_PARTY),
    ("folder, text id", THIRD_PARTY),
    ("room, id too big for int", THIRD_PARTY),
    ("room, text id", THIRD_PARTY),
    ("text folder id", THIRD_PARTY),
    ("text id", THIRD_PARTY),
    ("with .json", THIRD_PARTY),
];

/// Says what to do with this exchange.
pub(crate) fn verdict(file: &str, exchange: &Exchange) -> Verdict {
    let ordered = exchange.header("x-throw").is_some() || exchange.described;
    let probe = exchange.path().starts_with("/api/2.0/probe/") && !stand_in::is_telling(file, exchange);
    if ordered || probe {
        return Verdict::SetUp;
    }
    let asked = format!("{} {}", exchange.method, exchange.path().trim_start_matches("/api/2.0/"));
    let fits = |what: &str| exchange.name == what || asked.starts_with(what);
    Verdict::Compare(
        DIFFERENCES.iter().position(|(what, reason)| (exchange.host == "docs" || *reason == INVENTED) && fits(what)),
    )
}
