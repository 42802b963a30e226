//! An alarm on its way through a bounded queue: whatever happens to it, it is counted once.

use crate::{
    alarm::Notice,
    tally::{Outcome, Tally},
};
use futures::{FutureExt, Stream, future::FusedFuture, stream};
use parking_lot::Mutex;
use std::{future::Future, sync::Arc};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// A notice that must be settled; dropped unsettled it counts as lost.
pub(crate) struct Pending {
    pub(crate) notice: Arc<Notice>,
    tally: Arc<dyn Tally>,
    /// What is counted when it is dropped.
    outcome: Outcome,
}

impl Pending {
    pub(crate) fn new(notice: Arc<Notice>, tally: Arc<dyn Tally>, lost: Outcome) -> Self {
        Self { notice, tally, outcome: lost }
    }

    /// This became of it.
    pub(crate) fn settle(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// This happened on the way.
    pub(crate) fn count(&self, outcome: Outcome) {
        self.tally.count(self.notice.action.label(), outcome);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.count(self.outcome);
    }
}

/// A bounded queue and the task that empties it.
pub(crate) struct Queue {
    sender: mpsc::Sender<Pending>,
    /// Taken when it is closed; dropped with the queue, which closes it as well.
    task: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Queue {
    /// Starts the task that `run` makes of the queue's stream.
    pub(crate) fn start<F>(
        runtime: &Handle,
        capacity: usize,
        run: impl FnOnce(Arrivals) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(capacity);
        let (close, closing) = oneshot::channel();
        let task = runtime.spawn(run(arrivals(receiver, closing)));
        Self { sender, task: Mutex::new(Some((close, task))) }
    }

    /// Queues `pending`; where the queue is full or closed it is dropped, and so counted.
    pub(crate) fn push(&self, pending: Pending) {
        drop(self.sender.try_send(pending));
    }

    /// Takes nothing more and waits until the queue is empty, at the latest until `deadline`; what
    /// is left then is dropped. Whether everything was settled; a second call finds nothing to do.
    pub(crate) async fn close(&self, deadline: Instant) -> bool {
        let Some((close, mut task)) = self.task.lock().take() else { return true };
        drop(close);
        if let Ok(ended) = timeout_at(deadline, &mut task).await {
            return ended.is_ok();
        }
        task.abort();
        // Only after this has everything that was left been counted.
        let _aborted = task.await;
        false
    }
}

/// What comes out of a queue: everything until it is closed, then what is still in it.
pub(crate) type Arrivals = std::pin::Pin<Box<dyn Stream<Item = Pending> + Send>>;

fn arrivals(mut queue: mpsc::Receiver<Pending>, closing: oneshot::Receiver<()>) -> Arrivals {
    let mut closing = closing.fuse();
    Box::pin(stream::poll_fn(move |context| {
        if !closing.is_terminated() && closing.poll_unpin(context).is_ready() {
            queue.close();
        }
        queue.poll_recv(context)
    }))
}
