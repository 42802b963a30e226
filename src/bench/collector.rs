//! A collector of traces that only counts them: what exporting costs, without what keeping costs.

use anyhow::{Context, Result};
use axum::Router;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Takes batches of traces on this machine until it is dropped.
pub struct Collector {
    address: SocketAddr,
    batches: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Collector {
    /// Listens on a port that is free.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for traces")?;
        let address = listener.local_addr()?;
        let batches = Arc::new(AtomicUsize::new(0));
        let counted = batches.clone();
        let take = move || async move {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let router = Router::new().fallback(take);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "traces are not taken");
            }
        });
        Ok(Self { address, batches, task })
    }

    /// What an exporter is told.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many batches have come.
    pub fn batches(&self) -> usize {
        self.batches.load(Ordering::Relaxed)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}
