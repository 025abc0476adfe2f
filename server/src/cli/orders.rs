//! `rondache leave` and `rondache weight`.

use std::{
    io::{self, Write},
    thread,
    time::Duration,
};

use super::{
    Target,
    client::{Client, ClientError},
};

/// Time between two looks at a node that leaves.
const INTERVAL: Duration = Duration::from_millis(500);

/// What a node is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Give its slots away, and end.
    Leave(Target),
    /// Take another share; without one, tell which it has.
    Weight(Target, Option<String>),
}

/// Gives the order, and tells what becomes of it.
///
/// # Errors
/// The node cannot be asked, or refuses.
pub fn run(order: &Order) -> Result<(), ClientError> {
    match order {
        Order::Leave(target) => leave(target),
        Order::Weight(target, None) => {
            let reply = Client::connect(target)?.ask(&["CLUSTER", "WEIGHT"])?;
            say(&String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()));
            Ok(())
        }
        Order::Weight(target, Some(weight)) => {
            Client::connect(target)?.ask(&["CLUSTER", "WEIGHT", weight])?;
            say(&format!("{} has the weight {weight} now; 'rondache status' shows what moves", target.node));
            Ok(())
        }
    }
}

/// Orders the node to leave, and waits until it is gone.
fn leave(target: &Target) -> Result<(), ClientError> {
    let mut client = Client::connect(target)?;
    client.ask(&["CLUSTER", "LEAVE"])?;
    let mut told = None;
    loop {
        let left = match client.status() {
            Ok(status) => status.me().map_or(0, |me| me.slots_owned),
            // It has ended, as it should.
            Err(error) if error.is_unreachable() => break,
            Err(error) => return Err(error),
        };
        if told != Some(left) {
            say(&format!("{} gives its slots away: {left} left", target.node));
            told = Some(left);
        }
        thread::sleep(INTERVAL);
    }
    say(&format!("{} has left", target.node));
    Ok(())
}

fn say(line: &str) {
    // Nobody reads: the order stands all the same.
    let _ = writeln!(io::stdout(), "{line}");
}
