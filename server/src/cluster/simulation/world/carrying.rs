//! What nodes say to each other, on its way.

use rondache_protocol::bus::identity::Identity;

use super::{Event, What, World};
use crate::cluster::simulation::{
    network::Kind,
    node::{Parcel, SimNode, bus_addr, host_at},
    wires::{Signal, Use},
};

/// As long as a handshake may take.
const DIAL_DEADLINE_MS: u64 = 1_000;

impl World {
    pub(super) fn post(&mut self, at_ms: u64, host: usize, life: Option<Identity>, what: What) {
        self.sent += 1;
        self.queue.insert((at_ms, self.sent), Event { host, life, what });
    }

    /// Sends something over the network, in order with others of its kind.
    fn send(&mut self, from: usize, to: usize, life: Option<Identity>, what: What) {
        if let Some(at_ms) = self.network.arrival_ms(&mut self.random, Kind::Control, (from, to), self.now_ms) {
            self.post(at_ms, to, life, what);
        }
    }

    pub(super) fn send_parcels(&mut self, host: usize, node: &mut SimNode) {
        for parcel in std::mem::take(&mut node.outbox) {
            match parcel {
                Parcel::Datagram(to, payload) => {
                    let to = host_at(&to);
                    for at_ms in self.network.datagram_ms(&mut self.random, (host, to), self.now_ms) {
                        self.post(at_ms, to, None, What::Datagram(payload.clone()));
                    }
                }
                Parcel::Control(to, message) => {
                    self.send(host, self.places[&to], Some(to), What::Control(node.identity, message));
                }
                Parcel::AskAlive(to, round) => {
                    self.send(host, self.places[&to], Some(to), What::AskAlive(node.identity, round));
                }
                Parcel::Join(info) => {
                    let to = self.random.usize(..self.hosts.len());
                    if to != host {
                        self.send(host, to, None, What::Join(info));
                    }
                }
                Parcel::Probe(of) => {
                    let place = self.places[&of];
                    let is_there = self.hosts[place].node.as_ref().is_some_and(|node| node.identity == of);
                    if !is_there && place != host && self.network.is_joined(host, place) {
                        let at_ms = self.now_ms + 2 * self.network.delay_ms(&mut self.random, (host, place));
                        self.post(at_ms, host, Some(node.identity), What::Absent(of));
                    }
                }
            }
        }
    }

    pub(super) fn handle(&mut self, host: usize, node: &mut SimNode, what: What) {
        let now = self.now();
        match what {
            What::Datagram(payload) => node.on_datagram(now, &payload),
            What::Control(from, message) => node.on_control(now, from, message),
            What::Join(info) if node.is_joined => {
                let joiner = info.identity;
                let members = node.on_joiner(now, *info);
                self.send(host, self.places[&joiner], Some(joiner), What::Welcome(members));
            }
            What::Join(_) => {}
            What::Welcome(members) => node.enter(now, members),
            What::AskAlive(who, round) => {
                let is_alive = node.answer_alive(&who);
                self.send(host, self.places[&who], Some(who), What::Alive(round, is_alive));
            }
            What::Alive(round, is_alive) => node.on_alive(now, round, is_alive),
            What::Absent(of) => node.on_absent(now, of),
            What::Wire(wire, signal) => self.handle_signal(host, node, wire, signal),
        }
    }

    fn handle_signal(&mut self, host: usize, node: &mut SimNode, wire: u64, signal: Signal) {
        let now = self.now();
        match signal {
            Signal::Accept(used_for, from) => self.accept(host, node, wire, used_for, from),
            Signal::Opened => {
                if let Some(open) = self.wires.get_mut(wire) {
                    open.is_open = true;
                    node.on_link_open(wire);
                }
            }
            Signal::TimedOut => {
                if self.wires.get(wire).is_some_and(|wire| !wire.is_open) {
                    self.break_wire(wire);
                }
            }
            Signal::Broken => {
                node.on_stream_broken(now, wire);
                node.on_link_broken(now, wire);
            }
            // What was under way when the wire broke is lost.
            Signal::Bytes(_) if self.wires.get(wire).is_none() => {}
            Signal::Bytes(bytes) => {
                let answer = node.on_stream_bytes(wire, &bytes);
                let answer = answer.or_else(|| node.on_link_bytes(now, wire, &bytes)).unwrap_or_default();
                self.send_bytes(wire, &node.identity, answer);
            }
        }
    }

    /// Whether it is welcome is for the bus port's gate to say: `bus/listener.rs`.
    fn accept(&mut self, host: usize, node: &mut SimNode, wire: u64, used_for: Use, from: Identity) {
        let Some(dialled) = self.wires.get(wire) else { return };
        if !node.view.is_alive(&from) {
            return self.break_wire(wire);
        }
        let (dialler, life) = dialled.ends[0];
        let at_ms = self.now_ms + self.network.delay_ms(&mut self.random, (host, dialler));
        self.post(at_ms, dialler, Some(life), What::Wire(wire, Signal::Opened));
        match used_for {
            Use::Forward => node.accept_link(dialler, wire),
            Use::Stream(stream, session) => {
                let hello = node.accept_stream(wire, from, (stream, session));
                self.send_bytes(wire, &node.identity, hello);
            }
        }
    }

    /// Dials the wires that a node's streams and links want.
    pub(super) fn dial(&mut self, host: usize, node: &mut SimNode) {
        let now = self.now();
        for dialled in node.streams_to_dial(now) {
            let used_for = Use::Stream(dialled.stream, dialled.session);
            let wire = self.dial_one(host, node.identity, dialled.to, used_for);
            node.note_dialled(dialled.at, wire);
        }
        for (peer, to) in node.links_to_dial(now) {
            let wire = self.dial_one(host, node.identity, to, Use::Forward);
            node.note_link(peer, wire);
        }
    }

    fn dial_one(&mut self, from: usize, me: Identity, to: Identity, used_for: Use) -> u64 {
        let place = self.places[&to];
        let wire = self.wires.dial(&mut self.random, [(from, me), (place, to)]);
        if self.network.is_joined(from, place) {
            let at_ms = self.now_ms + self.network.delay_ms(&mut self.random, (from, place));
            self.post(at_ms, place, Some(to), What::Wire(wire, Signal::Accept(used_for, me)));
        }
        self.post(self.now_ms + DIAL_DEADLINE_MS, from, Some(me), What::Wire(wire, Signal::TimedOut));
        wire
    }

    /// Sends what a node's streams and links have to send.
    pub(super) fn send_frames(&mut self, host: usize, node: &mut SimNode) {
        debug_assert_eq!(bus_addr(host), node.membership.me().addrs.bus);
        let (frames, ended) = node.take_stream_frames();
        let (more, more_ended) = node.take_link_frames();
        for (wire, bytes) in frames.into_iter().chain(more) {
            self.send_bytes(wire, &node.identity, bytes);
        }
        ended.into_iter().chain(more_ended).for_each(|wire| self.break_wire(wire));
    }

    fn send_bytes(&mut self, wire: u64, from: &Identity, mut bytes: Vec<u8>) {
        let Some(used) = self.wires.get_mut(wire).filter(|_| !bytes.is_empty()) else { return };
        let side = used.side_of(from);
        let (place, life) = used.ends[1 - side];
        let arrival_ms = used.arrival_ms(side, &mut bytes, &self.network, &mut self.random, self.now_ms);
        if let Some(at_ms) = arrival_ms {
            self.post(at_ms, place, Some(life), What::Wire(wire, Signal::Bytes(bytes)));
        }
    }

    /// Ends a wire: both sides hear of it.
    pub(super) fn break_wire(&mut self, id: u64) {
        let Some(wire) = self.wires.remove(id) else { return };
        for (place, life) in wire.ends {
            self.post(self.now_ms + 1, place, Some(life), What::Wire(id, Signal::Broken));
        }
    }

    /// Lets what waited for the end of a cut go on, or gives it up.
    pub(super) fn look_at_wires(&mut self) {
        let (given_up, goes_on) = self.wires.look(&self.network, self.now_ms);
        given_up.into_iter().for_each(|wire| self.break_wire(wire));
        for (wire, side, bytes) in goes_on {
            if let Some((_, from)) = self.wires.get(wire).map(|wire| wire.ends[side]) {
                self.send_bytes(wire, &from, bytes);
            }
        }
    }

    /// Ends the wires of a node that is gone: at once, where its machine can still say so.
    pub(super) fn end_wires_of(&mut self, life: &Identity) {
        for id in self.wires.of(life) {
            let Some(wire) = self.wires.get(id) else { continue };
            if self.network.is_joined(wire.ends[0].0, wire.ends[1].0) {
                self.break_wire(id);
            }
        }
    }

    /// Breaks some wire that is open.
    pub(in crate::cluster::simulation) fn break_some_wire(&mut self) {
        if let Some(wire) = self.wires.any(&mut self.random) {
            self.note(&("break", wire));
            self.break_wire(wire);
        }
    }
}
