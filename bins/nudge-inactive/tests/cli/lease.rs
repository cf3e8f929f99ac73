//! A run whose lease passes to another host while it connects to the mail server.

use std::collections::BTreeSet;
use std::time::Duration;

use cli_test::smtp::Server;
use job_store::{Leased, Store};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::common::{now, settings_file, start_portal};
use crate::mails::{Taken, go, settings_for};
use crate::world::world;

/// A way to a mail server on which whoever connects waits for the greeting.
struct Slow {
    port: u16,
    is_reached: watch::Receiver<bool>,
    passes: watch::Sender<bool>,
}

impl Slow {
    async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, there) = (listener.local_addr().unwrap().port(), server.port);
        let (reached, is_reached) = watch::channel(false);
        let (passes, passing) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                reached.send_replace(true);
                let mut passing = passing.clone();
                tokio::spawn(async move {
                    if passing.wait_for(|passes| *passes).await.is_ok() {
                        let mut far = TcpStream::connect(("127.0.0.1", there)).await.unwrap();
                        // whoever hangs up first
                        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Slow { port, is_reached, passes }
    }
}

/// Neither a member nor a manager is written to by a host that has lost its lease: the one that has it writes to everybody, once.
#[tokio::test]
async fn a_host_that_loses_its_lease_before_the_message_sends_none() {
    for is_of_manager in [false, true] {
        let Some(server) = Server::start("accept", &[]).await else { return };
        let mut setting = start_portal(world(now())).await;
        if !setting.keep_on_server() {
            return;
        }
        let (setting, place) = (&setting, setting.server.clone().unwrap());
        let slow = Slow::to(&server).await;
        let mut text = settings_for(slow.port, "");
        if is_of_manager {
            text = text.replace("enabled = true", "enabled = false") + "[manager]\nmail_to = [\"boss@example.com\"]\n";
        }
        let config = settings_file(setting, &text);
        let taken_over = async {
            slow.is_reached.clone().wait_for(|is_reached| *is_reached).await.unwrap();
            setting.lease_ends().await;
            let other = Store::on_server(&place).await.unwrap();
            let lease = other.lease("another host", Duration::from_secs(90)).await.unwrap();
            assert!(matches!(lease, Leased::Taken(_)), "{lease:?}");
            slow.passes.send_replace(true);
            (other, lease)
        };
        let (run, (other, lease)) = tokio::join!(go(setting, &config, &[]), taken_over);
        assert_eq!((run.exit, server.recipients().len()), (1, 0), "{} {}", run.stdout, run.stderr);
        assert!(run.stderr.contains("has passed to another run"), "{}", run.stderr);
        drop(lease);
        other.close().await;
        setting.lease_ends().await;
        let next = go(setting, &config, &[]).await;
        assert_eq!((next.exit, next.stderr.as_str()), (0, ""), "{}", next.stdout);
        let recipients = server.recipients();
        let people: BTreeSet<&String> = recipients.iter().collect();
        assert!(!people.is_empty() && people.len() == recipients.len(), "{recipients:?}");
        assert_eq!(people.iter().any(|name| *name == "boss"), is_of_manager, "{recipients:?}");
    }
}
