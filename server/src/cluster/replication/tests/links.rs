//! Streams over connections.

use super::*;
use crate::cluster::replication::link;

#[tokio::test]
async fn a_stream_survives_connections_that_break() {
    let slot = slot_of(b"{t}");
    let mut world = World::new(2, 1);
    world.begin(slot);
    world.0[0].run("SET {t}a 1");
    let (owner, copy) = (world.id(0), world.id(1));
    world.0[0].plane.start_copy(slot, copy);
    world.0[0].move_all();
    let receiver = world.0[1].replication.clone();
    for stream in world.0[0].replication.streams() {
        let (receiver, number) = (receiver.clone(), stream.stream);
        let dial = async move |_: &crate::store::replicate::outgoing::Outgoing| {
            let (near, far) = tokio::io::duplex(4096);
            let receiver = receiver.clone();
            tokio::spawn(async move {
                // The connection lives for a moment only.
                let served = link::receive(&receiver, owner, (number, 1), far);
                let _ = tokio::time::timeout(std::time::Duration::from_millis(50), served).await;
            });
            Ok::<_, std::io::Error>(near)
        };
        tokio::spawn(link::keep_sending(world.0[0].replication.clone(), stream, dial));
    }
    for number in 0..50 {
        world.0[0].run(&format!("SET {{t}}{number} {}", "v".repeat(3000)));
        tokio::time::sleep(std::time::Duration::from_millis(17)).await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    world.assert_same(slot, 0, 1, "after many connections");
    assert_eq!(world.0[0].events(), [PlaneEvent::CopySynced { slot, epoch: 1, to: copy }]);
}
