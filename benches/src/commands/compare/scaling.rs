//! One worker thread against two: what sharing costs per request.
//!
//! Both variants may run on the same cores (all that are allowed, unless told otherwise), together with the generator,
//! so that only the number of threads differs.

use crate::error::Result;
use crate::load::distribution::DistributionKind;
use crate::load::generator::Generator;
use crate::load::operation::Mix;
use crate::load::prepare;
use crate::proc::affinity::{Placement, allowed_cores, pin_current_thread};
use crate::proc::{Server, ServerSpec};

use super::Setting;
use super::cell::Cell;
use super::measure::{Results, plan, sample};

const THREADS: [usize; 2] = [1, 2];
const PIPELINE: u64 = 16;

/// Measures the cell on this project's server.
pub(crate) fn measure(setting: &Setting<'_>, results: &mut Results) -> Result<()> {
    let placement = match &setting.args.servers.server_cores {
        Some(cores) => Placement { server: cores.clone(), generator: setting.placement.generator.clone() },
        None => {
            pin_current_thread(&all_cores())?;
            Placement { server: all_cores(), generator: all_cores() }
        }
    };
    let mix: Mix = Mix::even_get_set();
    let config = setting.args.data.generator(mix, DistributionKind::Uniform, None);
    let requests = setting.args.requests.unwrap_or_else(|| Cell::Threads.default_requests());
    let mut servers = Vec::new();
    for threads in THREADS {
        let mut spec = ServerSpec::new("rondache", setting.args.servers.rondache.clone(), Vec::new());
        spec.threads = threads;
        let server = Server::start(&spec, &placement)?;
        prepare::fill(&plan(setting, &server, 64, config.keys), &config, |_| ())?;
        servers.push(server);
        results.threads.push((threads, Vec::new()));
    }
    for round in 0..setting.args.rounds {
        let mut order: Vec<usize> = (0..servers.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let server = &servers[at];
            let plan = plan(setting, server, PIPELINE, requests);
            let (sample, _) = sample(server, &plan, &mut Generator::new(&config)?)?;
            results.threads[at].1.push(sample);
        }
    }
    pin_current_thread(&setting.placement.generator)
}

/// Every core of the machine that can be named; the generator's own pinning must not narrow it.
fn all_cores() -> Vec<usize> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").ok();
    let last = online.and_then(|text| text.trim().rsplit(['-', ',']).next()?.parse::<usize>().ok());
    match last {
        Some(last) => (0..=last).collect(),
        None => allowed_cores().unwrap_or_else(|_| (0..count).collect()),
    }
}
