//! Several slices being read at once, which goes on while others are stored.

use std::collections::VecDeque;
use std::pin::pin;

use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;

use crate::unread::{Part, Unread};

/// Slices on their way. `read` begins to read one.
pub(crate) struct Reading<S, F, R> {
    read: R,
    on_their_way: FuturesUnordered<F>,
    arrived: VecDeque<S>,
}

impl<S, F: Future<Output = S>, R: Fn(Part) -> F> Reading<S, F, R> {
    pub(crate) fn new(read: R) -> Self {
        Reading { read, on_their_way: FuturesUnordered::new(), arrived: VecDeque::new() }
    }

    /// Begins to read as much as may be in memory at once, those that have arrived included.
    pub(crate) fn begin(&mut self, unread: &mut Unread) {
        let parts = unread.take(self.on_their_way.len() + self.arrived.len());
        self.on_their_way.extend(parts.into_iter().map(&self.read));
    }

    /// The next slice that was read, in no particular order; `None` when none is on its way.
    pub(crate) async fn next(&mut self) -> Option<S> {
        match self.arrived.pop_front() {
            None => self.on_their_way.next().await,
            arrived => arrived,
        }
    }

    /// Does something else while the reads go on.
    pub(crate) async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        while !self.on_their_way.is_empty() {
            match select(work.as_mut(), self.on_their_way.next()).await {
                Either::Left((done, _)) => return done,
                Either::Right((slice, _)) => self.arrived.extend(slice),
            }
        }
        work.await
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::oneshot;

    use super::*;

    /// What is being stored ends only after a read has, so one that stalls the other would never end.
    #[tokio::test]
    async fn reads_go_on_while_something_is_stored() {
        let (read, stored) = oneshot::channel();
        let read = std::cell::RefCell::new(Some(read));
        let mut reading = Reading::new(async |part: Part| {
            read.borrow_mut().take().unwrap().send(()).unwrap();
            part.rest.span
        });
        let span = audit_model::Window::new(
            chrono::DateTime::UNIX_EPOCH,
            chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(1),
        );
        reading.begin(&mut Unread::new(vec![span]));
        reading.meanwhile(stored).await.unwrap();
        assert_eq!(reading.next().await, Some(span));
        assert_eq!(reading.next().await, None);
    }
}
