//! How fast audit pages of a million events are served, next to a bare handler that returns a fixed body.
//!
//! `cargo bench -p portal-sim` first prints the ratio of both from one run, then the single figures.
//! `PAGES_EVENTS=100000` makes the portal smaller.

use std::io;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use chrono::{DateTime, Utc};
use portal_sim::{Office, PortalSim};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// How long one side is measured before it is the other's turn, and how often; a busy machine then slows down both.
const SPAN: Duration = Duration::from_millis(200);
const TURNS: usize = 15;
/// Different pages that are asked for in turn.
const PAGES: usize = 997;

static WORLD: LazyLock<World> = LazyLock::new(World::new);

struct World {
    runtime: Runtime,
    sim: PortalSim,
    /// The bare handler's address.
    bare: String,
    /// Targets of audit pages all over the trail.
    pages: Vec<String>,
}

impl World {
    fn new() -> World {
        let events = std::env::var("PAGES_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
        let now: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().expect("an instant");
        let started = Instant::now();
        let scenario = Office::new(1).people(300).rooms(60).days(200).events(events).build(now).expect("an office");
        let mut dates: Vec<DateTime<Utc>> = scenario.events.iter().map(|event| event.at).collect();
        dates.sort_unstable();
        let pages = (0..PAGES)
            .map(|page| {
                let to = dates[(page + 1) * (dates.len() - 1) / PAGES].format("%Y-%m-%dT%H:%M:%SZ");
                format!("/api/2.0/security/audit/events/filter?count=100&to={to}")
            })
            .collect();
        report(&format!("generated {} events in {:.1} s", dates.len(), started.elapsed().as_secs_f64()));
        let runtime = Runtime::new().expect("a runtime");
        let sim = runtime.block_on(PortalSim::start(scenario)).expect("start");
        let mut world = World { runtime, sim, bare: String::new(), pages };
        let started = Instant::now();
        let body = world.runtime.block_on(async { Client::to_sim(&world).await.get(&world.pages[PAGES / 2]).await });
        report(&format!("first page, with the index: {:.2} s", started.elapsed().as_secs_f64()));
        let app = Router::new().fallback(async move || body.clone());
        let listener = world.runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        world.bare = listener.local_addr().expect("an address").to_string();
        world.runtime.spawn(async move { axum::serve(listener, app).await });
        world
    }

    fn page(&self, number: usize) -> &str {
        // a large prime step visits all pages in no order
        &self.pages[number * 619 % PAGES]
    }
}

/// A keep-alive connection that reads answers and looks at nothing.
struct Client {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Client {
    async fn to_sim(world: &World) -> Client {
        let url = world.sim.url();
        let head = format!("Host: x\r\nAuthorization: Bearer {}\r\n", world.sim.key());
        Client::new(url.trim_start_matches("http://"), head).await
    }

    async fn new(address: &str, head: String) -> Client {
        let stream = TcpStream::connect(address).await.expect("connect");
        stream.set_nodelay(true).expect("an open connection");
        Client { stream, head, buffer: vec![0; 1 << 20] }
    }

    /// The body as it came, chunk sizes and all.
    async fn get(&mut self, target: &str) -> Vec<u8> {
        let request = format!("GET {target} HTTP/1.1\r\n{}\r\n", self.head);
        self.stream.write_all(request.as_bytes()).await.expect("send");
        let mut filled = 0;
        loop {
            filled += self.stream.read(&mut self.buffer[filled..]).await.expect("receive");
            let answer = &self.buffer[..filled];
            let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let (head, body) = (&answer[..end], &answer[end + 4..]);
            if is_whole(head, body) {
                assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(head));
                return body.to_vec();
            }
        }
    }
}

fn is_whole(head: &[u8], body: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => body.len() >= length.parse().expect("a length"),
        None => body.ends_with(b"\r\n0\r\n\r\n"),
    }
}

/// Asks for pages until the span is over; gives how many came and how long it took.
async fn pages(client: &mut Client, target: impl Fn(usize) -> String) -> (usize, f64) {
    let started = Instant::now();
    let mut pages = 0;
    while started.elapsed() < SPAN {
        client.get(&target(pages)).await;
        pages += 1;
    }
    (pages, started.elapsed().as_secs_f64())
}

/// Pages per second of the simulator and of the bare handler, by turns.
async fn compare(world: &World) -> (f64, f64) {
    let mut sim = Client::to_sim(world).await;
    let mut bare = Client::new(&world.bare, "Host: x\r\n".to_owned()).await;
    let mut sums = [(0, 0.0); 2];
    for turn in 0..TURNS {
        let ours = pages(&mut sim, |page| world.page(turn * 101 + page).to_owned()).await;
        let theirs = pages(&mut bare, |_| "/".to_owned()).await;
        for (sum, (pages, seconds)) in sums.iter_mut().zip([ours, theirs]) {
            *sum = (sum.0 + pages, sum.1 + seconds);
        }
    }
    let [sim, bare] = sums.map(|(pages, seconds)| pages as f64 / seconds);
    (sim, bare)
}

fn report(line: &str) {
    use io::Write as _;
    // a closed pipe is no reason to stop measuring
    let _ = writeln!(io::stdout(), "{line}");
}

fn main() {
    let world = &*WORLD;
    let (sim, bare) = world.runtime.block_on(compare(world));
    report(&format!("simulator {sim:.0} pages/s, bare handler {bare:.0} pages/s, ratio {:.2}\n", sim / bare));
    divan::main();
}

fn run(bencher: divan::Bencher<'_, '_>, client: Client, target: impl Fn(usize) -> String + Sync) {
    let client = Mutex::new((client, 0));
    bencher.bench(|| {
        let mut state = client.lock().expect("no bench panics");
        let (client, count) = &mut *state;
        *count += 1;
        WORLD.runtime.block_on(client.get(&target(*count)))
    });
}

#[divan::bench]
fn bare_handler(bencher: divan::Bencher<'_, '_>) {
    let client = WORLD.runtime.block_on(Client::new(&WORLD.bare, "Host: x\r\n".to_owned()));
    run(bencher, client, |_| "/".to_owned());
}

#[divan::bench]
fn audit_page_by_date(bencher: divan::Bencher<'_, '_>) {
    let client = WORLD.runtime.block_on(Client::to_sim(&WORLD));
    run(bencher, client, |page| WORLD.page(page).to_owned());
}

#[divan::bench]
fn audit_page_with_fields(bencher: divan::Bencher<'_, '_>) {
    let client = WORLD.runtime.block_on(Client::to_sim(&WORLD));
    run(bencher, client, |page| format!("{}&fields=id,date,userId,actionId,target,context", WORLD.page(page)));
}

#[divan::bench]
fn audit_page_by_offset(bencher: divan::Bencher<'_, '_>) {
    let client = WORLD.runtime.block_on(Client::to_sim(&WORLD));
    run(bencher, client, |page| format!("/api/2.0/security/audit/events/filter?startIndex={}", page * 7919 % 100_000));
}

#[divan::bench]
fn audit_page_compressed(bencher: divan::Bencher<'_, '_>) {
    let mut client = WORLD.runtime.block_on(Client::to_sim(&WORLD));
    client.head.push_str("Accept-Encoding: gzip\r\n");
    run(bencher, client, |page| WORLD.page(page).to_owned());
}

#[divan::bench]
fn login_page(bencher: divan::Bencher<'_, '_>) {
    let client = WORLD.runtime.block_on(Client::to_sim(&WORLD));
    run(bencher, client, |page| format!("/api/2.0/security/audit/login/filter?startIndex={}", page % 40 * 50));
}
