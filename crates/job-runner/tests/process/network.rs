//! What stands in the log and on the terminal when the way to the portal fails, or the portal says what it likes.

use cli_test::Run;
use portal_sim::{Certificate, Fault, FaultKind, PortalSim, Scenario};

use crate::common::Desk;

fn portal() -> Scenario {
    Scenario::empty("2026-11-20T09:00:00Z".parse().unwrap())
}

/// Lines of the log at `ERROR`.
fn errors(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter(|line| line.contains(" ERROR ")).collect()
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_one_line_with_its_remedy() {
    let sim = PortalSim::start_tls(portal(), Certificate::SelfSigned).await.unwrap();
    let desk = Desk { key: Some(sim.key()), ..Desk::new() };
    let ended = desk.run(&["--portal", &sim.url()]).await;
    let lines = errors(&ended);
    assert_eq!((ended.exit, lines.len()), (1, 1), "{}", ended.stderr);
    let sentence =
        "the portal's certificate is signed by itself; set `outbound.ca_file` to a file with exactly this certificate";
    assert!(lines[0].contains(sentence) && !ended.stderr.contains("CaUsedAsEndEntity"), "{}", ended.stderr);

    let checked = desk.run(&["doctor", "--portal", &sim.url()]).await;
    assert!(checked.stdout.contains(&format!("FAIL  tls: cannot read the portal's public settings: {sentence}")));
    assert!(!checked.stdout.contains("no connection"), "{}", checked.stdout);

    let trusted = desk.write("portal.pem", sim.trust_pem().unwrap());
    let config = desk.write("sample.toml", &format!("[outbound]\nca_file = \"{trusted}\"\n"));
    let ended = desk.run(&["whoami", "--config", &config, "--portal", &sim.url()]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
}

#[tokio::test]
async fn a_server_cannot_write_lines_of_the_log() {
    let (desk, sim) = Desk::with_portal().await;
    let class = format!("E\r\n2026-11-20T09:00:00.000000Z ERROR forged\u{1b}[2J{}", "x".repeat(3_000));
    sim.set_faults(vec![Fault::new(FaultKind::Exception { status: 500, class, message: String::new() })]);
    let ended = desk.run(&["--portal", &sim.url()]).await;
    assert_eq!((ended.exit, errors(&ended).len()), (1, 1), "{}", ended.stderr);
    assert!(ended.stderr.contains("\\u{a}2026-11-20"), "{}", ended.stderr);
    assert!(ended.stderr.lines().all(|line| line.len() < 500), "{}", ended.stderr);
}

/// The first questions of a run are limited as all others are.
#[tokio::test]
async fn a_portal_that_does_not_answer_holds_no_run_beyond_its_limit() {
    let (desk, sim) = Desk::with_portal().await;
    let config = desk.write("sample.toml", "run_limit = \"2s\"\n");
    for kind in [FaultKind::Latency { ms: 3_600_000, jitter_ms: 0 }, FaultKind::Slow { pieces: 100_000, pause_ms: 500 }]
    {
        sim.set_faults(vec![Fault::new(kind)]);
        let ended = desk.run(&["--config", &config, "--portal", &sim.url()]).await;
        assert_eq!(ended.exit, 1, "{}", ended.stderr);
    }
}
