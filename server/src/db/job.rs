//! An operation that waits for its group, and for what became of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use licit_schemas::time::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Projection;
use super::people::RecordId;
use super::tx::Tx;
use crate::error::{Error, Result};

/// An operation of whatever answer.
pub(super) trait Job<P: Projection>: Send {
    /// Whether it succeeded; the answer waits inside until the group is durable.
    fn run(&mut self, tx: &mut Tx<'_, P>) -> bool;
    /// Who asks, and when.
    fn place(&self) -> (Uuid, Timestamp);
    /// Records it asks for first, which are looked up for the whole group at once.
    fn asks(&self) -> &[RecordId];
    /// Tell who waits, once it is known whether the group is durable.
    fn answer(self: Box<Self>, durable: std::result::Result<(), String>);
    /// It failed all the same.
    fn fail(&mut self, error: Error);
}

/// An operation with who waits for its answer.
pub(super) struct Task<T, W> {
    pub(super) actor: Uuid,
    pub(super) now: Timestamp,
    pub(super) asks: Vec<RecordId>,
    pub(super) work: W,
    pub(super) result: Option<Result<T>>,
    pub(super) reply: oneshot::Sender<Result<T>>,
}

impl<P: Projection, T: Send, W: Fn(&mut Tx<'_, P>) -> Result<T> + Send> Job<P> for Task<T, W> {
    fn run(&mut self, tx: &mut Tx<'_, P>) -> bool {
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(Error::Internal("the operation panicked".to_owned())));
        let good = result.is_ok();
        self.result = Some(result);
        good
    }

    fn place(&self) -> (Uuid, Timestamp) {
        (self.actor, self.now)
    }

    fn asks(&self) -> &[RecordId] {
        &self.asks
    }

    fn answer(self: Box<Self>, durable: std::result::Result<(), String>) {
        let result = match (self.result, durable) {
            (Some(result), Ok(())) => result,
            // Even what it refused by itself, it may have refused for what a neighbour recorded and the database never kept.
            (_, Err(sentence)) => Err(Error::Unavailable(sentence)),
            (None, Ok(())) => Err(Error::Internal("the operation never ran".to_owned())),
        };
        // The caller may have gone: nothing to tell then.
        let _ = self.reply.send(result);
    }

    fn fail(&mut self, error: Error) {
        self.result = Some(Err(error));
    }
}
