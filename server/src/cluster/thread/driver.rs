//! Feeds the membership's state machine and does what it wants.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use rondache_protocol::bus::{hello::Purpose, identity::Identity};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    joining::{Welcome, found, join, look_again},
    net::{Command, GossipStats, Joined},
    seeds::Seed,
};
use crate::cluster::{
    bus::{
        control::{Answer, Control},
        credentials::Credentials,
        dial::dial,
        links::ControlLinks,
        listener::Inbound,
        quiet::Quiet,
    },
    member::{MemberInfo, View},
    membership::{
        core::{Membership, Output},
        seal::{DATAGRAM_LEN_MAX, SealError, Sealer},
        tuning::Tuning,
    },
};

/// In clusters of up to so many members, all links are open all the time: so a process's death is noticed at once.
const EAGER_LINKS_MAX: usize = 32;
/// Datagrams that are read before anything else gets a turn.
const DATAGRAMS_AT_ONCE: usize = 64;
/// How often a node asks its seeds for members that it has lost sight of, after a partition that outlasted `forget-after`.
const LOOK_AGAIN_PERIOD: Duration = Duration::from_secs(30);

/// The driver's ends of sockets and channels.
pub(super) struct Ends {
    pub(super) udp: UdpSocket,
    pub(super) inbound: mpsc::Receiver<Inbound>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) absent: mpsc::Receiver<Identity>,
    pub(super) absent_sender: mpsc::Sender<Identity>,
    pub(super) view: watch::Sender<Arc<View>>,
    pub(super) joined: watch::Sender<Option<Joined>>,
    pub(super) control: mpsc::Sender<(Identity, Control)>,
    pub(super) links: ControlLinks,
    pub(super) stats: Arc<GossipStats>,
}

pub(super) struct Driver {
    ends: Ends,
    credentials: Arc<Credentials>,
    membership: Membership,
    seeds: Vec<Seed>,
    /// Set once the node is in a cluster.
    sealer: Option<Sealer>,
    quiet: Quiet<SealError>,
    /// The clock's zero.
    started: Instant,
    look_again_at: Instant,
    /// Told once the farewells are said, and when that is.
    departure: Option<(oneshot::Sender<()>, Instant)>,
    probes: JoinSet<()>,
    lookouts: JoinSet<Option<Welcome>>,
}

impl Driver {
    pub(super) fn new(
        ends: Ends,
        credentials: Arc<Credentials>,
        me: MemberInfo,
        seeds: Vec<Seed>,
        tuning: Tuning,
    ) -> Self {
        let mut this = Self {
            ends,
            membership: Membership::new(me, tuning, fastrand::u64(..), 0),
            credentials,
            seeds,
            sealer: None,
            quiet: Quiet::default(),
            started: Instant::now(),
            look_again_at: Instant::now() + LOOK_AGAIN_PERIOD,
            departure: None,
            probes: JoinSet::new(),
            lookouts: JoinSet::new(),
        };
        if this.seeds.is_empty() {
            this.enter_cluster(found());
        }
        this.publish();
        this
    }

    pub(super) async fn run(mut self) {
        if self.sealer.is_none() {
            let search = join(self.seeds.clone(), self.credentials.clone(), self.membership.me().clone());
            let mut search = pin!(search);
            loop {
                tokio::select! {
                    welcome = &mut search => {
                        self.enter_cluster(welcome);
                        break;
                    }
                    Some(inbound) = self.ends.inbound.recv() => self.on_inbound(inbound),
                    Some(command) = self.ends.commands.recv() => self.on_command(command),
                }
            }
        }
        loop {
            self.act();
            let due = self.started + Duration::from_millis(self.membership.next_due_ms());
            tokio::select! {
                biased;
                readable = self.ends.udp.readable() => match readable {
                    Ok(()) => self.read_datagrams(),
                    Err(error) => tracing::debug!(%error, "the gossip socket failed"),
                },
                Some(inbound) = self.ends.inbound.recv() => self.on_inbound(inbound),
                Some(absent) = self.ends.absent.recv() => self.membership.on_absent(self.now_ms(), absent),
                Some(command) = self.ends.commands.recv() => self.on_command(command),
                Some(_) = self.probes.join_next() => {}
                Some(Ok(Some(welcome))) = self.lookouts.join_next() => {
                    self.membership.on_welcome(self.now_ms(), welcome.members);
                }
                () = sleep_until(due) => {}
            }
            // Whatever woke the thread: timers run when they are due, even under a flood of datagrams.
            if self.now_ms() >= self.membership.next_due_ms() {
                self.on_tick();
            }
        }
    }

    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn enter_cluster(&mut self, welcome: Welcome) {
        let Welcome { facts, members } = welcome;
        let is_founder = members.is_empty();
        if !self.credentials.join(facts) {
            return;
        }
        tracing::info!(cluster = %facts.id, members = members.len().max(1), "this node is in a cluster");
        self.sealer = Some(Sealer::new(self.credentials.keys().clone(), facts.id));
        self.membership.on_welcome(self.now_ms(), members);
        self.ends.joined.send_replace(Some(Joined { facts, is_founder }));
    }

    fn on_tick(&mut self) {
        self.membership.tick(self.now_ms());
        let now = Instant::now();
        if self.departure.as_ref().is_some_and(|(_, at)| now >= *at)
            && let Some((told, _)) = self.departure.take()
        {
            let _ = told.send(());
        }
        if now >= self.look_again_at {
            self.look_again_at = now + LOOK_AGAIN_PERIOD;
            if !self.seeds.is_empty() {
                let me = self.membership.me().clone();
                self.lookouts.spawn(look_again(self.seeds.clone(), self.credentials.clone(), me));
            }
        }
    }

    fn read_datagrams(&mut self) {
        // One byte more, so that what is too long is seen to be.
        let mut buf = [0; DATAGRAM_LEN_MAX + 1];
        for _ in 0..DATAGRAMS_AT_ONCE {
            match self.ends.udp.try_recv_from(&mut buf) {
                Ok((len, from)) => self.on_datagram(&buf[..len], from),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An earlier datagram could not be delivered: that says nothing about this socket.
                Err(error) => tracing::trace!(%error, "a datagram came back"),
            }
        }
    }

    fn on_datagram(&mut self, datagram: &[u8], from: SocketAddr) {
        let Some(sealer) = &self.sealer else { return };
        match sealer.open(datagram) {
            Ok(payload) => {
                self.ends.stats.datagrams_received.fetch_add(1, Relaxed);
                if let Err(error) = self.membership.on_payload(self.now_ms(), payload) {
                    self.ends.stats.datagrams_senseless.fetch_add(1, Relaxed);
                    tracing::debug!(%from, %error, "dropped a datagram");
                }
            }
            Err(error) => {
                self.ends.stats.datagrams_refused.fetch_add(1, Relaxed);
                let now_ms = self.now_ms();
                if self.quiet.may_mention(from.ip(), error, now_ms) {
                    tracing::warn!(%from, "dropped a datagram on the bus port: {error}");
                }
            }
        }
    }

    fn on_inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Control(from, Control::Members(message)) => {
                self.membership.on_exchange(self.now_ms(), from, message);
            }
            Inbound::Control(from, message) => {
                if self.ends.control.try_send((from, message)).is_err() {
                    self.ends.stats.control_dropped.fetch_add(1, Relaxed);
                }
            }
            Inbound::Join { info, answer } => {
                let welcome = match self.credentials.facts() {
                    Some(facts) => {
                        self.membership.on_joiner(self.now_ms(), info);
                        Answer::Welcome { facts, members: self.membership.entries() }
                    }
                    None => Answer::NoCluster,
                };
                let _ = answer.send(welcome);
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        let now_ms = self.now_ms();
        match command {
            Command::Change(change) => self.membership.change(now_ms, change),
            // Nobody knows of a node that is in no cluster.
            Command::Depart(told) if self.sealer.is_none() => drop(told.send(())),
            Command::Depart(told) => {
                self.membership.depart(now_ms);
                self.departure = Some((told, Instant::now() + Duration::from_millis(500)));
            }
        }
    }

    /// Does what the membership wants, and shows what it has found.
    fn act(&mut self) {
        for output in self.membership.take_outputs() {
            match output {
                Output::Datagram { to, payload } => self.send(to, &payload),
                Output::Control { to, message } => {
                    self.ends.links.send(to, &Control::Members(message));
                }
                Output::Probe(of) => self.probe(of),
            }
        }
        self.publish();
    }

    fn send(&self, to: SocketAddr, payload: &[u8]) {
        let Some(sealer) = &self.sealer else { return };
        let datagram = sealer.seal(payload);
        // What the system does not take is lost, as on the network.
        if self.ends.udp.try_send_to(&datagram, to).is_ok() {
            self.ends.stats.datagrams_sent.fetch_add(1, Relaxed);
            self.ends.stats.bytes_sent.fetch_add(datagram.len() as u64, Relaxed);
        }
    }

    fn probe(&mut self, of: Identity) {
        let view = self.ends.view.borrow().clone();
        let Some(addr) = view.get(&of).map(|member| member.info.addrs.bus) else { return };
        let (local, absent) = (self.credentials.local(), self.ends.absent_sender.clone());
        self.probes.spawn(async move {
            if dial(addr, local, Purpose::Ask, Some(of)).await.is_err_and(|error| error.proves_absence()) {
                let _ = absent.send(of).await;
            }
        });
    }

    fn publish(&mut self) {
        self.ends.stats.refuted_deaths.store(self.membership.refuted_deaths(), Relaxed);
        let view = self.membership.view();
        let has_changed = self.ends.view.send_if_modified(|shown| {
            let is_new = !Arc::ptr_eq(shown, &view);
            if is_new {
                *shown = view.clone();
            }
            is_new
        });
        if has_changed && view.live().count() <= EAGER_LINKS_MAX {
            let me = self.credentials.identity();
            let others = view.live().map(|member| member.info.identity).filter(|identity| *identity != me);
            others.for_each(|identity| self.ends.links.open(identity));
        }
    }
}
