//! Brings a server into the state that a load expects.

use crate::error::{BenchError, Result};
use crate::load::engine::{Engine, LoadPlan};
use crate::load::generator::{Generator, GeneratorConfig};
use crate::load::operation::Mix;
use crate::load::operation::Operation;
use crate::load::outcome::Outcome;
use crate::load::schedule::Stop;
use crate::net::Client;
use crate::net::encode::push_request;

/// Elements in the list that LRANGE reads.
pub const LIST_ELEMENTS: usize = 10_000;
const COLLECTIONS: [&str; 4] = ["mylist", "myhash", "myset", "myzset"];

/// SETs every key of the keyspace once.
///
/// # Errors
/// Those of the engine; error replies are an error too, since a partly filled server would skew every figure.
pub fn fill(plan: &LoadPlan, config: &GeneratorConfig, on_progress: impl FnMut(u64)) -> Result<Outcome> {
    let plan =
        LoadPlan { pipeline: plan.pipeline.max(64), stop: Stop::Requests(config.keys), rate: None, ..plan.clone() };
    let outcome = Engine::run(&plan, &mut Generator::fill(config)?, on_progress)?;
    if outcome.error_count() > 0 {
        return Err(BenchError::Refused { command: "SET while filling".to_owned(), reply: outcome.errors_text() });
    }
    Ok(outcome)
}

/// Deletes the collections of earlier loads and builds the list that LRANGE reads when `mix` needs it.
///
/// # Errors
/// [`BenchError::Refused`] when the server refuses a command, or the connection's error.
pub fn collections(client: &mut Client, mix: &Mix, config: &GeneratorConfig) -> Result<()> {
    for name in COLLECTIONS {
        client.call_ok(&["DEL", name])?;
    }
    if mix.operations().any(|operation| matches!(operation, Operation::Lrange(_))) {
        let value = "x".repeat(config.value_size.max);
        let mut request = Vec::new();
        const BATCH: usize = 100;
        for _ in 0..LIST_ELEMENTS / BATCH {
            let mut arguments: Vec<&[u8]> = vec![b"RPUSH", b"mylist"];
            arguments.resize(2 + BATCH, value.as_bytes());
            request.clear();
            push_request(&mut request, &arguments);
            client.pipeline(&request, 1, |_| ())?;
        }
    }
    Ok(())
}
