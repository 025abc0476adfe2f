//! Foca's idea of a member, and its bytes in a datagram.

use std::net::{IpAddr, SocketAddr};

use bytes::{Buf, BufMut};
use foca::{Header, Member, Message, State};
use rondache_protocol::bus::identity::{Identity, NodeId};

use super::directory::Directory;

/// A member, as gossip names it.
///
/// Foca cannot take back a death. A member that was held for dead (by a partition, or a freeze) comes back under the next
/// renewal: the same life, so its rows and its data are still its own. A new address takes a renewal as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gossiper {
    pub(super) identity: Identity,
    pub(super) renewal: u32,
    pub(super) bus: SocketAddr,
}

impl Gossiper {
    /// What decides between two of one node: the later life, then the later renewal.
    pub(super) fn age(&self) -> (u64, u32) {
        (self.identity.generation, self.renewal)
    }

    pub(super) fn renewed(self) -> Self {
        Self { renewal: self.renewal.saturating_add(1), ..self }
    }
}

impl foca::Identity for Gossiper {
    type Addr = NodeId;

    fn renew(&self) -> Option<Self> {
        Some(self.renewed())
    }

    fn addr(&self) -> NodeId {
        self.identity.id
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.age() > adversary.age()
    }
}

/// The address without what only means something on this machine (an IPv6 scope), so that equal addresses are equal.
pub(super) fn plain(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip(), addr.port())
}

/// Why bytes are no gossip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GossipError {
    /// There is no room for it in the datagram.
    #[error("no room for another item")]
    NoRoom,
    /// They end too early.
    #[error("it ends too early")]
    TooShort,
    /// They hold a value that means nothing.
    #[error("it holds a value that means nothing")]
    Unknown,
}

/// Writes and reads what foca sends: fixed widths, big-endian. Reads the deaths that others tell of as suspicions where
/// they are doubted: foca believes every one.
#[derive(Clone, Debug)]
pub(super) struct GossipCodec {
    pub(super) directory: Directory,
}

const V4: u8 = 4;
const V6: u8 = 6;

impl foca::Codec<Gossiper> for GossipCodec {
    type Error = GossipError;

    fn encode_header(&mut self, header: &Header<Gossiper>, mut buf: impl BufMut) -> Result<(), GossipError> {
        put_gossiper(&mut buf, &header.src)?;
        put(&mut buf, 2, |buf| buf.put_u16(header.src_incarnation))?;
        put_gossiper(&mut buf, &header.dst)?;
        let (kind, third, number) = match &header.message {
            Message::Ping(number) => (0, None, Some(*number)),
            Message::Ack(number) => (1, None, Some(*number)),
            Message::PingReq { target, probe_number } => (2, Some(target), Some(*probe_number)),
            Message::IndirectPing { origin, probe_number } => (3, Some(origin), Some(*probe_number)),
            Message::IndirectAck { target, probe_number } => (4, Some(target), Some(*probe_number)),
            Message::ForwardedAck { origin, probe_number } => (5, Some(origin), Some(*probe_number)),
            Message::Announce => (6, None, None),
            Message::Feed => (7, None, None),
            Message::Gossip => (8, None, None),
            Message::Broadcast => (9, None, None),
            Message::TurnUndead => (10, None, None),
        };
        put(&mut buf, 1, |buf| buf.put_u8(kind))?;
        third.map_or(Ok(()), |third| put_gossiper(&mut buf, third))?;
        number.map_or(Ok(()), |number| put(&mut buf, 1, |buf| buf.put_u8(number)))
    }

    fn decode_header(&mut self, mut buf: impl Buf) -> Result<Header<Gossiper>, GossipError> {
        let buf = &mut buf;
        let src = get_gossiper(buf)?;
        let src_incarnation = buf.try_get_u16().map_err(|_| GossipError::TooShort)?;
        let dst = get_gossiper(buf)?;
        let message = match get_u8(buf)? {
            0 => Message::Ping(get_u8(buf)?),
            1 => Message::Ack(get_u8(buf)?),
            2 => Message::PingReq { target: get_gossiper(buf)?, probe_number: get_u8(buf)? },
            3 => Message::IndirectPing { origin: get_gossiper(buf)?, probe_number: get_u8(buf)? },
            4 => Message::IndirectAck { target: get_gossiper(buf)?, probe_number: get_u8(buf)? },
            5 => Message::ForwardedAck { origin: get_gossiper(buf)?, probe_number: get_u8(buf)? },
            6 => Message::Announce,
            7 => Message::Feed,
            8 => Message::Gossip,
            9 => Message::Broadcast,
            10 => Message::TurnUndead,
            _ => return Err(GossipError::Unknown),
        };
        Ok(Header { src, src_incarnation, dst, message })
    }

    fn encode_member(&mut self, member: &Member<Gossiper>, mut buf: impl BufMut) -> Result<(), GossipError> {
        // All or nothing: foca goes on with the buffer after an error.
        if buf.remaining_mut() < gossiper_len(member.id()) + 3 {
            return Err(GossipError::NoRoom);
        }
        put_gossiper(&mut buf, member.id())?;
        buf.put_u16(member.incarnation());
        buf.put_u8(match member.state() {
            State::Alive => 0,
            State::Suspect => 1,
            State::Down => 2,
        });
        Ok(())
    }

    fn decode_member(&mut self, mut buf: impl Buf) -> Result<Member<Gossiper>, GossipError> {
        let buf = &mut buf;
        let id = get_gossiper(buf)?;
        let incarnation = buf.try_get_u16().map_err(|_| GossipError::TooShort)?;
        let state = match get_u8(buf)? {
            0 => State::Alive,
            1 => State::Suspect,
            2 if self.directory.with(|known| known.doubts_death(id)) => State::Suspect,
            2 => State::Down,
            _ => return Err(GossipError::Unknown),
        };
        Ok(Member::new(id, incarnation, state))
    }
}

fn put<B: BufMut>(buf: &mut B, len: usize, write: impl FnOnce(&mut B)) -> Result<(), GossipError> {
    if buf.remaining_mut() < len {
        return Err(GossipError::NoRoom);
    }
    write(buf);
    Ok(())
}

fn gossiper_len(gossiper: &Gossiper) -> usize {
    let ip_len = if gossiper.bus.is_ipv4() { 4 } else { 16 };
    16 + 8 + 4 + 1 + ip_len + 2
}

fn put_gossiper(buf: &mut impl BufMut, gossiper: &Gossiper) -> Result<(), GossipError> {
    put(buf, gossiper_len(gossiper), |buf| {
        buf.put_u128(gossiper.identity.id.0);
        buf.put_u64(gossiper.identity.generation);
        buf.put_u32(gossiper.renewal);
        match gossiper.bus.ip() {
            IpAddr::V4(ip) => {
                buf.put_u8(V4);
                buf.put_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                buf.put_u8(V6);
                buf.put_slice(&ip.octets());
            }
        }
        buf.put_u16(gossiper.bus.port());
    })
}

fn get_u8(buf: &mut impl Buf) -> Result<u8, GossipError> {
    buf.try_get_u8().map_err(|_| GossipError::TooShort)
}

fn get_gossiper(buf: &mut impl Buf) -> Result<Gossiper, GossipError> {
    let short = |_| GossipError::TooShort;
    let id = NodeId(buf.try_get_u128().map_err(short)?);
    let generation = buf.try_get_u64().map_err(short)?;
    let renewal = buf.try_get_u32().map_err(short)?;
    let ip = match get_u8(buf)? {
        V4 => IpAddr::from(buf.try_get_u32().map_err(short)?.to_be_bytes()),
        V6 => IpAddr::from(buf.try_get_u128().map_err(short)?.to_be_bytes()),
        _ => return Err(GossipError::Unknown),
    };
    let port = buf.try_get_u16().map_err(short)?;
    Ok(Gossiper { identity: Identity { generation, id }, renewal, bus: SocketAddr::new(ip, port) })
}

#[cfg(test)]
mod tests {
    use foca::Codec;
    use proptest::prelude::*;

    use super::*;

    fn codec() -> GossipCodec {
        GossipCodec { directory: Directory::new(NodeId(0)) }
    }

    prop_compose! {
        fn gossiper()(id: u128, generation: u64, renewal: u32, ip: IpAddr, port: u16) -> Gossiper {
            Gossiper { identity: Identity { generation, id: NodeId(id) }, renewal, bus: SocketAddr::new(ip, port) }
        }
    }

    fn message() -> impl Strategy<Value = Message<Gossiper>> {
        (0..6_u8, gossiper(), any::<u8>()).prop_map(|(kind, other, probe_number)| match kind {
            0 => Message::Ping(probe_number),
            1 => Message::PingReq { target: other, probe_number },
            2 => Message::IndirectPing { origin: other, probe_number },
            3 => Message::IndirectAck { target: other, probe_number },
            4 => Message::ForwardedAck { origin: other, probe_number },
            _ => Message::TurnUndead,
        })
    }

    proptest! {
        #[test]
        fn headers_and_members_are_read_as_they_were_written(
            src in gossiper(), dst in gossiper(), message in message(), incarnation: u16,
        ) {
            let header = Header { src, src_incarnation: incarnation, dst, message };
            let member = Member::new(dst, incarnation, State::Suspect);
            let mut bytes = Vec::new();
            codec().encode_header(&header, &mut bytes).expect("room enough");
            codec().encode_member(&member, &mut bytes).expect("room enough");
            let mut rest = &bytes[..];
            prop_assert_eq!(codec().decode_header(&mut rest).expect("it was written"), header);
            prop_assert_eq!(codec().decode_member(&mut rest).expect("it was written"), member);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn a_member_without_room_leaves_the_buffer_as_it_was(id in gossiper(), room in 0_usize..60) {
            let mut buf = Vec::new().limit(room);
            let fits = codec().encode_member(&Member::alive(id), &mut buf).is_ok();
            prop_assert_eq!(buf.into_inner().is_empty(), !fits);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            let _ = codec().decode_header(&bytes[..]);
            let _ = codec().decode_member(&bytes[..]);
        }
    }
}
