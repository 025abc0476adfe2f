//! Runs the load cells in interleaved rounds.

use crate::error::{BenchError, Result};
use crate::load::distribution::DistributionKind;
use crate::load::engine::{Engine, LoadPlan};
use crate::load::generator::Generator;
use crate::load::operation::{Mix, Operation};
use crate::load::outcome::Outcome;
use crate::load::prepare;
use crate::load::schedule::Stop;
use crate::output::{note, progress};
use crate::proc::{Server, usage};

use super::Setting;
use super::cell::Cell;

/// Looks of 50 ms that a server gets to finish earlier work before a round.
const IDLE_LOOKS_MAX: u32 = 60;

/// The figures of one server in one round of one cell.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) throughput: f64,
    pub(crate) cpu_ns_per_request: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
}

/// All rounds of one server in one cell.
#[derive(Debug, Clone)]
pub(crate) struct LoadResult {
    pub(crate) cell: String,
    pub(crate) server: String,
    pub(crate) samples: Vec<Sample>,
    pub(crate) errors: String,
}

/// All rounds of one server in one memory cell, in bytes per key.
#[derive(Debug, Clone)]
pub(crate) struct MemoryResult {
    pub(crate) cell: String,
    pub(crate) server: String,
    pub(crate) rss: Vec<f64>,
    pub(crate) used: Vec<f64>,
}

/// Everything that a comparison measured.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) loads: Vec<LoadResult>,
    pub(crate) memory: Vec<MemoryResult>,
    /// CPU nanoseconds per request by number of worker threads.
    pub(crate) threads: Vec<(usize, Vec<Sample>)>,
}

/// Measures one run of `plan` on a running server.
pub(crate) fn sample(server: &Server, plan: &LoadPlan, generator: &mut Generator) -> Result<(Sample, Outcome)> {
    usage::wait_until_idle(server.pid, IDLE_LOOKS_MAX)?;
    let cpu_before_ns = server.cpu_ns()?;
    let outcome = Engine::run(plan, generator, |_| ())?;
    let cpu_ns = server.cpu_ns()?.saturating_sub(cpu_before_ns);
    let sample = Sample {
        throughput: outcome.throughput(),
        cpu_ns_per_request: cpu_ns as f64 / outcome.requests.max(1) as f64,
        p50_us: outcome.latencies.quantile_us(0.5),
        p99_us: outcome.latencies.quantile_us(0.99),
        p999_us: outcome.latencies.quantile_us(0.999),
    };
    Ok((sample, outcome))
}

/// The plan of a closed loop against a server.
pub(crate) fn plan(setting: &Setting<'_>, server: &Server, pipeline: u64, requests: u64) -> LoadPlan {
    LoadPlan {
        addr: server.addr,
        connections: setting.args.connections,
        pipeline,
        stop: Stop::Requests(requests),
        rate: None,
        resp3: false,
    }
}

/// Measures all load cells on all servers; the servers start once, filled with the whole keyspace. A cell that fails is
/// told and left out, so that one missing command does not cost all the other figures; returns how many failed.
pub(crate) fn loads(setting: &Setting<'_>, cells: &[Cell], results: &mut Results) -> Result<usize> {
    let loads: Vec<&Cell> = cells.iter().filter(|cell| matches!(cell, Cell::Load { .. })).collect();
    if loads.is_empty() {
        return Ok(0);
    }
    let mut failed = 0;
    let mut servers = Vec::new();
    for spec in &setting.servers {
        let server = Server::start(spec, &setting.placement)?;
        let config = setting.args.data.generator(Mix::only(Operation::Set), DistributionKind::Uniform, None);
        prepare::fill(&plan(setting, &server, 64, config.keys), &config, |_| ())?;
        servers.push(server);
    }
    let bar =
        progress::bar("compare", Some(loads.len() as u64 * u64::from(setting.args.rounds) * servers.len() as u64));
    for cell in loads {
        bar.set_prefix(cell.to_string());
        match rounds(setting, cell, &servers, || bar.inc(1)) {
            Ok(measured) => results.loads.extend(measured),
            Err(error) => {
                note(&format!("{cell}: {error}"));
                failed += 1;
            }
        }
    }
    bar.finish_and_clear();
    Ok(failed)
}

fn rounds(setting: &Setting<'_>, cell: &Cell, servers: &[Server], on_turn: impl Fn()) -> Result<Vec<LoadResult>> {
    let Cell::Load { operation, pipeline } = cell else {
        return Err(BenchError::Usage(format!("{cell} is no load")));
    };
    let requests = setting.args.requests.unwrap_or_else(|| cell.default_requests());
    let mut results: Vec<LoadResult> = servers
        .iter()
        .map(|server| LoadResult {
            cell: cell.to_string(),
            server: server.spec.name.clone(),
            samples: Vec::new(),
            errors: String::new(),
        })
        .collect();
    for round in 0..setting.args.rounds {
        let mut order: Vec<usize> = (0..servers.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let server = &servers[at];
            let mut config = setting.args.data.generator(Mix::only(*operation), DistributionKind::Uniform, None);
            config.seed = config.seed.wrapping_add(u64::from(round));
            prepare::collections(&mut server.client()?, &config.mix, &config)?;
            let plan = plan(setting, server, *pipeline, requests);
            let (sample, outcome) = sample(server, &plan, &mut Generator::new(&config)?)?;
            if outcome.error_count() > 0 {
                note(&format!("{cell} on {}: errors: {}", server.spec.name, outcome.errors_text()));
                results[at].errors = outcome.errors_text();
            }
            results[at].samples.push(sample);
            on_turn();
        }
    }
    Ok(results)
}
