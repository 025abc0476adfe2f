//! A request that is waited for.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use super::{
    Conn,
    queue::{Outcome, Refusal},
};
use crate::Cmd;

/// What a request consists of.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    /// One command.
    One(&'a Cmd),
    /// Several commands, sent together; their replies come together.
    Many(&'a [&'a Cmd]),
    /// Several commands that are executed all together or not at all: only once the last has arrived.
    Transaction(&'a [&'a Cmd]),
}

impl Payload<'_> {
    fn commands(self) -> u32 {
        match self {
            Self::One(_) => 1,
            Self::Many(commands) | Self::Transaction(commands) => u32::try_from(commands.len()).unwrap_or(u32::MAX),
        }
    }

    /// Writes the commands and answers how much of them has to arrive before anything is executed.
    fn encode_to(self, out: &mut Vec<u8>) -> usize {
        let before = out.len();
        let mut first_len = None;
        let commands = match &self {
            Self::One(cmd) => std::slice::from_ref(cmd),
            Self::Many(commands) | Self::Transaction(commands) => commands,
        };
        for cmd in commands {
            cmd.encode_to(out);
            first_len.get_or_insert(out.len() - before);
        }
        match self {
            Self::Transaction(_) => out.len() - before,
            Self::One(_) | Self::Many(_) => first_len.unwrap_or(0),
        }
    }
}

/// Waits for what becomes of a request. The request is made when this is polled for the first time; if this is dropped
/// then, the request stays in the order and its reply is dropped.
pub(crate) struct Request<'a> {
    conn: &'a Conn,
    payload: Payload<'a>,
    deadline: Instant,
    state: State,
}

enum State {
    New,
    Waiting(u32),
    Done,
}

impl<'a> Request<'a> {
    pub(super) fn new(conn: &'a Conn, payload: Payload<'a>, deadline: Instant) -> Self {
        Self { conn, payload, deadline, state: State::New }
    }

    fn begin(&mut self, cx: &Context<'_>) -> Result<Option<Outcome>, Refusal> {
        let payload = self.payload;
        if payload.commands() == 0 {
            return Ok(Some(Outcome::Many(Vec::new())));
        }
        loop {
            let encode = |out: &mut Vec<u8>| payload.encode_to(out);
            let taken = self.conn.queue().enqueue(payload.commands(), self.deadline, cx.waker(), encode);
            match taken {
                Ok((slot, driver)) => {
                    self.state = State::Waiting(slot);
                    if let Some(driver) = driver {
                        driver.wake();
                    }
                    return Ok(None);
                }
                Err(Refusal::Idle | Refusal::Down(_)) if self.conn.begin_connecting() => {}
                Err(refusal) => return Err(refusal),
            }
        }
    }
}

impl Future for Request<'_> {
    type Output = Result<Outcome, Refusal>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outcome = match this.state {
            State::New => match this.begin(cx) {
                Ok(None) => return Poll::Pending,
                Ok(Some(outcome)) => Ok(outcome),
                Err(refusal) => Err(refusal),
            },
            State::Waiting(slot) => match this.conn.queue().poll_slot(slot, cx.waker()) {
                Some(outcome) => Ok(outcome),
                None => return Poll::Pending,
            },
            State::Done => return Poll::Pending,
        };
        this.state = State::Done;
        Poll::Ready(outcome)
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if let State::Waiting(slot) = self.state {
            self.conn.queue().abandon(slot);
        }
    }
}
