//! The client against simulated portals and other servers. One executable, for each is linked with everything.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod audit_trail;
mod certificates;
mod common;
mod creating;
mod ending;
mod endless;
mod faults;
mod lookups;
mod membership;
mod odd_rows;
mod other_servers;
mod patience;
mod reading;
mod repeated_hours;
mod short_answers;
mod switching;
mod uploading;
