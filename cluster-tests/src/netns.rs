//! Machines with a network of their own: network namespaces on a bridge, whose cables can be pulled. Needs root and `ip`.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    process::{Command, Stdio},
};

/// Namespaces on one bridge; all of it goes with the value.
#[derive(Debug)]
pub struct Network {
    /// Tells this network's names from those of another test; at most 15 bytes a name.
    tag: String,
    machines: usize,
}

/// The third byte of this process's addresses: test processes side by side do not meet.
fn subnet() -> u8 {
    (std::process::id() % 250) as u8 + 2
}

fn ip(arguments: &str) -> io::Result<()> {
    let output = Command::new("ip").args(arguments.split_whitespace()).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("ip {arguments}: {reason}")))
}

impl Network {
    /// Makes a bridge with so many machines.
    ///
    /// # Errors
    /// There is no `ip`, or no right to use it.
    pub fn new(machines: usize) -> io::Result<Self> {
        let network = Self { tag: format!("rd{}", std::process::id() % 100_000), machines };
        let (bridge, own) = (network.bridge(), Ipv4Addr::new(10, 199, subnet(), 1));
        ip(&format!("link add {bridge} type bridge"))?;
        ip(&format!("addr add {own}/24 dev {bridge}"))?;
        ip(&format!("link set {bridge} up"))?;
        for at in 0..machines {
            let (name, cable, plug) = (network.machine(at), network.cable(at), format!("{}p{at}", network.tag));
            ip(&format!("netns add {name}"))?;
            ip(&format!("link add {cable} type veth peer name {plug}"))?;
            ip(&format!("link set {plug} netns {name}"))?;
            ip(&format!("link set {cable} master {bridge}"))?;
            ip(&format!("link set {cable} up"))?;
            ip(&format!("-n {name} addr add {}/24 dev {plug}", network.addr(at)))?;
            ip(&format!("-n {name} link set {plug} up"))?;
            ip(&format!("-n {name} link set lo up"))?;
        }
        Ok(network)
    }

    /// A machine's address, which this process reaches through the bridge.
    #[must_use]
    pub fn addr(&self, machine: usize) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 199, subnet(), 10 + machine as u8))
    }

    /// A command that runs `program` on a machine, in the same process.
    #[must_use]
    pub fn command(&self, machine: usize, program: &std::path::Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.machine(machine)]).arg(program);
        command
    }

    /// Cuts a machine off: packets vanish, nothing is refused.
    ///
    /// # Errors
    /// `ip` fails.
    pub fn pull_cable(&self, machine: usize) -> io::Result<()> {
        ip(&format!("link set {} down", self.cable(machine)))
    }

    /// Connects a machine again.
    ///
    /// # Errors
    /// `ip` fails.
    pub fn plug_cable(&self, machine: usize) -> io::Result<()> {
        ip(&format!("link set {} up", self.cable(machine)))
    }

    fn bridge(&self) -> String {
        format!("{}br", self.tag)
    }

    fn machine(&self, at: usize) -> String {
        format!("{}m{at}", self.tag)
    }

    fn cable(&self, at: usize) -> String {
        format!("{}c{at}", self.tag)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for at in 0..self.machines {
            // What was never made can't be removed.
            let _ = ip(&format!("link del {}", self.cable(at)));
            let _ = ip(&format!("netns del {}", self.machine(at)));
        }
        let _ = ip(&format!("link del {}", self.bridge()));
    }
}
