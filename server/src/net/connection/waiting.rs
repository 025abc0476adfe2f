//! A connection whose command waits: for keys, or for a pause to end. Messages reach the client meanwhile, and its end is
//! noticed.

use std::{
    future::poll_fn,
    io,
    task::Poll,
    time::{Duration, Instant},
};

use tokio::net::TcpStream;

use super::Connection;
use crate::{
    cluster::{forward::wave::write_failure, replication::withheld},
    node::clock,
    session::{
        Session,
        blocking::{Answer, Blocked},
    },
};

/// While a command waits, at most this many bytes of what the client sends on are read: enough to notice that it left.
pub(super) const READ_WHILE_BLOCKED_MAX: usize = 64 * 1024;

impl Connection {
    /// Waits for a blocked command's reply; `false`: the connection is gone or to be closed.
    pub(super) async fn wait_blocked(&mut self, mut blocked: Blocked) -> bool {
        let timeout = async {
            match blocked.timeout_ms {
                Some(timeout_ms) => tokio::time::sleep(Duration::from_millis(timeout_ms)).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(timeout);
        let mut has_timed_out = false;
        let began = Instant::now();
        loop {
            enum Event {
                Routes,
                Reply(Option<Answer>),
                TimedOut,
                Input,
            }
            let may_read = self.pending.len() < READ_WHILE_BLOCKED_MAX;
            let routing = &self.node.cluster.routing;
            let seen = routing.changes();
            if !blocked.is_here(&self.node) && blocked.withdraw(&self.node) {
                // It waits at the next owner for the rest of the time.
                let waited_ms = began.elapsed().as_millis() as u64;
                let rest_ms = blocked.timeout_ms.map(|timeout_ms| timeout_ms.saturating_sub(waited_ms));
                self.pending.splice(0..0, blocked.request(rest_ms));
                return true;
            }
            let event = tokio::select! {
                biased;
                reply = &mut blocked.reply => Event::Reply(reply.ok()),
                () = &mut timeout, if !has_timed_out => Event::TimedOut,
                () = Self::input_or_mail(&self.stream, &self.session, may_read) => Event::Input,
                () = routing.wait_beyond(seen) => Event::Routes,
            };
            match event {
                Event::Routes => {}
                Event::Reply(Some(Answer { reply, mut withheld, written })) => {
                    blocked.leave(&self.node);
                    self.session.note_written(&written);
                    withheld::wait(&self.node, &mut withheld, withheld::patience(&self.node)).await;
                    if !blocked.is_silent {
                        match withheld.first() {
                            None => self.unsent.extend_from_slice(&reply),
                            Some(write) => write_failure(write.failure(), false, &mut self.unsent),
                        }
                    }
                    return self.write_unsent().await;
                }
                Event::Reply(None) => {
                    blocked.leave(&self.node);
                    return false;
                }
                Event::TimedOut => {
                    has_timed_out = true;
                    blocked.time_out(&self.node);
                }
                // For the moment that another thread takes for the command.
                Event::Input if blocked.is_being_served() => tokio::task::yield_now().await,
                Event::Input => {
                    if !self.take_input_while_blocked(may_read).await {
                        blocked.abandon(&self.node);
                        return false;
                    }
                }
            }
        }
    }

    /// Waits until CLIENT PAUSE may let the next command pass; `false`: the connection is gone or to be closed.
    pub(super) async fn wait_paused(&mut self) -> bool {
        let node = self.node.clone();
        let _waiting = node.pause.enter();
        self.session.client.facts.lock().is_blocked = true;
        let goes_on = loop {
            let may_read = self.pending.len() < READ_WHILE_BLOCKED_MAX;
            let has_input = tokio::select! {
                biased;
                () = node.pause.wait(clock::unix_ms()) => false,
                () = Self::input_or_mail(&self.stream, &self.session, may_read) => true,
            };
            if !has_input {
                break true;
            }
            if !self.take_input_while_blocked(may_read).await {
                break false;
            }
        };
        self.session.client.facts.lock().is_blocked = false;
        goes_on
    }

    pub(super) async fn input_or_mail(stream: &TcpStream, session: &Session, may_read: bool) {
        poll_fn(|cx| {
            if session.client.mailbox.is_filled() || may_read && stream.poll_read_ready(cx).is_ready() {
                return Poll::Ready(());
            }
            if session.client.mailbox.register(cx.waker()) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    pub(super) async fn take_input_while_blocked(&mut self, may_read: bool) -> bool {
        let mut mail = Vec::new();
        if self.take_mail(&mut mail).is_some() {
            return false;
        }
        self.unsent.extend_from_slice(&mail);
        if !self.write_unsent().await {
            return false;
        }
        if !may_read {
            return true;
        }
        let mut buf = [0; 4096];
        match self.stream.try_read(&mut buf) {
            Ok(0) => false,
            Ok(len) => {
                self.pending.extend_from_slice(&buf[..len]);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}
