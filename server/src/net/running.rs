//! Runs a batch: what it needs of the worker and the node, and what is told afterwards.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rondache_protocol::{bus::forward::Status, resp::request::RequestParser};

use super::worker::Worker;
use crate::{
    node::{Node, clock},
    session::{Session, away::Away, batch::BatchEnd, execute::Executor, timing::BatchTimer},
    store::keyspace::{Circumstances, ExpiryRole, Keyspace},
};

/// Runs the requests in `buf` from `*from` on and appends their replies to `out`. `None`: a command panicked, and its
/// connection must end.
#[expect(clippy::too_many_arguments, reason = "they are the buffers that the caller lends")]
pub(crate) fn run_batch(
    node: &Node,
    worker: &mut Worker,
    session: &mut Session,
    parser: &mut RequestParser,
    buf: &[u8],
    from: &mut usize,
    out: &mut Vec<u8>,
    mut away: Away<'_>,
) -> Option<BatchEnd> {
    let now_ms = clock::unix_ms();
    let circumstances =
        Circumstances { db: session.db, now_ms, client_id: session.client.id, touch: !session.no_touch };
    let mut ks = Keyspace::new(&node.store, &node.hub, circumstances);
    ks.random.set(worker.rng.u64(..));
    ks.access_policy = worker.settings.access_policy();
    if node.pause.holds_writes(now_ms) {
        // Nothing may change meanwhile: what has expired is only hidden.
        ks.expiry_role = ExpiryRole::Copy;
    }
    let mut executor = Executor {
        shards: Vec::new(),
        node,
        settings: &worker.settings,
        ks: &mut ks,
        rng: &mut worker.rng,
        stats: &worker.stats,
        timer: BatchTimer::start(&worker.settings, &mut worker.shared_runs),
        is_clustered: away.is_clustered(),
        is_serving: away.is_serving(),
        retry: None,
        refused: &mut worker.refused,
        guards_writes: worker.settings.cluster.write_acks > 0 || !node.cluster.may_write(),
        withheld: &mut worker.withheld,
        written: &mut worker.written,
        reads_copies: away.reads_copies(worker.settings.cluster.read_from),
        reads_copy: false,
        lacks_copies: false,
        nth: None,
    };
    let batch = &mut worker.batch;
    // A bug in a command must cost its own client at most: the others of this worker go on.
    let end = catch_unwind(AssertUnwindSafe(|| batch.run(&mut executor, session, parser, buf, from, out, &mut away)));
    executor.timer.finish(&worker.stats);
    ks.release();
    node.store.age_newcomers();
    node.memory.publish();
    worker.stats.add_keyspace(&ks.take_counts());
    if end.is_err() {
        tracing::error!(client = session.client.id, "a command panicked; its connection is closed");
        out.extend_from_slice(b"-ERR internal error, the connection is closed\r\n");
    }
    end.ok()
}

/// Of the replies behind `from`, those of a transaction's commands, keeps the last: EXEC's.
pub(crate) fn keep_last_reply(out: &mut Vec<u8>, from: usize, ends: &mut Vec<(Status, usize)>) {
    let Some((status, end)) = ends.pop() else { return };
    let begin = ends.last().map_or(from, |(_, end)| *end);
    out.drain(from..begin);
    ends.clear();
    ends.push((status, from + end - begin));
}
