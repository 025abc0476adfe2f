//! Waiting for several futures at once, without a task for each.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Waits for all futures and answers their outputs in order. Each wake-up looks at all that are left: meant for few.
pub(crate) struct JoinAll<F: Future> {
    parts: Vec<Part<F>>,
}

enum Part<F: Future> {
    Running(Pin<Box<F>>),
    Done(F::Output),
}

/// Waits for all of `futures`.
pub(crate) fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> JoinAll<F> {
    JoinAll { parts: futures.into_iter().map(|future| Part::Running(Box::pin(future))).collect() }
}

// Nothing is pinned in place: the futures are boxed, and outputs are only moved.
impl<F: Future> Unpin for JoinAll<F> {}

impl<F: Future> Future for JoinAll<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut all_done = true;
        for part in &mut self.parts {
            if let Part::Running(future) = part {
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => *part = Part::Done(output),
                    Poll::Pending => all_done = false,
                }
            }
        }
        if !all_done {
            return Poll::Pending;
        }
        let done = self.parts.drain(..).filter_map(|part| match part {
            Part::Done(output) => Some(output),
            Part::Running(_) => None,
        });
        Poll::Ready(done.collect())
    }
}
