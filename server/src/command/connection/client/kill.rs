//! CLIENT KILL.

use super::{
    super::super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    list::client_class,
};
use crate::{
    session::{
        client::{Client, ClientClass},
        mailbox::CloseReason,
    },
    util::number,
};

/// Which clients to close: those that fit all of it.
#[derive(Default)]
struct Filter<'a> {
    id: Option<u64>,
    addr: Option<&'a [u8]>,
    local_addr: Option<&'a [u8]>,
    class: Option<ClientClass>,
    age_s_min: Option<u64>,
    /// Whether the client that asks may be among them.
    spares_own: bool,
}

/// `CLIENT KILL addr | filter value [filter value …]`
pub(super) fn kill(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if args.len() == 3 {
        let filter = Filter { addr: Some(args.get(2)), ..Filter::default() };
        if kill_matching(ctx, &filter) == 0 {
            return Err(CommandError::err("No such client"));
        }
        ctx.reply.ok();
        return Ok(());
    }
    let filter = Filter::parse(args)?;
    let killed = kill_matching(ctx, &filter);
    ctx.reply.count(killed);
    Ok(())
}

fn kill_matching(ctx: &mut Ctx<'_, '_>, filter: &Filter<'_>) -> usize {
    let own_id = ctx.session.client.id;
    let mut killed = 0;
    for client in ctx.node.clients.all() {
        if client.mailbox.is_closing() || !filter.fits(&client, own_id, ctx.now_ms()) {
            continue;
        }
        killed += 1;
        if client.id == own_id {
            // After the reply.
            ctx.session.closes = true;
        } else {
            client.mailbox.close(CloseReason::Killed);
        }
    }
    killed
}

impl<'a> Filter<'a> {
    fn parse(args: &Args<'a>) -> Result<Self, CommandError> {
        let mut filter = Self { spares_own: true, ..Self::default() };
        let mut index = 2;
        while index < args.len() {
            if index + 1 == args.len() {
                return Err(CommandError::Syntax);
            }
            filter.add(&args.get(index).to_ascii_lowercase(), args.get(index + 1))?;
            index += 2;
        }
        Ok(filter)
    }

    fn add(&mut self, option: &[u8], value: &'a [u8]) -> Result<(), CommandError> {
        match option {
            b"id" => {
                let id = number::parse_i64(value).and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
                self.id = Some(id.ok_or_else(|| CommandError::err("client-id should be greater than 0"))?);
            }
            b"maxage" => {
                let age_s = number::parse_i64(value)
                    .ok_or_else(|| CommandError::err("maxage is not an integer or out of range"))?;
                let age_s = u64::try_from(age_s).ok().filter(|age_s| *age_s > 0);
                self.age_s_min = Some(age_s.ok_or_else(|| CommandError::err("maxage should be greater than 0"))?);
            }
            b"type" => self.class = Some(client_class(value)?),
            b"addr" => self.addr = Some(value),
            b"laddr" => self.local_addr = Some(value),
            b"user" if value == b"default" => {}
            b"user" => {
                let name = String::from_utf8_lossy(value);
                return Err(CommandError::err(format_args!("No such user '{name}'")));
            }
            b"skipme" if value.eq_ignore_ascii_case(b"yes") => self.spares_own = true,
            b"skipme" if value.eq_ignore_ascii_case(b"no") => self.spares_own = false,
            _ => return Err(CommandError::Syntax),
        }
        Ok(())
    }

    fn fits(&self, client: &Client, own_id: u64, now_ms: u64) -> bool {
        let age_s = now_ms.saturating_sub(client.created_ms) / 1000;
        self.id.is_none_or(|id| client.id == id)
            && self.addr.is_none_or(|addr| client.addr.to_string().as_bytes() == addr)
            && self.local_addr.is_none_or(|addr| client.local_addr.to_string().as_bytes() == addr)
            && self.class.is_none_or(|class| client.class() == class)
            && self.age_s_min.is_none_or(|min| age_s >= min)
            && !(self.spares_own && client.id == own_id)
    }
}
