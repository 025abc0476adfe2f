//! The workloads: a random mix over the keyspace, and a fill that visits every key once.

use std::time::Duration;

use crate::load::Workload;
use crate::load::distribution::{Distribution, DistributionKind};
use crate::load::keys::KeyFormat;
use crate::load::operation::{Mix, Operation};
use crate::load::values::{SizeRange, SizeSpread, ValuePool};
use crate::net::encode::{push_bulk, push_decimal, push_header};

/// What a generator needs to know.
#[derive(Debug, Clone)]
pub struct GeneratorConfig {
    /// Size of the keyspace.
    pub keys: u64,
    /// Exact key size in bytes.
    pub key_size: usize,
    /// Value sizes in bytes.
    pub value_size: SizeRange,
    /// How value sizes are drawn.
    pub value_spread: SizeSpread,
    /// How keys are drawn.
    pub distribution: DistributionKind,
    /// What is asked.
    pub mix: Mix,
    /// TTL of values that are written by SET, whole seconds.
    pub ttl: Option<Duration>,
    /// Seed of every random choice.
    pub seed: u64,
}

/// Encodes requests as the configuration says.
#[derive(Debug, Clone)]
pub struct Generator {
    rng: fastrand::Rng,
    keys: KeyFormat,
    keyspace: u64,
    distribution: Distribution,
    values: ValuePool,
    mix: Mix,
    /// The encoded `EX seconds` arguments.
    ttl_arguments: Option<Vec<u8>>,
}

impl Generator {
    /// A generator that draws operations and keys at random.
    ///
    /// # Errors
    /// [`crate::BenchError::Usage`] when the keys do not fit into their size.
    pub fn new(config: &GeneratorConfig) -> crate::Result<Self> {
        let mut rng = fastrand::Rng::with_seed(config.seed);
        let ttl_arguments = config.ttl.map(|ttl| {
            let mut arguments = Vec::new();
            push_bulk(&mut arguments, b"EX");
            push_bulk(&mut arguments, ttl.as_secs().max(1).to_string().as_bytes());
            arguments
        });
        Ok(Self {
            keys: KeyFormat::new(config.key_size, config.keys)?,
            keyspace: config.keys.max(1),
            distribution: Distribution::new(config.distribution, config.keys),
            values: ValuePool::new(config.value_size, config.value_spread, &mut rng),
            mix: config.mix.clone(),
            ttl_arguments,
            rng,
        })
    }

    /// A generator that SETs every key once, in order, when it is asked for as many requests as there are keys.
    ///
    /// # Errors
    /// As [`Generator::new`].
    pub fn fill(config: &GeneratorConfig) -> crate::Result<Self> {
        Self::new(&GeneratorConfig {
            distribution: DistributionKind::Sequential,
            mix: Mix::only(Operation::Set),
            ..config.clone()
        })
    }

    fn push_key(&mut self, out: &mut Vec<u8>) {
        let n = self.distribution.draw(&mut self.rng);
        self.keys.push(n, out);
    }

    fn push_keyed(&mut self, out: &mut Vec<u8>, head: &[u8]) {
        out.extend_from_slice(head);
        self.push_key(out);
    }

    /// A member name as `redis-benchmark` writes it.
    fn push_member(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"$20\r\nelement:");
        let n = self.distribution.draw(&mut self.rng);
        push_padded(out, n, 12);
        out.extend_from_slice(b"\r\n");
    }

    fn push_set(&mut self, out: &mut Vec<u8>) {
        let head: &[u8] = match self.ttl_arguments {
            Some(_) => b"*5\r\n$3\r\nSET\r\n",
            None => b"*3\r\n$3\r\nSET\r\n",
        };
        self.push_keyed(out, head);
        self.values.push(&mut self.rng, out);
        if let Some(arguments) = &self.ttl_arguments {
            out.extend_from_slice(arguments);
        }
    }

    fn push_collection(&mut self, operation: Operation, out: &mut Vec<u8>) {
        match operation {
            Operation::Lpush => {
                out.extend_from_slice(b"*3\r\n$5\r\nLPUSH\r\n$6\r\nmylist\r\n");
                self.values.push(&mut self.rng, out);
            }
            Operation::Rpush => {
                out.extend_from_slice(b"*3\r\n$5\r\nRPUSH\r\n$6\r\nmylist\r\n");
                self.values.push(&mut self.rng, out);
            }
            Operation::Lpop => out.extend_from_slice(b"*2\r\n$4\r\nLPOP\r\n$6\r\nmylist\r\n"),
            Operation::Rpop => out.extend_from_slice(b"*2\r\n$4\r\nRPOP\r\n$6\r\nmylist\r\n"),
            Operation::Lrange(n) => {
                out.extend_from_slice(b"*4\r\n$6\r\nLRANGE\r\n$6\r\nmylist\r\n$1\r\n0\r\n");
                push_bulk(out, n.saturating_sub(1).to_string().as_bytes());
            }
            Operation::Hset => {
                out.extend_from_slice(b"*4\r\n$4\r\nHSET\r\n$6\r\nmyhash\r\n");
                self.push_member(out);
                self.values.push(&mut self.rng, out);
            }
            Operation::Hget => {
                out.extend_from_slice(b"*3\r\n$4\r\nHGET\r\n$6\r\nmyhash\r\n");
                self.push_member(out);
            }
            Operation::Sadd => {
                out.extend_from_slice(b"*3\r\n$4\r\nSADD\r\n$5\r\nmyset\r\n");
                self.push_member(out);
            }
            Operation::Spop => out.extend_from_slice(b"*2\r\n$4\r\nSPOP\r\n$5\r\nmyset\r\n"),
            Operation::Sismember => {
                out.extend_from_slice(b"*3\r\n$9\r\nSISMEMBER\r\n$5\r\nmyset\r\n");
                self.push_member(out);
            }
            Operation::Zadd => {
                out.extend_from_slice(b"*4\r\n$4\r\nZADD\r\n$6\r\nmyzset\r\n$12\r\n");
                push_padded(out, self.rng.u64(..self.keyspace), 12);
                out.extend_from_slice(b"\r\n");
                self.push_member(out);
            }
            _ => {
                out.extend_from_slice(b"*3\r\n$6\r\nZSCORE\r\n$6\r\nmyzset\r\n");
                self.push_member(out);
            }
        }
    }

    fn push_many(&mut self, n: u32, with_values: bool, out: &mut Vec<u8>) {
        push_header(out, 1 + n as usize * if with_values { 2 } else { 1 });
        out.extend_from_slice(if with_values { b"$4\r\nMSET\r\n" } else { b"$4\r\nMGET\r\n" });
        for _ in 0..n {
            self.push_key(out);
            if with_values {
                self.values.push(&mut self.rng, out);
            }
        }
    }
}

impl Workload for Generator {
    fn encode(&mut self, out: &mut Vec<u8>) {
        match self.mix.draw(&mut self.rng) {
            Operation::Get => self.push_keyed(out, b"*2\r\n$3\r\nGET\r\n"),
            Operation::Set => self.push_set(out),
            Operation::Ping => out.extend_from_slice(b"*1\r\n$4\r\nPING\r\n"),
            Operation::Incr => {
                out.extend_from_slice(b"*2\r\n$4\r\nINCR\r\n$20\r\ncounter:");
                let n = self.distribution.draw(&mut self.rng);
                push_padded(out, n, 12);
                out.extend_from_slice(b"\r\n");
            }
            Operation::Del => self.push_keyed(out, b"*2\r\n$3\r\nDEL\r\n"),
            Operation::Exists => self.push_keyed(out, b"*2\r\n$6\r\nEXISTS\r\n"),
            Operation::Expire => {
                self.push_keyed(out, b"*3\r\n$6\r\nEXPIRE\r\n");
                out.extend_from_slice(b"$3\r\n100\r\n");
            }
            Operation::Mget(n) => self.push_many(n, false, out),
            Operation::Mset(n) => self.push_many(n, true, out),
            other => self.push_collection(other, out),
        }
    }
}

/// Appends `n` in `width` digits, zero-padded.
fn push_padded(out: &mut Vec<u8>, mut n: u64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out[start..].iter_mut().rev() {
        if n == 0 {
            break;
        }
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
    if n > 0 {
        out.truncate(start);
        push_decimal(out, n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Value;

    fn config(mix: &str) -> GeneratorConfig {
        GeneratorConfig {
            keys: 100,
            key_size: 16,
            value_size: SizeRange { min: 3, max: 3 },
            value_spread: SizeSpread::Uniform,
            distribution: DistributionKind::Uniform,
            mix: mix.parse().expect("a known mix"),
            ttl: None,
            seed: 5,
        }
    }

    fn one(config: &GeneratorConfig) -> Vec<u8> {
        let mut out = Vec::new();
        Generator::new(config).expect("fits").encode(&mut out);
        out
    }

    #[test]
    fn every_operation_encodes_one_well_formed_request() {
        for name in [
            "ping",
            "get",
            "set",
            "incr",
            "del",
            "exists",
            "expire",
            "lpush",
            "rpush",
            "lpop",
            "rpop",
            "lrange100",
            "hset",
            "hget",
            "sadd",
            "spop",
            "sismember",
            "zadd",
            "zscore",
            "mget10",
            "mset10",
        ] {
            let bytes = one(&config(name));
            let mut rest = &bytes[..];
            let value = Value::read(&mut rest).expect("a RESP array");
            assert!(rest.is_empty(), "{name}");
            let Value::List(arguments) = value else { panic!("{name} is no array") };
            let Value::Bulk(command) = &arguments[0] else { panic!("{name} has no command") };
            assert!(name.to_uppercase().starts_with(&*String::from_utf8_lossy(command)), "{name}");
        }
    }

    #[test]
    fn a_ttl_becomes_an_ex_argument() {
        let mut with_ttl = config("set");
        with_ttl.ttl = Some(Duration::from_secs(30));
        let bytes = one(&with_ttl);
        assert!(bytes.ends_with(b"$2\r\nEX\r\n$2\r\n30\r\n"));
    }

    #[test]
    fn a_fill_visits_every_key_once() {
        let mut fill = Generator::fill(&config("get")).expect("fits");
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            let mut out = Vec::new();
            fill.encode(&mut out);
            let Ok(Value::List(arguments)) = Value::read(&mut &out[..]) else { panic!("no array") };
            let Value::Bulk(key) = &arguments[1] else { panic!("no key") };
            seen.insert(key.clone());
        }
        assert_eq!(seen.len(), 100);
    }
}
