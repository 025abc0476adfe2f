//! Medians, and ratios against the baseline.

use crate::output::{Cell as Shown, Table};
use crate::stats::median;

use super::CompareArgs;
use super::measure::{LoadResult, MemoryResult, Results, Sample};

/// The report's tables.
pub(crate) fn tables(results: &Results, baseline: &str, args: &CompareArgs) -> Vec<Table> {
    let mut tables = Vec::new();
    if !results.loads.is_empty() {
        tables.push(loads(results, baseline, args));
    }
    if !results.memory.is_empty() {
        tables.push(memory(&results.memory, baseline));
    }
    if !results.threads.is_empty() {
        tables.push(threads(results));
    }
    tables
}

fn median_of(samples: &[Sample], figure: fn(&Sample) -> f64) -> f64 {
    median(&samples.iter().map(figure).collect::<Vec<_>>())
}

fn ratio(value: f64, base: Option<f64>) -> Shown {
    match base {
        Some(base) if base > 0.0 => Shown::Number(value / base, 2),
        _ => Shown::Empty,
    }
}

fn loads(results: &Results, baseline: &str, args: &CompareArgs) -> Table {
    let title = format!(
        "load, medians of {} rounds: {} keys of {} B, values of {} B, {} connections; ratios against {baseline}",
        args.rounds, args.data.keys, args.data.key_size, args.data.value_size, args.connections
    );
    let mut table = Table::new(
        title,
        &[
            "cell",
            "server",
            "requests/s",
            "×",
            "CPU ns/request",
            "CPU ×",
            "CPU min",
            "CPU max",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "p99 ×",
            "errors",
        ],
    );
    for result in &results.loads {
        let base = results.loads.iter().find(|other| other.cell == result.cell && other.server == baseline);
        table.row(load_row(result, base));
    }
    table
}

fn load_row(result: &LoadResult, base: Option<&LoadResult>) -> Vec<Shown> {
    let own = |figure| median_of(&result.samples, figure);
    // An error reply is cheaper than the work that was asked for: a ratio with one would flatter.
    let base = base.filter(|base| base.errors.is_empty() && result.errors.is_empty());
    let of_base = |figure| base.map(|base| median_of(&base.samples, figure));
    let cpu = |sample: &Sample| sample.cpu_ns_per_request;
    let cpus = || result.samples.iter().map(cpu);
    vec![
        result.cell.clone().into(),
        result.server.clone().into(),
        Shown::Number(own(|sample| sample.throughput), 0),
        ratio(own(|sample| sample.throughput), of_base(|sample| sample.throughput)),
        Shown::Number(own(cpu), 0),
        ratio(own(cpu), of_base(cpu)),
        Shown::Number(cpus().fold(f64::INFINITY, f64::min), 0),
        Shown::Number(cpus().fold(0.0, f64::max), 0),
        Shown::Number(own(|sample| sample.p50_us), 0),
        Shown::Number(own(|sample| sample.p99_us), 0),
        Shown::Number(own(|sample| sample.p999_us), 0),
        ratio(own(|sample| sample.p99_us), of_base(|sample| sample.p99_us)),
        if result.errors.is_empty() { Shown::Empty } else { result.errors.clone().into() },
    ]
}

fn memory(results: &[MemoryResult], baseline: &str) -> Table {
    let mut table = Table::new(
        format!("memory, bytes per key; ratios against {baseline}"),
        &["cell", "server", "RSS", "RSS ×", "used_memory", "used ×"],
    );
    // A server need not tell its used_memory.
    let used_of = |result: &MemoryResult| (!result.used.is_empty()).then(|| median(&result.used));
    for result in results {
        let base = results.iter().find(|other| other.cell == result.cell && other.server == baseline);
        let (rss, used) = (median(&result.rss), used_of(result));
        table.row(vec![
            result.cell.clone().into(),
            result.server.clone().into(),
            Shown::Number(rss, 1),
            ratio(rss, base.map(|base| median(&base.rss))),
            used.map_or(Shown::Empty, |used| Shown::Number(used, 1)),
            used.map_or(Shown::Empty, |used| ratio(used, base.and_then(used_of))),
        ]);
    }
    table
}

fn threads(results: &Results) -> Table {
    let mut table = Table::new(
        "worker threads, GET and SET in equal parts, 16 deep; ratios against one thread",
        &["threads", "requests/s", "×", "CPU ns/request", "CPU ×"],
    );
    let base = results.threads.first().map(|(_, samples)| samples);
    for (threads, samples) in &results.threads {
        let throughput = median_of(samples, |sample| sample.throughput);
        let cpu = median_of(samples, |sample| sample.cpu_ns_per_request);
        table.row(vec![
            (*threads as u64).into(),
            Shown::Number(throughput, 0),
            ratio(throughput, base.map(|base| median_of(base, |sample| sample.throughput))),
            Shown::Number(cpu, 0),
            ratio(cpu, base.map(|base| median_of(base, |sample| sample.cpu_ns_per_request))),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(server: &str, cpu_ns_per_request: f64, errors: &str) -> LoadResult {
        let sample = Sample { throughput: 1.0, cpu_ns_per_request, p50_us: 1.0, p99_us: 1.0, p999_us: 1.0 };
        LoadResult {
            cell: "get:1".to_owned(),
            server: server.to_owned(),
            samples: vec![sample],
            errors: errors.to_owned(),
        }
    }

    #[test]
    fn ratios_are_relative_to_the_baseline() {
        let row = load_row(&result("a", 500.0, ""), Some(&result("b", 1000.0, "")));
        assert_eq!(row[5], Shown::Number(0.5, 2));
    }

    #[test]
    fn a_server_that_answers_errors_gets_no_ratio() {
        let row = load_row(&result("a", 500.0, "ERR × 3"), Some(&result("b", 1000.0, "")));
        assert_eq!(row[5], Shown::Empty);
        assert_eq!(row[12], "ERR × 3".into());
    }
}
