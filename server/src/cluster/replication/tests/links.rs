//! Streams over connections.

use std::{
    future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{self, AsyncReadExt},
    time::sleep,
};

use super::*;
use crate::cluster::replication::link;

/// How many bytes more each connection carries than the one before it, so that any frame comes through in the end.
const MORE_BYTES: u64 = 1500;

#[tokio::test(start_paused = true)]
async fn a_stream_survives_connections_that_break() {
    let slot = slot_of(b"{t}");
    let mut world = World::new(2, 1);
    world.begin(slot);
    world.0[0].run("SET {t}a 1");
    let (owner, copy) = (world.id(0), world.id(1));
    world.0[0].plane.start_copy(slot, copy);
    world.0[0].move_all();
    let receiver = world.0[1].replication.clone();
    let connections = Arc::new(AtomicU64::new(0));
    for stream in world.0[0].replication.streams() {
        let (receiver, number, connections) = (receiver.clone(), stream.stream, connections.clone());
        let dial = move |_| {
            let (near, far) = io::duplex(4096);
            let receiver = receiver.clone();
            let len_max = MORE_BYTES * (1 + connections.fetch_add(1, Ordering::Relaxed));
            tokio::spawn(async move {
                let (reader, writer) = io::split(far);
                link::receive(&receiver, owner, (number, 1), io::join(reader.take(len_max), writer)).await
            });
            future::ready(Ok::<_, io::Error>(near))
        };
        tokio::spawn(link::keep_sending(world.0[0].replication.clone(), stream, dial));
    }
    // In virtual time, which passes only when nobody has anything to do.
    for number in 0..50 {
        world.0[0].run(&format!("SET {{t}}{number} {}", "v".repeat(3000)));
        sleep(Duration::from_millis(17)).await;
    }
    sleep(Duration::from_secs(60)).await;
    assert!(connections.load(Ordering::Relaxed) > 5, "{connections:?}");
    world.assert_same(slot, 0, 1, "after many connections");
    assert_eq!(world.0[0].events(), [PlaneEvent::CopySynced { slot, epoch: 1, to: copy }]);
}
