//! The nodes as a cache's backend.

use std::time::Duration;

use bytes::Bytes;

use super::{Backend, BackendError};
use crate::{Client, ClientError, Cmd};

impl From<ClientError> for BackendError {
    fn from(error: ClientError) -> Self {
        Self::new(error)
    }
}

impl Backend for Client {
    async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, BackendError> {
        Ok(self.query(Cmd::new("GET").arg(&key[..])).await?)
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, BackendError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.query(Cmd::new("MGET").args(keys.iter().map(|key| &key[..]))).await?)
    }

    async fn set(&self, key: &Bytes, value: Vec<u8>, ttl: Duration) -> Result<(), BackendError> {
        let cmd = Cmd::with_capacity("SET", key.len() + value.len() + 48);
        Ok(self.query(cmd.arg(&key[..]).arg(&value[..]).arg("PX").arg(px(ttl))).await?)
    }

    async fn delete(&self, keys: &[Bytes]) -> Result<(), BackendError> {
        if keys.is_empty() {
            return Ok(());
        }
        Ok(self.query(Cmd::new("DEL").args(keys.iter().map(|key| &key[..]))).await?)
    }

    async fn acquire(&self, key: &Bytes, token: &str, ttl: Duration) -> Result<bool, BackendError> {
        Ok(self.query(Cmd::new("SET").arg(&key[..]).arg(token).arg("NX").arg("PX").arg(px(ttl))).await?)
    }

    /// Compares and expires in one command: a millisecond later the key is gone. Servers without IFEQ refuse it, and the
    /// lease ends by its TTL.
    async fn release(&self, key: &Bytes, token: &str) -> Result<(), BackendError> {
        let cmd = Cmd::new("SET").arg(&key[..]).arg("").arg("IFEQ").arg(token).arg("PX").arg(1);
        let _: bool = self.query(cmd).await?;
        Ok(())
    }
}

/// A TTL as PX takes it: whole milliseconds, at least one.
fn px(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX as u64 / 2)
}
