//! The task that owns a connection's socket: it writes what the queue gathered, and hands out what is read.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use rondache_protocol::resp::{decoder::ReplyDecoder, value::Value};
use tokio::{
    io::ReadBuf,
    time::{Sleep, sleep_until},
};

use super::{
    Shared,
    connect::{self, Connected, Greeted, Stream},
    queue::Status,
};
use crate::error::LinkError;

/// Connects, serves the connection until it ends, and tells the queue of the end.
pub(super) async fn run(shared: Arc<Shared>) {
    let connected = match connect_watching(&shared).await {
        Ok(connected) => connected,
        Err(why) => {
            tracing::debug!(node = %shared.name, %why, "cannot connect");
            return shared.ended(&why, 0, false);
        }
    };
    {
        let mut queue = shared.queue.lock();
        if matches!(queue.status, Status::Closed) {
            drop(queue);
            return shared.ended(&LinkError::ShutDown, 0, true);
        }
        queue.status = Status::Up;
    }
    shared.link.observers.iter().for_each(|observer| observer.connected(&shared.name));
    let end = match connected {
        Connected::Plain(greeted) => Pump::new(&shared, greeted).await,
        #[cfg(feature = "tls")]
        Connected::Tls(greeted) => Pump::new(&shared, *greeted).await,
    };
    tracing::debug!(node = %shared.name, why = %end.why, "connection ended");
    // First those who keep copies by this connection's messages, then those whose requests it takes down.
    shared.link.observers.iter().for_each(|observer| observer.disconnected(&shared.name, &end.why));
    shared.ended(&end.why, end.written, end.was_useful);
}

/// Connects, and meanwhile lets requests time out that wait for the connection.
async fn connect_watching(shared: &Shared) -> Result<Connected, LinkError> {
    const TICK: Duration = Duration::from_millis(10);
    let mut connecting = std::pin::pin!(connect::connect(&shared.addr, &shared.link));
    loop {
        if let Ok(done) = tokio::time::timeout(TICK, &mut connecting).await {
            return done;
        }
        let mut wakers = Vec::new();
        {
            let mut queue = shared.queue.lock();
            if matches!(queue.status, Status::Closed) {
                return Err(LinkError::ShutDown);
            }
            queue.expire(Instant::now(), 0, &mut wakers);
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

struct End {
    why: LinkError,
    written: u64,
    was_useful: bool,
}

/// Room for replies; it grows for a longer string, and comes back to this.
const INPUT_LEN: usize = 64 * 1024;
/// An empty output buffer above this is given back.
const OUTPUT_KEPT_MAX: usize = 1024 * 1024;
/// Checks for silence in one `silence_max`.
const CHECKS: u32 = 4;

/// Moves bytes between socket and queue until the connection ends.
struct Pump<'a, S> {
    shared: &'a Shared,
    stream: S,
    decoder: ReplyDecoder,
    input: Vec<u8>,
    /// How much of `input`, from its start, was read and not decoded.
    filled: usize,
    output: Vec<u8>,
    output_written: usize,
    written: u64,
    replies: Vec<Value>,
    wakers: Vec<Waker>,
    got_reply: bool,
    /// Whether the tasks that were ready had their turn since output was seen.
    gathered: bool,
    timer: Pin<Box<Sleep>>,
    timer_at: Instant,
    /// What the queue said when it was last looked at.
    earliest: Option<Instant>,
    closed: bool,
    watch: Watch,
}

/// Notices a connection that is silent.
struct Watch {
    check_at: Instant,
    read_since_check: bool,
    written_since_check: bool,
    silent_since: Option<Instant>,
}

impl<'a, S: Stream> Pump<'a, S> {
    fn new(shared: &'a Shared, greeted: Greeted<S>) -> Self {
        let now = Instant::now();
        let check_at = now + check_interval(shared.link.silence_max);
        let mut input = greeted.rest;
        let filled = input.len();
        input.resize(INPUT_LEN.max(filled), 0);
        Self {
            shared,
            stream: greeted.stream,
            decoder: greeted.decoder,
            input,
            filled,
            output: Vec::new(),
            output_written: 0,
            written: 0,
            replies: Vec::new(),
            wakers: Vec::new(),
            got_reply: false,
            gathered: false,
            timer: Box::pin(sleep_until(check_at.into())),
            timer_at: check_at,
            earliest: None,
            closed: false,
            watch: Watch { check_at, read_since_check: true, written_since_check: true, silent_since: None },
        }
    }

    /// Reads until the socket has no more, and hands out the replies.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<(), LinkError> {
        if self.filled > 0 && !self.got_reply {
            // What came behind the greeting.
            self.decode()?;
        }
        loop {
            let mut room = ReadBuf::new(self.input.get_mut(self.filled..).unwrap_or_default());
            match Pin::new(&mut self.stream).poll_read(cx, &mut room) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Ready(Ok(())) => {}
            }
            let len = room.filled().len();
            if len == 0 {
                return Err(LinkError::ClosedByPeer);
            }
            self.filled += len;
            self.watch.read_since_check = true;
            self.decode()?;
        }
    }

    fn decode(&mut self) -> Result<(), LinkError> {
        let mut start = 0;
        loop {
            let decoded = self.decoder.decode(self.input.get(start..self.filled).unwrap_or_default());
            let decoded = match decoded {
                Ok(decoded) => decoded,
                Err(error) => {
                    // Replies before the malformed one are good.
                    self.hand_out()?;
                    return Err(error.into());
                }
            };
            start += decoded.consumed;
            match decoded.value {
                Some(Value::Push(message)) => {
                    self.hand_out()?;
                    self.push(&message);
                }
                Some(value) => self.replies.push(value),
                None => break,
            }
        }
        self.input.copy_within(start..self.filled, 0);
        self.filled -= start;
        self.fit_input();
        self.hand_out()
    }

    /// Makes room for a long string, and gives it back when it is through.
    fn fit_input(&mut self) {
        if self.filled == self.input.len() {
            // A string's announced length isn't believed at once: the buffer at most doubles as its bytes come.
            let wanted = self.filled.saturating_add(self.decoder.bytes_wanted());
            let doubled = self.filled.saturating_mul(2);
            self.input.resize(wanted.min(doubled).max(self.filled + INPUT_LEN), 0);
        } else if self.filled == 0 && self.input.len() > INPUT_LEN && self.decoder.bytes_wanted() == 0 {
            self.input = vec![0; INPUT_LEN];
        }
    }

    fn hand_out(&mut self) -> Result<(), LinkError> {
        if self.replies.is_empty() {
            return Ok(());
        }
        self.got_reply = true;
        let done = self.shared.queue.lock().complete(self.replies.drain(..), &mut self.wakers);
        self.wakers.drain(..).for_each(Waker::wake);
        done
    }

    fn push(&self, message: &[Value]) {
        let (kind, rest) = message.split_first().unwrap_or((&Value::Null, &[]));
        let kind = kind.as_bytes().unwrap_or_default();
        self.shared.link.observers.iter().for_each(|observer| observer.pushed(&self.shared.name, kind, rest));
    }

    /// Writes what is to be written; at the end the driver is registered to be woken.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), LinkError> {
        loop {
            while let Some(rest) = self.output.get(self.output_written..).filter(|rest| !rest.is_empty()) {
                match Pin::new(&mut self.stream).poll_write(cx, rest) {
                    Poll::Pending => {
                        let mut queue = self.shared.queue.lock();
                        self.earliest = queue.earliest_deadline();
                        self.closed = matches!(queue.status, Status::Closed);
                        queue.driver_sleeps(cx.waker());
                        return Ok(());
                    }
                    Poll::Ready(Err(error)) => return Err(error.into()),
                    Poll::Ready(Ok(0)) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                    Poll::Ready(Ok(len)) => {
                        self.output_written += len;
                        self.written += len as u64;
                        self.watch.written_since_check = true;
                    }
                }
            }
            // TLS keeps bytes back until it is told to flush; TCP does nothing here.
            if self.output_written > 0 {
                match Pin::new(&mut self.stream).poll_flush(cx) {
                    Poll::Ready(Err(error)) => return Err(error.into()),
                    Poll::Ready(Ok(())) | Poll::Pending => {}
                }
            }
            self.output.clear();
            self.output_written = 0;
            if self.output.capacity() > OUTPUT_KEPT_MAX {
                self.output = Vec::new();
            }
            let mut queue = self.shared.queue.lock();
            queue.taken_is_written();
            self.earliest = queue.earliest_deadline();
            self.closed = matches!(queue.status, Status::Closed);
            if !queue.has_output() {
                queue.driver_sleeps(cx.waker());
                return Ok(());
            }
            if !self.gathered {
                // The driver stays marked as awake, and comes back behind the tasks that are ready now.
                self.gathered = true;
                cx.waker().wake_by_ref();
                return Ok(());
            }
            self.gathered = false;
            queue.take_out(&mut self.output);
        }
    }

    /// Lets requests time out, watches for silence, and sets the timer to what is next.
    fn tick(&mut self, cx: &mut Context<'_>) -> Result<(), LinkError> {
        let fired = self.timer.as_mut().poll(cx).is_ready();
        if fired {
            let now = Instant::now();
            {
                let mut queue = self.shared.queue.lock();
                queue.expire(now, self.written, &mut self.wakers);
                self.earliest = queue.earliest_deadline();
            }
            self.wakers.drain(..).for_each(Waker::wake);
            if now >= self.watch.check_at {
                self.check(now, cx)?;
            }
        }
        let next = self.earliest.map_or(self.watch.check_at, |earliest| earliest.min(self.watch.check_at));
        if fired || next < self.timer_at {
            self.timer_at = next;
            self.timer.as_mut().reset(next.into());
            // Registers the waker anew; a deadline that has passed already brings the driver back at once.
            if self.timer.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
        Ok(())
    }

    fn check(&mut self, now: Instant, cx: &Context<'_>) -> Result<(), LinkError> {
        let link = &self.shared.link;
        let mut queue = self.shared.queue.lock();
        let waits = queue.in_flight() > 0;
        let was_quiet = !self.watch.read_since_check;
        self.watch.silent_since = if waits && was_quiet { self.watch.silent_since.or(Some(now)) } else { None };
        if let Some(since) = self.watch.silent_since
            && now.duration_since(since) >= link.silence_max
        {
            return Err(LinkError::Silent(link.silence_max));
        }
        let idle = !waits && was_quiet && !self.watch.written_since_check;
        if idle {
            queue.enqueue_unattended(now + link.keepalive, b"*1\r\n$4\r\nPING\r\n");
            // To be written, the driver has to come by again.
            cx.waker().wake_by_ref();
        }
        (self.watch.read_since_check, self.watch.written_since_check) = (false, false);
        let interval = if queue.in_flight() > 0 { check_interval(link.silence_max) } else { link.keepalive };
        self.watch.check_at = now + interval.min(link.keepalive);
        Ok(())
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Result<(), LinkError> {
        self.read(cx)?;
        self.write(cx)?;
        if self.closed {
            return Err(LinkError::ShutDown);
        }
        // Behind the write, which saw the latest deadlines.
        self.tick(cx)
    }
}

impl<S: Stream> Future for Pump<'_, S> {
    type Output = End;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let this = self.get_mut();
        match this.step(cx) {
            Ok(()) => Poll::Pending,
            Err(why) => Poll::Ready(End { why, written: this.written, was_useful: this.got_reply }),
        }
    }
}

fn check_interval(silence_max: Duration) -> Duration {
    (silence_max / CHECKS).max(Duration::from_millis(10))
}
