//! Machines with a network of their own: network namespaces on a bridge, whose cables can be pulled. Needs root and `ip`.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Namespaces on one bridge; all of it goes with the value.
#[derive(Debug)]
pub struct Network {
    /// Tells this network's names from those of another test; at most 15 bytes a name.
    tag: String,
    /// The machines' addresses.
    addrs: Vec<IpAddr>,
}

/// The folder whose files a namespace has in place of those below `/etc`.
const ETC: &str = "/etc/netns";

/// The third byte of this process's addresses: test processes side by side do not meet.
fn subnet() -> u8 {
    (std::process::id() % 250) as u8 + 2
}

fn host(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 199, subnet(), number))
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
        let addrs = (0..machines).map(|at| host(10 + at as u8)).collect();
        let network = Self { tag: format!("rd{}", std::process::id() % 100_000), addrs };
        let (bridge, own) = (network.bridge(), host(1));
        ip(&format!("link add {bridge} type bridge"))?;
        ip(&format!("addr add {own}/24 dev {bridge}"))?;
        ip(&format!("link set {bridge} up"))?;
        for at in 0..machines {
            let (name, cable, plug) = (network.machine(at), network.cable(at), network.plug(at));
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
        self.addrs[machine]
    }

    /// An address of this network that no machine has.
    #[must_use]
    pub fn nobodys_addr(&self) -> IpAddr {
        host(250)
    }

    /// Gives a machine another address in place of its own. It must have no node.
    ///
    /// # Errors
    /// `ip` fails.
    pub fn renumber(&mut self, machine: usize) -> io::Result<()> {
        let (name, plug, addr) = (self.machine(machine), self.plug(machine), host(100 + machine as u8));
        ip(&format!("-n {name} addr del {}/24 dev {plug}", self.addrs[machine]))?;
        ip(&format!("-n {name} addr add {addr}/24 dev {plug}"))?;
        self.addrs[machine] = addr;
        Ok(())
    }

    /// Lets a name lead to an address on a machine, and no other name anywhere. What runs there already sees it, if a name was set before.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn set_name(&self, machine: usize, name: &str, addr: IpAddr) -> io::Result<()> {
        let etc = self.etc(machine);
        fs::create_dir_all(&etc)?;
        // In place: a new file would not be the one that the namespace has bound.
        fs::write(etc.join("hosts"), format!("{addr} {name}\n"))
    }

    /// A command that runs `program` on a machine, in the same process.
    #[must_use]
    pub fn command(&self, machine: usize, program: &Path) -> Command {
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

    /// The machine's end of its cable.
    fn plug(&self, at: usize) -> String {
        format!("{}p{at}", self.tag)
    }

    fn etc(&self, at: usize) -> PathBuf {
        Path::new(ETC).join(self.machine(at))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for at in 0..self.addrs.len() {
            // What was never made can't be removed.
            let _ = ip(&format!("link del {}", self.cable(at)));
            let _ = ip(&format!("netns del {}", self.machine(at)));
            let _ = fs::remove_dir_all(self.etc(at));
        }
        let _ = ip(&format!("link del {}", self.bridge()));
    }
}
