//! A body without end must not eat this machine's memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use docspace_client::{ApiKey, Budget, Client, ErrorKind};
use outbound::{HttpOptions, RetryPolicy, http_client};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

const MIB: usize = 1024 * 1024;

/// A server that answers everything with JSON that never ends, and counts what it could send.
async fn endless() -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let counter = counter.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"response\":[";
                let mut part = head.as_bytes().to_vec();
                while stream.write_all(&part).await.is_ok() {
                    counter.fetch_add(part.len(), Ordering::Relaxed);
                    part = b"1,".repeat(32 * 1024);
                }
            });
        }
    });
    (url, sent)
}

#[tokio::test]
async fn a_body_without_end_is_an_error_after_some_mebibytes() {
    let (base, sent) = endless().await;
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    let key = ApiKey::new(SecretString::from("sk-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
    // the second question finds the budget used up by what the first one received
    let budget = Budget { bytes: 4 * MIB as u64, ..Budget::default() };
    let client = Client::new(http, base, key, RetryPolicy::immediate(), budget);
    assert_eq!(client.people().await.unwrap_err().kind, ErrorKind::UnexpectedForm);
    // what lies in buffers between the two is not held in this process
    assert!(sent.load(Ordering::Relaxed) < 32 * MIB, "{} MiB", sent.load(Ordering::Relaxed) / MIB);
    assert!(matches!(client.people().await.unwrap_err().kind, ErrorKind::BudgetExhausted { .. }));
}
