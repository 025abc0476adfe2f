//! The clients that are held against each other, each as its own documentation uses it: one client, cloned for every task.

use std::str::FromStr;

use bytes::Bytes;
use clap::ValueEnum;
use fred::interfaces::{ClientLike, KeysInterface};

use super::failed;
use crate::error::{BenchError, Result};

/// A client that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Contender {
    /// This project's client
    Rondache,
    /// redis-rs, asynchronous, for clusters
    Redis,
    /// fred, for clusters
    Fred,
}

impl Contender {
    /// Its name, as people know it and as the command line has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rondache => "rondache",
            Self::Redis => "redis",
            Self::Fred => "fred",
        }
    }
}

/// A connected client.
#[derive(Clone)]
pub(super) enum Driver {
    Rondache(rondache_client::Client),
    Redis(Box<redis::cluster_async::ClusterConnection>),
    Fred(fred::clients::Client),
}

impl Driver {
    pub(super) async fn connect(contender: Contender, seeds: &[String]) -> Result<Self> {
        let wrong = |error: &dyn std::fmt::Display| failed(contender.name(), error);
        match contender {
            Contender::Rondache => {
                let built = rondache_client::Client::builder().seeds(seeds).build().await;
                Ok(Self::Rondache(built.map_err(|error| wrong(&error))?))
            }
            Contender::Redis => {
                let urls: Vec<String> = seeds.iter().map(|seed| format!("redis://{seed}")).collect();
                let client = redis::cluster::ClusterClient::new(urls).map_err(|error| wrong(&error))?;
                let connection = client.get_async_connection().await.map_err(|error| wrong(&error))?;
                Ok(Self::Redis(Box::new(connection)))
            }
            Contender::Fred => {
                let hosts = seeds.iter().map(|seed| host_and_port(seed)).collect::<Result<Vec<_>>>()?;
                let server = fred::types::config::ServerConfig::new_clustered(hosts);
                let config = fred::types::config::Config { server, ..Default::default() };
                let client = fred::types::Builder::from_config(config).build().map_err(|error| wrong(&error))?;
                client.init().await.map_err(|error| wrong(&error))?;
                Ok(Self::Fred(client))
            }
        }
    }

    /// Whether the GET was answered.
    pub(super) async fn get(&mut self, key: &str) -> bool {
        match self {
            Self::Rondache(client) => client.get::<Option<Bytes>>(key).await.is_ok(),
            Self::Redis(connection) => {
                let reply = redis::cmd("GET").arg(key).query_async::<Option<Vec<u8>>>(connection.as_mut()).await;
                reply.is_ok()
            }
            Self::Fred(client) => client.get::<Option<Bytes>, _>(key).await.is_ok(),
        }
    }

    /// Whether the SET was answered.
    pub(super) async fn set(&mut self, key: &str, value: &Bytes) -> bool {
        match self {
            Self::Rondache(client) => client.set(key, &value[..]).await.is_ok(),
            Self::Redis(connection) => {
                let reply = redis::cmd("SET").arg(key).arg(&value[..]).query_async::<()>(connection.as_mut()).await;
                reply.is_ok()
            }
            Self::Fred(client) => client.set::<(), _, _>(key, value.clone(), None, None, false).await.is_ok(),
        }
    }
}

fn host_and_port(seed: &str) -> Result<(String, u16)> {
    let parts = seed.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), u16::from_str(port).ok()?)));
    parts.ok_or_else(|| BenchError::Usage(format!("{seed} is no address and port")))
}
