//! `serve`: real requests on loopback.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cli_test::Setting;
use outbound::HttpOptions;
use portal_sim::{Fault, FaultKind, PersonKind};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Child;

use crate::common::{Burst, hire, office, setting};
use crate::watched::{ENFORCE, Watched};

pub(crate) const TOKEN: &str = "a-token-that-nobody-guesses";

/// What the portal signs its webhooks with.
pub(crate) const SECRET: &str = "Secret-Key-2026!";

pub(crate) struct Server {
    pub(crate) setting: Setting,
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) http: Client,
}

impl Server {
    async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more settings: lines of `[serve]`, and tables after them. Somebody deletes 110 documents.
    pub(crate) async fn start_with(more: &str) -> Self {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst::new(5018, 110).by(&mut portal, &mara, &[71], "");
        let setting = setting(portal).await;
        let token = setting.file("token", TOKEN);
        setting.file("secret", &format!("{SECRET}\n"));
        let config = setting.file("bulk-guard.toml", &format!("[serve]\ntoken_file = \"{token}\"\n{more}"));
        Self::of(setting, &config).await
    }

    /// In a setting that is there. By its clock it is the portal's present moment for good.
    async fn of(setting: Setting, config: &str) -> Self {
        let url = setting.sim.url();
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--portal", &url, "--config", config];
        let mut child = setting.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next_line().await.unwrap().expect("the address is the first line");
        let http = outbound::http_client(&HttpOptions::new("a test", "1"), &url.parse().unwrap()).unwrap();
        Server { setting, child, url, http }
    }

    pub(crate) async fn scan(&self, token: &str) -> Response {
        let request = self.http.post(format!("{}/security/scan", self.url)).bearer_auth(token);
        request.send().await.unwrap()
    }

    /// How many requests are taken before one is too many. On a slow machine a minute ends meanwhile, and the next one begins anew.
    async fn taken_before_refusal(&self, token: &str) -> usize {
        for taken in 0..1000 {
            if self.scan(token).await.status() == StatusCode::TOO_MANY_REQUESTS {
                return taken;
            }
        }
        panic!("no request was too many");
    }

    #[cfg(unix)]
    pub(crate) async fn terminate(&self) {
        let id = self.child.id().unwrap().to_string();
        let killed = tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(killed.success());
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// What a counter of `/metrics` says.
    pub(crate) async fn counted(&self, name: &str) -> u64 {
        let (_, told) = self.get("/metrics").await;
        let line = format!("docspace_bulk_guard_{name} ");
        let count = told.lines().find_map(|told| told.strip_prefix(&line));
        count.unwrap_or_else(|| panic!("{name} in {told}")).parse().unwrap()
    }

    /// Waits until a counter is so high.
    pub(crate) async fn counts(&self, name: &str, least: u64) {
        cli_test::in_time(async { while self.counted(name).await < least {} }).await;
    }
}

async fn json(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_scan_answers_with_the_report() {
    let server = Server::start().await;
    let answer = server.scan(TOKEN).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = json(answer).await;
    assert_eq!(answer["status"], "ok");
    assert_eq!(answer["report"]["findings"][0]["file_count"], 110);
    let published = server.http.get(format!("{}/security/scan", server.url)).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(json(published).await["status"], "ok");
    assert!(server.get("/metrics").await.1.contains("docspace_bulk_guard_scans_total 2\n"));
}

#[tokio::test]
async fn without_the_token_nothing_is_done() {
    let server = Server::start().await;
    for token in ["", "a-token-that-nobody-guesse", "a-token-that-nobody-guesses2"] {
        let answer = server.scan(token).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{token}");
        assert_eq!(json(answer).await["status"], "error");
    }
    let (status, _) = server.get("/security/scan").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.setting.sim.requests().len(), 0);
    assert_eq!(server.get("/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn callers_at_the_same_time_get_the_same_scan() {
    let server = Server::start().await;
    let answers = futures::future::join_all((0..5).map(|_| server.scan(TOKEN))).await;
    for answer in answers {
        assert_eq!(json(answer).await["status"], "ok");
    }
    assert!(server.get("/metrics").await.1.contains("docspace_bulk_guard_scans_total 1\n"));
}

/// Whoever may act is not put off with the result of a scan that could not; whoever only reads takes what there is.
#[tokio::test]
async fn a_post_does_not_share_the_scan_of_a_get() {
    let server = Server::start().await;
    let slow = Fault::new(FaultKind::Latency { ms: 300, jitter_ms: 0 });
    server.setting.sim.edit(|portal| portal.faults.push(slow));
    let url = format!("{}/security/scan", server.url);
    let get = || async { server.http.get(&url).bearer_auth(TOKEN).send().await.unwrap().status() };
    let at_work = async |asked: usize| server.setting.sim.answered(asked + 1).await;
    let posted = async {
        at_work(0).await;
        futures::future::join(server.scan(TOKEN), server.scan(TOKEN)).await
    };
    let (read, (one, other)) = tokio::join!(get(), posted);
    assert_eq!([read, one.status(), other.status()], [StatusCode::OK; 3]);
    assert_eq!(server.counted("scans_total").await, 2);
    let asked = server.setting.sim.requests().len();
    let read = async {
        at_work(asked).await;
        get().await
    };
    let (posted, read) = tokio::join!(server.scan(TOKEN), read);
    assert_eq!([posted.status(), read], [StatusCode::OK; 2]);
    assert_eq!(server.counted("scans_total").await, 3);
}

/// Where the settings say `enforce`, whoever reads changes nothing, however often, and of those who post at the same time one suspends.
#[tokio::test]
async fn those_who_read_suspend_nobody_and_those_who_post_suspend_once() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    let Watched { setting, config, mara } = watched;
    let token = setting.file("token", TOKEN);
    let settings = std::fs::read_to_string(&config).unwrap();
    setting.file("bulk-guard.toml", &format!("{settings}[serve]\ntoken_file = \"{token}\"\n"));
    let server = Server::of(setting, &config).await;
    let calls = || server.setting.sim.requests().iter().filter(|request| request.method == "PUT").count();
    let url = format!("{}/security/scan", server.url);
    let read = json(server.http.get(&url).bearer_auth(TOKEN).send().await.unwrap()).await;
    assert_eq!(read["report"]["findings"][0]["file_count"], 110, "{read}");
    assert!(server.scan("another token").await.status() == StatusCode::UNAUTHORIZED && calls() == 0);
    let posted = futures::future::join_all((0..4).map(|_| server.scan(TOKEN))).await;
    for answer in posted {
        let answer = json(answer).await;
        assert_eq!(answer["report"]["actions"][0]["state"], "done", "{answer}");
    }
    server.setting.sim.edit(|portal| assert_eq!(portal.person(mara).unwrap().status, 2));
    assert_eq!(calls(), 1);
}

#[tokio::test]
async fn a_scan_that_sees_nothing_is_an_error_and_the_server_not_ready() {
    let server = Server::start().await;
    assert_eq!(server.get("/readyz").await.0, StatusCode::OK);
    server.setting.sim.edit(|portal| portal.audit = false);
    let answer = server.scan(TOKEN).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let answer = json(answer).await;
    assert_eq!((&answer["status"], &answer["exit_code"]), (&"error".into(), &1.into()));
    assert_eq!(server.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    server.setting.sim.edit(|portal| portal.audit = true);
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::OK);
    assert_eq!(server.get("/readyz").await.0, StatusCode::OK);
}

/// A scan without memory is none to rely on, and the server says the same of itself.
#[tokio::test]
async fn a_scan_without_memory_is_an_error_and_the_server_not_ready() {
    let server = Server::start().await;
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::OK);
    std::fs::write(server.setting.state_file("sqlite"), "").unwrap();
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(server.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn too_many_requests_are_turned_away() {
    let began = Instant::now();
    let server = Server::start().await;
    let taken = server.taken_before_refusal("").await;
    assert!(taken == 60 || taken > 60 && began.elapsed() >= Duration::from_secs(60), "{taken}");
    let (status, body) = server.get("/healthz").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "ok\n"));
}

/// What a caller can get, but for the report itself.
#[tokio::test]
async fn answers_look_like_this() {
    let server = Server::start().await;
    let mut told = String::new();
    let varies = |name: &str| ["report", "detail"].contains(&name);
    let mut show = async |what: &str, answer: Response| {
        let (status, head) = (answer.status(), answer.headers().clone());
        writeln!(told, "{what}\n{status}").unwrap();
        for name in ["content-type", "www-authenticate", "retry-after", "allow"] {
            head.get(name).iter().for_each(|value| writeln!(told, "{name}: {}", value.to_str().unwrap()).unwrap());
        }
        let body = answer.text().await.unwrap();
        let shown = match serde_json::from_str::<Value>(&body) {
            Ok(mut body) => {
                if body["exit_code"].is_u64() || body["status"] == "ok" {
                    for (_, value) in body.as_object_mut().unwrap().iter_mut().filter(|(name, _)| varies(name)) {
                        *value = "…".into();
                    }
                }
                serde_json::to_string_pretty(&body).unwrap()
            }
            Err(_) => body,
        };
        writeln!(told, "{}\n", shown.trim_end()).unwrap();
    };
    let request = |method: Method, path: &str| server.http.request(method, format!("{}{path}", server.url));
    for path in ["/healthz", "/readyz", "/metrics", "/nothing", "/security/scan"] {
        show(&format!("GET {path}"), request(Method::GET, path).send().await.unwrap()).await;
    }
    show("DELETE /security/scan", request(Method::DELETE, "/security/scan").send().await.unwrap()).await;
    show("POST /security/scan, with the token", server.scan(TOKEN).await).await;
    server.setting.sim.edit(|portal| portal.audit = false);
    show("the same, without the audit feature", server.scan(TOKEN).await).await;
    show("GET /readyz", request(Method::GET, "/readyz").send().await.unwrap()).await;
    for _ in 0..60 {
        server.scan("").await;
    }
    show("POST /security/scan, too often", server.scan("").await).await;
    insta::assert_snapshot!("answers", told);
}

/// A caller who never finishes a request keeps a server that was asked to stop from nothing.
#[cfg(unix)]
#[tokio::test]
async fn a_slow_caller_does_not_keep_it_from_stopping() {
    let mut server = Server::start().await;
    let address = server.url.strip_prefix("http://").unwrap();
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"POST /security/scan HTTP/1.1\r\nHost: x\r\nX-Sl").await.unwrap();
    assert_eq!(server.get("/healthz").await.0, StatusCode::OK);
    server.terminate().await;
    assert_eq!(cli_test::in_time(server.child.wait()).await.unwrap().code(), Some(0));
}

/// Whoever waits for a scan gets its answer, although the server was asked to stop meanwhile and a caller has hung up.
#[cfg(unix)]
#[tokio::test]
async fn a_scan_that_runs_is_answered_before_it_stops() {
    let mut server = Server::start().await;
    let slow = Fault::new(FaultKind::Latency { ms: 300, jitter_ms: 0 });
    server.setting.sim.edit(|portal| portal.faults.push(slow));
    tokio::select! {
        _ = server.scan(TOKEN) => panic!("the caller hangs up before the scan ends"),
        () = server.setting.sim.answered(1) => {}
    }
    let (answer, ()) = tokio::join!(server.scan(TOKEN), async {
        // by the time of several answers the other request has long arrived
        for _ in 0..10 {
            assert_eq!(server.get("/healthz").await.0, StatusCode::OK);
        }
        server.terminate().await;
    });
    assert_eq!(json(answer).await["status"], "ok");
    assert_eq!(cli_test::in_time(server.child.wait()).await.unwrap().code(), Some(0));
}

/// Cron's run has the lock.
#[cfg(unix)]
#[tokio::test]
async fn while_another_run_is_at_work_the_caller_is_told_to_come_back() {
    let server = Server::start().await;
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::OK);
    let lock = std::fs::File::options().write(true).open(server.setting.state_file("lock")).unwrap();
    lock.lock().unwrap();
    let answer = server.scan(TOKEN).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json(answer).await["status"], "error");
    assert_eq!(server.get("/readyz").await.0, StatusCode::OK);
}

/// A scan that was left to another run says nothing of whether scans work.
#[tokio::test]
async fn after_a_failed_scan_one_that_has_not_looked_makes_nothing_ready() {
    let server = Server::start().await;
    server.setting.sim.set_faults(vec![portal_sim::Fault::status(401)]);
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(server.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let lock = std::fs::File::options().write(true).open(server.setting.state_file("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

/// Callers without the token must not use up the requests of those who have it.
#[tokio::test]
async fn strangers_do_not_lock_callers_out() {
    let server = Server::start().await;
    server.taken_before_refusal("").await;
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn huge_headers_and_other_methods_are_refused() {
    let server = Server::start().await;
    assert!(server.scan(&"x".repeat(1_000_000)).await.status().is_client_error());
    let deleted = server.http.delete(format!("{}/security/scan", server.url)).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(server.setting.sim.requests().len(), 0);
    assert_eq!(server.get("/healthz").await.0, StatusCode::OK);
}

/// Whoever says nothing at all, or nothing more, is cut off as well. A connection has one answer: who asks on and reads nothing would hold it.
#[tokio::test]
async fn silent_connections_are_cut_off() {
    let server = Server::start().await;
    let address = server.url.strip_prefix("http://").unwrap();
    let mut silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut idle = tokio::net::TcpStream::connect(address).await.unwrap();
    idle.write_all(&b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2)).await.unwrap();
    for (connection, begins) in [(&mut silent, ""), (&mut idle, "HTTP/1.1 200")] {
        let mut told = Vec::new();
        cli_test::in_time(tokio::io::AsyncReadExt::read_to_end(connection, &mut told)).await.unwrap();
        let told = String::from_utf8_lossy(&told);
        assert!(told.starts_with(begins) && told.matches("HTTP/1.1 ").count() <= 1, "{told}");
    }
}

/// Whoever begins requests and never ends them is cut off, and holds neither others nor the end of the process up.
#[cfg(unix)]
#[tokio::test]
async fn callers_who_never_ask_are_cut_off_and_hold_nobody_up() {
    let mut server = Server::start().await;
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut silent = Vec::new();
    for _ in 0..200 {
        let mut caller = tokio::net::TcpStream::connect(&address).await.unwrap();
        caller.write_all(b"POST /security/scan HTTP/1.1\r\nHost: x\r\nX-Sl").await.unwrap();
        silent.push(caller);
    }
    // more than are held at a time: others get their turn as soon as the first are cut off
    assert_eq!(cli_test::in_time(server.get("/healthz")).await.0, StatusCode::OK);
    let mut rest = Vec::new();
    cli_test::in_time(tokio::io::AsyncReadExt::read_to_end(&mut silent[0], &mut rest)).await.ok();
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    server.terminate().await;
    assert_eq!(cli_test::in_time(server.child.wait()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn neither_head_nor_a_long_body_makes_a_scan() {
    let server = Server::start().await;
    let url = format!("{}/security/scan", server.url);
    let head = server.http.head(&url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::METHOD_NOT_ALLOWED);
    let long = server.http.post(&url).bearer_auth(TOKEN).body("x".repeat(1_000_000)).send().await;
    // the server may hang up before it has taken all of it
    assert!(long.is_err() || long.is_ok_and(|answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    assert_eq!(server.setting.sim.requests().len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn it_stops_when_asked_and_ends_well() {
    let mut server = Server::start().await;
    server.terminate().await;
    assert_eq!(cli_test::in_time(server.child.wait()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn what_is_not_safe_is_refused_before_it_listens() {
    let setting = setting(office()).await;
    let url = setting.sim.url();
    let token = setting.file("token", "short");
    let config = setting.file("bulk-guard.toml", &format!("[serve]\ntoken_file = \"{token}\"\n"));
    let long = setting.file("long", &"x".repeat(5_000));
    let too_long = setting.file("long.toml", &format!("[serve]\ntoken_file = \"{long}\"\n"));
    for (arguments, reason) in [
        (vec!["serve", "--listen", "127.0.0.1:0", "--config", &too_long], "longer than 4096 bytes"),
        (vec!["serve", "--listen", "0.0.0.0:0", "--config", &config], "--behind-tls-proxy"),
        (vec!["serve", "--listen", "127.0.0.1:0", "--config", &config], "at least 16 characters"),
        (vec!["serve", "--listen", "127.0.0.1:0"], "serve.token_file"),
    ] {
        let ended = setting.run_with(&[&arguments[..], &["--portal", &url]].concat()).await;
        assert_eq!(ended.exit, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
    }
}
