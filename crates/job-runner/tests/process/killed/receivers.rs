//! Receivers of alerts that stop at a moment of a delivery, so that a test can kill whoever delivers just then.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a receiver has of a message when it stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Has {
    /// Nothing, or not all of it.
    NotYet,
    /// All of it, and has not said so.
    Unanswered,
    /// It has said so; the sender goes on.
    Answered,
}

/// A message that a receiver has read to its end.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) channel: String,
    /// By what it knows a copy, if its protocol has something for that; else what the message says.
    pub(super) key: String,
}

#[derive(Default)]
struct State {
    steps: usize,
    stops_at: Option<usize>,
    taken: Vec<Taken>,
}

/// The receivers, and how far they have come.
#[derive(Clone)]
pub(super) struct Receivers {
    state: Arc<Mutex<State>>,
    stopped: Arc<watch::Sender<Option<Has>>>,
    pub(super) http: u16,
    pub(super) smtp: u16,
}

impl Receivers {
    pub(super) async fn start() -> Self {
        let (web, mail) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let [http, smtp] = [&web, &mail].map(|listener| listener.local_addr().unwrap().port());
        let receivers = Receivers { state: Arc::default(), stopped: Arc::new(watch::channel(None).0), http, smtp };
        let (for_web, for_mail) = (receivers.clone(), receivers.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = web.accept().await {
                let receivers = for_web.clone();
                // who sends may be gone in the middle
                tokio::spawn(async move { receivers.request(BufReader::new(stream)).await });
            }
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = mail.accept().await {
                let receivers = for_mail.clone();
                tokio::spawn(async move { receivers.mails(BufReader::new(stream)).await });
            }
        });
        receivers
    }

    /// Begins anew; stops at this step, if one is given.
    pub(super) fn reset(&self, stops_at: Option<usize>) {
        *self.state.lock().unwrap() = State { stops_at, ..State::default() };
        self.stopped.send_replace(None);
    }

    /// Goes on with what was taken; stops nowhere.
    pub(super) fn go_on(&self) {
        self.state.lock().unwrap().stops_at = None;
    }

    /// Until it has stopped.
    pub(super) async fn stopped(&self) -> Has {
        let mut stopped = self.stopped.subscribe();
        let has = *stopped.wait_for(Option::is_some).await.unwrap();
        has.unwrap()
    }

    pub(super) fn steps(&self) -> usize {
        self.state.lock().unwrap().steps
    }

    pub(super) fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    fn take(&self, channel: &str, key: String) {
        self.state.lock().unwrap().taken.push(Taken { channel: channel.to_owned(), key });
    }

    async fn step(&self, has: Has) {
        let is_here = {
            let mut state = self.state.lock().unwrap();
            state.steps += 1;
            state.stops_at == Some(state.steps)
        };
        if is_here {
            self.stopped.send_replace(Some(has));
            std::future::pending::<()>().await;
        }
    }

    /// One request a connection.
    async fn request(&self, mut stream: BufReader<TcpStream>) -> Option<()> {
        self.step(Has::NotYet).await;
        let mut head = Vec::new();
        loop {
            let line = line(&mut stream).await?;
            if line.is_empty() {
                break;
            }
            head.push(line);
        }
        let header = |name: &str| {
            let named = |line: &String| {
                Some(line.split_once(": ")?)
                    .filter(|(is, _)| is.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.to_owned())
            };
            head.iter().find_map(named)
        };
        let mut body = vec![0; header("content-length")?.parse().unwrap()];
        stream.read_exact(&mut body).await.ok()?;
        let body: Value = serde_json::from_slice(&body).unwrap();
        let path = head[0].split(' ').nth(1).unwrap();
        let (channel, rest) = path.trim_start_matches('/').split_once('/').unwrap();
        let key = match channel {
            "webhook" => header("webhook-id").unwrap(),
            // the name of the transaction
            "matrix" => rest.rsplit('/').next().unwrap().to_owned(),
            "pagerduty" => format!("{} {}", body["event_action"], body["dedup_key"]),
            "alertmanager" => body[0]["labels"].to_string(),
            // no protocol of a chat knows copies
            _ => body.to_string(),
        };
        self.take(channel, key);
        self.step(Has::Unanswered).await;
        let answer = r#"{"event_id":"$1","status":"success"}"#;
        let answer =
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        stream.get_mut().write_all(answer.as_bytes()).await.ok()?;
        self.step(Has::Answered).await;
        Some(())
    }

    async fn mails(&self, mut stream: BufReader<TcpStream>) -> Option<()> {
        self.step(Has::NotYet).await;
        say(&mut stream, "220 localhost").await?;
        loop {
            let command = line(&mut stream).await?.to_ascii_uppercase();
            self.step(Has::NotYet).await;
            if command != "DATA" {
                say(&mut stream, "250 localhost").await?;
                continue;
            }
            say(&mut stream, "354 go on").await?;
            let mut id = None;
            loop {
                let line = line(&mut stream).await?;
                if line == "." {
                    break;
                }
                id = id.or(line.strip_prefix("Message-ID: ").map(str::to_owned));
            }
            self.take("mail", id.unwrap());
            self.step(Has::Unanswered).await;
            say(&mut stream, "250 taken").await?;
            self.step(Has::Answered).await;
        }
    }
}

/// Without its end; `None` where there is no more.
async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let bytes = stream.read_line(&mut line).await.ok()?;
    (bytes > 0 && line.ends_with('\n')).then(|| line.trim_end().to_owned())
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()
}
