//! The built program against a simulated portal: stdout, stderr and exit code of whole runs.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod agents;
mod attribution;
mod clock;
mod common;
mod contract;
mod create_room;
mod cron;
mod deleted;
mod doctor;
mod documented;
mod faults;
mod folders;
mod holes;
mod honesty;
mod init;
mod killed;
mod look_ups;
mod memory;
mod metrics;
mod named_twice;
mod personal;
mod reports;
mod runs;
mod sentences;
mod signals;
mod silence;
mod slow;
mod told;
mod undelivered;
mod who;
mod zone;
