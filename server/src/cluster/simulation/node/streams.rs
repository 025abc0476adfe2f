//! Replication streams on wires: what `replication/link.rs` does with sockets, without bus frames around its payloads.

use std::{
    collections::BTreeMap,
    sync::Arc,
    task::{Context, Waker},
};

use rondache_protocol::bus::{
    identity::Identity,
    replicate::{Ack, put_ack},
};

use super::{Now, SimNode};
use crate::{cluster::replication::apply::Applier, store::replicate::outgoing::Outgoing};

/// As in `replication/link.rs`.
const REDIAL_DELAY_MS: u64 = 200;
const WRITE_LEN_MAX: usize = 512 * 1024;

/// A stream that this node feeds.
struct Feeding {
    outgoing: Arc<Outgoing>,
    wire: Option<u64>,
    /// Whether the copy has said, over the wire, how far it had come.
    has_resumed: bool,
    redial_ms: u64,
}

#[derive(Default)]
pub(in crate::cluster::simulation) struct Streams {
    feeding: Vec<Feeding>,
    /// By the wires that bring them.
    applying: BTreeMap<u64, Applier>,
}

/// A stream that wants a wire: its place, whom to dial, its number and its session.
pub(in crate::cluster::simulation) struct Dialled {
    pub(in crate::cluster::simulation) at: usize,
    pub(in crate::cluster::simulation) to: Identity,
    pub(in crate::cluster::simulation) stream: u16,
    pub(in crate::cluster::simulation) session: u64,
}

impl SimNode {
    /// The streams that are to be dialled now.
    pub(in crate::cluster::simulation) fn streams_to_dial(&mut self, now: Now) -> Vec<Dialled> {
        while let Ok(outgoing) = self.outlets.opened.try_recv() {
            self.streams.feeding.push(Feeding { outgoing, wire: None, has_resumed: false, redial_ms: now.ms });
        }
        self.streams.feeding.retain(|feeding| feeding.wire.is_some() || !feeding.outgoing.is_closed());
        let wants = |feeding: &Feeding| feeding.wire.is_none() && now.ms >= feeding.redial_ms;
        let dialled = |(at, feeding): (usize, &Feeding)| {
            let Outgoing { to, stream, session, .. } = *feeding.outgoing;
            wants(feeding).then_some(Dialled { at, to, stream, session })
        };
        self.streams.feeding.iter().enumerate().filter_map(dialled).collect()
    }

    pub(in crate::cluster::simulation) fn note_dialled(&mut self, at: usize, wire: u64) {
        (self.streams.feeding[at].wire, self.streams.feeding[at].has_resumed) = (Some(wire), false);
    }

    /// Somebody's stream arrives over a wire. Answers what it is told first.
    pub(in crate::cluster::simulation) fn accept_stream(
        &mut self,
        wire: u64,
        from: Identity,
        (stream, session): (u16, u64),
    ) -> Vec<u8> {
        let applier = Applier::new(&self.replication, from, stream, session);
        let mut acks = Vec::new();
        applier.put_refusals(&mut acks);
        put_ack(&mut acks, &Ack::Applied { position: applier.applied() });
        self.streams.applying.insert(wire, applier);
        acks
    }

    /// Bytes have come for a stream. Answers what is to be sent back; `None`: they were not for a stream.
    pub(in crate::cluster::simulation) fn on_stream_bytes(&mut self, wire: u64, bytes: &[u8]) -> Option<Vec<u8>> {
        if let Some(applier) = self.streams.applying.get_mut(&wire) {
            let mut acks = Vec::new();
            applier.apply(bytes, &mut acks).expect("members make sense");
            put_ack(&mut acks, &Ack::Applied { position: applier.applied() });
            return Some(acks);
        }
        let feeding = self.streams.feeding.iter_mut().find(|feeding| feeding.wire == Some(wire))?;
        if feeding.has_resumed {
            self.replication.on_acks(&feeding.outgoing, bytes).expect("members make sense");
        } else {
            feeding.has_resumed = self.replication.on_first_acks(&feeding.outgoing, bytes).expect("members make sense");
        }
        Some(Vec::new())
    }

    pub(in crate::cluster::simulation) fn on_stream_broken(&mut self, now: Now, wire: u64) {
        self.streams.applying.remove(&wire);
        if let Some(feeding) = self.streams.feeding.iter_mut().find(|feeding| feeding.wire == Some(wire)) {
            (feeding.wire, feeding.redial_ms) = (None, now.ms + REDIAL_DELAY_MS);
        }
    }

    /// What the streams have to send, by wire, and the wires of those that have ended.
    pub(in crate::cluster::simulation) fn take_stream_frames(&mut self) -> (Vec<(u64, Vec<u8>)>, Vec<u64>) {
        let (mut out, mut ended) = (Vec::new(), Vec::new());
        let cx = Context::from_waker(Waker::noop());
        for feeding in &self.streams.feeding {
            let Some(wire) = feeding.wire.filter(|_| feeding.has_resumed) else { continue };
            while feeding.outgoing.poll_work(&cx).is_ready() {
                self.replication.forward_events(&feeding.outgoing);
                if feeding.outgoing.is_closed() {
                    ended.push(wire);
                    break;
                }
                let mut frames = Vec::new();
                feeding.outgoing.take_frames(&mut frames, WRITE_LEN_MAX);
                out.extend(frames.iter().map(|frame| (wire, frame.bytes.clone())));
            }
        }
        (out, ended)
    }

    /// Whether all that its streams carry has been applied.
    pub(in crate::cluster::simulation) fn has_quiet_streams(&self) -> bool {
        self.streams.feeding.iter().all(|feeding| feeding.outgoing.lag(0).records == 0)
    }
}
