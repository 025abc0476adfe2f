//! The operations that a load is mixed from.

use std::str::FromStr;

/// One kind of request. Collections are single keys with random members, as `redis-benchmark` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `PING`
    Ping,
    /// `GET key`
    Get,
    /// `SET key value`, with `EX` when the load has a TTL.
    Set,
    /// `INCR counter`, over the keyspace.
    Incr,
    /// `DEL key`
    Del,
    /// `EXISTS key`
    Exists,
    /// `EXPIRE key 100`
    Expire,
    /// `LPUSH mylist value`
    Lpush,
    /// `RPUSH mylist value`
    Rpush,
    /// `LPOP mylist`
    Lpop,
    /// `RPOP mylist`
    Rpop,
    /// `LRANGE mylist 0 n-1`, of a list that was filled before.
    Lrange(u32),
    /// `HSET myhash field value`
    Hset,
    /// `HGET myhash field`
    Hget,
    /// `SADD myset member`
    Sadd,
    /// `SPOP myset`
    Spop,
    /// `SISMEMBER myset member`
    Sismember,
    /// `ZADD myzset score member`
    Zadd,
    /// `ZSCORE myzset member`
    Zscore,
    /// `MGET` of n keys.
    Mget(u32),
    /// `MSET` of n keys.
    Mset(u32),
}

/// Most elements that one operation may name or ask for.
const COUNT_MAX: u32 = 10_000;

impl FromStr for Operation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        let split = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
        let (name, count) = text.split_at(split);
        let counted = |make: fn(u32) -> Operation, default: u32| match count {
            "" => Ok(make(default)),
            _ => match count.parse::<u32>() {
                Ok(n) if (1..=COUNT_MAX).contains(&n) => Ok(make(n)),
                _ => Err(format!("{count} is no count between 1 and {COUNT_MAX}")),
            },
        };
        match name {
            "lrange" => return counted(Self::Lrange, 100),
            "mget" => return counted(Self::Mget, 10),
            "mset" => return counted(Self::Mset, 10),
            _ if !count.is_empty() => return Err(format!("{name:?} takes no count")),
            _ => {}
        }
        Ok(match name {
            "ping" => Self::Ping,
            "get" => Self::Get,
            "set" => Self::Set,
            "incr" => Self::Incr,
            "del" => Self::Del,
            "exists" => Self::Exists,
            "expire" => Self::Expire,
            "lpush" => Self::Lpush,
            "rpush" => Self::Rpush,
            "lpop" => Self::Lpop,
            "rpop" => Self::Rpop,
            "hset" => Self::Hset,
            "hget" => Self::Hget,
            "sadd" => Self::Sadd,
            "spop" => Self::Spop,
            "sismember" => Self::Sismember,
            "zadd" => Self::Zadd,
            "zscore" => Self::Zscore,
            _ => return Err(format!("{name:?} is no operation of the load generator")),
        })
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = format!("{self:?}").to_ascii_lowercase();
        match name.split_once('(') {
            Some((name, count)) => write!(f, "{name}{}", count.trim_end_matches(')')),
            None => f.write_str(&name),
        }
    }
}

/// Operations with weights: `get=9,set=1`, or just `get`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    /// Each operation with the sum of the weights up to and including its own.
    choices: Vec<(Operation, u32)>,
    total: u32,
}

impl Mix {
    /// Only `operation`.
    pub fn only(operation: Operation) -> Self {
        Self { choices: vec![(operation, 1)], total: 1 }
    }

    /// GET and SET in equal parts.
    pub fn even_get_set() -> Self {
        Self { choices: vec![(Operation::Get, 1), (Operation::Set, 2)], total: 2 }
    }

    /// Draws an operation by weight.
    pub fn draw(&self, rng: &mut fastrand::Rng) -> Operation {
        if let [(operation, _)] = self.choices[..] {
            return operation;
        }
        let at = rng.u32(..self.total);
        let found = self.choices.iter().find(|(_, up_to)| at < *up_to);
        found.map_or(self.choices[0].0, |(operation, _)| *operation)
    }

    /// The operations of the mix.
    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        self.choices.iter().map(|(operation, _)| *operation)
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut choices = Vec::new();
        let mut total = 0u32;
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let weight: u32 = weight.trim().parse().map_err(|_| format!("{weight:?} is no weight"))?;
            total = total.checked_add(weight).ok_or("the weights are too large")?;
            if weight > 0 {
                choices.push((name.trim().parse()?, total));
            }
        }
        if choices.is_empty() {
            return Err("a mix needs an operation with a weight above 0".to_owned());
        }
        Ok(Self { choices, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_survive_a_round_trip_through_their_names() {
        for name in ["get", "set", "mget10", "lrange100", "zadd", "mset3"] {
            let operation: Operation = name.parse().expect("known");
            assert_eq!(operation.to_string(), name);
        }
    }

    #[test]
    fn unknown_operations_and_counts_are_refused() {
        for bad in ["gett", "get10", "mget0", "mget99999999999", ""] {
            assert!(bad.parse::<Operation>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_mix_draws_by_weight() {
        let mix: Mix = "get=9,set=1".parse().expect("well formed");
        let mut rng = fastrand::Rng::with_seed(1);
        let gets = (0..100_000).filter(|_| mix.draw(&mut rng) == Operation::Get).count();
        assert!((89_000..91_000).contains(&gets), "{gets}");
    }

    #[test]
    fn an_empty_mix_is_refused() {
        assert!("get=0".parse::<Mix>().is_err());
        assert!("".parse::<Mix>().is_err());
    }
}
