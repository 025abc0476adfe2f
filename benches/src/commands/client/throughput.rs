//! The clients in turns on one cluster, at what a request costs each of them.

use std::process::Command;

use clap::ValueEnum;

use super::cluster::Cluster;
use super::drivers::Contender;
use super::worker::Turn;
use super::{ClientArgs, failed};
use crate::error::{Context, Result};
use crate::output::{Cell, Table, note};
use crate::stats::median;

/// What a client's turns came to.
#[derive(Default)]
struct Samples {
    throughput: Vec<f64>,
    cpu_us: Vec<f64>,
    p50_us: Vec<f64>,
    p99_us: Vec<f64>,
    errors: u64,
}

pub(super) fn measure(args: &ClientArgs) -> Result<Table> {
    let cluster = Cluster::start(&args.rondache)?;
    let contenders = Contender::value_variants();
    let mut samples: Vec<Samples> = contenders.iter().map(|_| Samples::default()).collect();
    for round in 0..args.rounds {
        for step in 0..contenders.len() {
            // Everybody begins once, so that none is always the one behind a certain other.
            let at = (step + round as usize) % contenders.len();
            samples[at].add(&turn(args, &cluster, contenders[at])?, args.requests);
        }
        note(&format!("round {} of {}", round + 1, args.rounds));
    }
    Ok(table(args, contenders, &samples))
}

impl Samples {
    fn add(&mut self, turn: &Turn, requests: u64) {
        let requests = requests as f64;
        self.throughput.push(requests / (turn.elapsed_ns as f64 / 1e9));
        self.cpu_us.push(turn.cpu_ns as f64 / 1e3 / requests);
        self.p50_us.push(turn.p50_ns as f64 / 1e3);
        self.p99_us.push(turn.p99_ns as f64 / 1e3);
        self.errors += turn.errors;
    }
}

/// Lets one client take its turn, in a process of its own.
fn turn(args: &ClientArgs, cluster: &Cluster, contender: Contender) -> Result<Turn> {
    let program = std::env::current_exe().context(|| "finding this program".into())?;
    let figures = [
        ("--tasks", args.tasks.to_string()),
        ("--threads", args.threads.to_string()),
        ("--requests", args.requests.to_string()),
        ("--keys", args.keys.to_string()),
        ("--value-size", args.value_size.to_string()),
        ("--nodes", cluster.seeds().join(",")),
        ("--contender", contender.name().to_owned()),
    ];
    let mut command = Command::new(program);
    command.arg("client-worker").args(figures.iter().flat_map(|(name, value)| [*name, value.as_str()]));
    let done = command.output().context(|| "running a client".into())?;
    let wrong = || failed(contender.name(), String::from_utf8_lossy(&done.stderr).trim());
    if !done.status.success() {
        return Err(wrong());
    }
    Turn::parse(&String::from_utf8_lossy(&done.stdout)).ok_or_else(wrong)
}

fn table(args: &ClientArgs, contenders: &[Contender], samples: &[Samples]) -> Table {
    let title = format!(
        "GET and SET in equal parts from {} tasks, {} B values, three nodes; medians of {} rounds",
        args.tasks, args.value_size, args.rounds
    );
    let columns = [
        "client",
        "requests/s",
        "CPU µs/request",
        "p50 µs",
        "p99 µs",
        "errors",
        "CPU, ours to theirs",
        "throughput, ours to theirs",
    ];
    let mut table = Table::new(&title, &columns);
    let cpu = |at: usize| median(&samples[at].cpu_us);
    let throughput = |at: usize| median(&samples[at].throughput);
    for (at, contender) in contenders.iter().enumerate() {
        let is_ours = *contender == Contender::Rondache;
        let ratio = |ours: f64, theirs: f64| match is_ours {
            true => Cell::Empty,
            false => Cell::Number(ours / theirs, 2),
        };
        table.row(vec![
            contender.name().into(),
            Cell::Number(throughput(at), 0),
            Cell::Number(cpu(at), 2),
            Cell::Number(median(&samples[at].p50_us), 0),
            Cell::Number(median(&samples[at].p99_us), 0),
            samples[at].errors.into(),
            ratio(cpu(0), cpu(at)),
            ratio(throughput(0), throughput(at)),
        ]);
    }
    table
}
