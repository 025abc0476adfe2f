//! A node dies and comes back under the same name at another address, while clients of the others work.

use std::{io, net::SocketAddr, time::Duration};

use super::{
    isolation::{PORT, start, start_one},
    let_pass,
};
use crate::{
    load::{self, Load, Seen},
    netns::Network,
    process::{NodeProcess, wait_agreed},
    wire::WireError,
};

const KEYS: u64 = 5_000;
const ANSWERS: u64 = 2_000;
/// Which machine gets another address.
const MOVED: usize = 2;
/// Soon enough for a test.
const FORGET_AFTER: &str = "5s";

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// What the clients of the other nodes saw from beginning to end.
    pub seen: Seen,
    /// Slots that the node owns at its new address, in another node's eyes.
    pub slots_owned: u64,
    /// Keys from before that are gone or changed, read through the node at its new address.
    pub keys_lost: u64,
}

/// Runs the scenario: it ends when the others have forgotten the old address.
///
/// # Errors
/// The namespaces can't be made, or a node that should answer does not.
///
/// # Panics
/// The node does not get its share, or its old address is not forgotten.
pub async fn run(clients: usize) -> Result<Report, WireError> {
    let mut network = Network::new(3)?;
    let further = ["--forget-after", FORGET_AFTER];
    let mut nodes = tokio::task::block_in_place(|| start(&network, &further));
    let addrs: Vec<SocketAddr> = nodes.iter().map(NodeProcess::addr).collect();
    load::fill(addrs[0], "old", KEYS, 64).await?;
    // What was written in the last second may be lost by design; what is older may not.
    let_pass(Duration::from_millis(1100)).await;
    let clients = Load::start(&addrs[..MOVED], clients);
    clients.work(ANSWERS).await;
    nodes[MOVED].kill();
    network.renumber(MOVED)?;
    let moved = SocketAddr::new(network.addr(MOVED), PORT);
    tokio::task::block_in_place(|| {
        // The others have to find out by themselves: nothing refuses connections at the old address.
        nodes[..MOVED].iter_mut().for_each(|node| node.wait_settled(2));
        nodes[MOVED] = start_one(&network, MOVED, Some(&addrs[0].to_string()), &further);
        wait_agreed(&mut nodes);
        let old = addrs[MOVED].ip().to_string();
        for node in &mut nodes {
            node.wait_until(
                "has forgotten the old address",
                |node| matches!(node.admin("/cluster"), Ok((200, body)) if !body.contains(&old)),
            );
        }
    });
    clients.work(ANSWERS).await;
    let seen = clients.finish().await;
    let slots_owned = slots_owned(&nodes[0], moved)?;
    let keys_lost = load::count_wrong(moved, "old", KEYS, 64).await?;
    Ok(Report { seen, slots_owned, keys_lost })
}

/// How many slots the node at `of` owns, in another node's eyes.
fn slots_owned(node: &NodeProcess, of: SocketAddr) -> io::Result<u64> {
    let (_, body) = node.admin("/cluster")?;
    let status: serde_json::Value = serde_json::from_str(&body)?;
    let members = status["members"].as_array().map_or(&[][..], Vec::as_slice);
    let member = members.iter().find(|member| member["addrs"]["client"] == of.to_string());
    Ok(member.and_then(|member| member["slots_owned"].as_u64()).unwrap_or_default())
}
