//! Free ports. A node takes four: clients, and beside them redirects, admin and bus at fixed distances.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

/// From the client port to the redirect port.
pub const REDIRECT_OFFSET: u16 = 1000;
/// From the client port to the admin port.
pub const ADMIN_OFFSET: u16 = 2000;
/// From the client port to the bus port.
pub const BUS_OFFSET: u16 = 10_000;

/// Client ports are looked for from here; every companion stays below the system's ephemeral ports.
const FIRST: u16 = 20_500;
/// How many are tried: up to the first companion.
const TRIED_MAX: u16 = 480;

/// A client port whose companions are free too. Another process may take one before it is used; then the node says so.
///
/// # Panics
/// There is none: something runs wild on this machine.
#[must_use]
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test binaries that run side by side begin in different places.
    let offset = (std::process::id() * 37 % u32::from(TRIED_MAX)) as u16;
    for _ in 0..TRIED_MAX {
        let port = FIRST + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % TRIED_MAX;
        let is_free = |offset| TcpListener::bind((Ipv4Addr::LOCALHOST, port + offset)).is_ok();
        if [0, REDIRECT_OFFSET, ADMIN_OFFSET, BUS_OFFSET].into_iter().all(is_free)
            && UdpSocket::bind((Ipv4Addr::LOCALHOST, port + BUS_OFFSET)).is_ok()
        {
            return port;
        }
    }
    panic!("no free ports from {FIRST} on")
}
