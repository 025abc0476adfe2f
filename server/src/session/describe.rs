//! A connection in a line of text: CLIENT LIST and CLIENT INFO.

use std::{fmt::Write as _, sync::atomic::Ordering::Relaxed};

use super::client::{Client, ClientFacts, LastCommand};

/// Appends what is known of `client` to `out`, without a line end. `running` is the command that it runs right now, if
/// it is the one who asks.
pub fn describe(out: &mut String, client: &Client, now_ms: u64, running: Option<LastCommand>) {
    let facts = client.facts.lock().clone();
    let queued_bytes = facts.queued_bytes;
    let (query_bytes, query_capacity) = (client.query.0.load(Relaxed), client.query.1.load(Relaxed));
    let (messages, waiting_bytes) = (client.mailbox.len(), client.mailbox.waiting_bytes());
    let memory_bytes = memory_usage(client, &facts);
    let age_s = now_ms.saturating_sub(client.created_ms) / 1000;
    let idle_s = now_ms.saturating_sub(client.active_ms.load(Relaxed)) / 1000;
    let events = if waiting_bytes > 0 { "rw" } else { "r" };
    let command = running.or(client.last_command()).map_or_else(|| "NULL".to_owned(), LastCommand::name);
    let multi = facts.queued.map_or(-1, |queued| i64::try_from(queued).unwrap_or(i64::MAX));
    let redirect = if facts.is_tracking { i64::try_from(facts.redirect).unwrap_or(0) } else { -1 };
    // Writing to a string never fails.
    let _ = write!(
        out,
        "id={} addr={} laddr={} fd={} name={} age={age_s} idle={idle_s} flags={} db={} sub={} psub={} ssub={} \
         multi={multi} watch={} qbuf={query_bytes} qbuf-free={} argv-mem=0 multi-mem={queued_bytes} rbs=0 rbp=0 obl=0 \
         oll={messages} omem={waiting_bytes} tot-mem={memory_bytes} events={events} cmd={command} user=default \
         redir={redirect} resp={} lib-name={} lib-ver={} tot-net-in={} tot-net-out={} tot-cmds={}",
        client.id,
        client.addr,
        client.local_addr,
        client.fd,
        facts.name,
        flags(client, &facts),
        facts.db,
        facts.channels,
        facts.patterns,
        facts.shard_channels,
        facts.watched,
        query_capacity.saturating_sub(query_bytes),
        facts.resp,
        facts.lib_name,
        facts.lib_ver,
        client.bytes_in.load(Relaxed),
        client.bytes_out.load(Relaxed),
        client.commands.load(Relaxed),
    );
}

/// Bytes that a connection holds: its own structures, what it received, and what waits for it.
fn memory_usage(client: &Client, facts: &ClientFacts) -> usize {
    size_of::<Client>()
        + facts.name.len()
        + facts.lib_name.len()
        + facts.lib_ver.len()
        + facts.queued_bytes
        + client.query.1.load(Relaxed)
        + client.mailbox.waiting_bytes()
}

/// One letter for each thing that sets the client apart; `N`: nothing does.
fn flags(client: &Client, facts: &ClientFacts) -> String {
    let flags: String = [
        ('O', facts.is_monitor),
        ('P', client.is_subscribed()),
        ('x', facts.queued.is_some()),
        ('b', facts.is_blocked),
        ('t', facts.is_tracking),
        ('R', facts.is_tracking && client.has_broken_redirect.load(Relaxed)),
        ('B', facts.is_broadcast),
        ('A', client.mailbox.is_closing()),
        ('e', facts.no_evict),
        ('T', facts.no_touch),
    ]
    .into_iter()
    .filter_map(|(letter, applies)| applies.then_some(letter))
    .collect();
    if flags.is_empty() { "N".to_owned() } else { flags }
}
