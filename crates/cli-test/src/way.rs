//! A way to the server of stores that can be cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use job_store::testing::socket_folder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// A way to the server of this test executable on which so many bytes come through.
pub struct Way {
    /// For `--state`.
    pub address: String,
    sent: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Way {
    /// One that is cut off after so many bytes to the server; `None` where there is no server.
    ///
    /// # Panics
    /// Nothing can be listened on.
    pub async fn for_bytes(most: usize) -> Option<Self> {
        let socket = socket_folder()?.join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("postgres://tester@{}/tests", listener.local_addr().unwrap());
        let (sent, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(most)));
        let (counted, limit) = (Arc::clone(&sent), Arc::clone(&most));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = UnixStream::connect(&socket).await.unwrap();
                let (counted, limit) = (Arc::clone(&counted), Arc::clone(&limit));
                tokio::spawn(pass_on(near, far, counted, limit));
            }
        });
        Some(Way { address, sent, most })
    }

    /// Bytes that were on their way to the server until now.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// Nothing comes through any more once so many bytes were sent, those until now included.
    pub fn cut_after(&self, most: usize) {
        self.most.store(most, Ordering::SeqCst);
    }
}

async fn pass_on(near: TcpStream, far: UnixStream, counted: Arc<AtomicUsize>, limit: Arc<AtomicUsize>) {
    let ((mut from, mut back), (mut answers, mut to)) = (near.into_split(), far.into_split());
    let there = async {
        let mut bytes = [0; 4_096];
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            let is_through = counted.fetch_add(read, Ordering::SeqCst) + read <= limit.load(Ordering::SeqCst);
            if !is_through || to.write_all(&bytes[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = there => {}
        _ = tokio::io::copy(&mut answers, &mut back) => {}
    }
}
