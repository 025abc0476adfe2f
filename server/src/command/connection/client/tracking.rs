//! CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO.

use std::sync::{Arc, atomic::Ordering};

use super::super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{
    node::hub::tracking::Options,
    session::{Session, client::Client},
};

/// What CLIENT TRACKING asks for.
#[derive(Default)]
struct Request<'a> {
    options: Options,
    redirect: Option<Arc<Client>>,
    prefixes: Vec<&'a [u8]>,
}

/// `CLIENT TRACKING ON|OFF [REDIRECT id] [PREFIX prefix [PREFIX prefix …]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]`
pub(super) fn tracking(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let request = Request::parse(ctx, args)?;
    let hub = &ctx.node.hub;
    if args.is(2, "on") {
        request.check(ctx.session)?;
        let Request { options, redirect, prefixes } = request;
        hub.tracking.enable(ctx.session, options, redirect, prefixes.into_iter());
    } else if args.is(2, "off") {
        hub.tracking.disable(ctx.session);
    } else {
        return Err(CommandError::Syntax);
    }
    ctx.reply.ok();
    Ok(())
}

impl<'a> Request<'a> {
    fn parse(ctx: &Ctx<'_, '_>, args: &Args<'a>) -> Result<Self, CommandError> {
        let mut request = Self::default();
        let mut index = 3;
        while index < args.len() {
            let has_value = index + 1 < args.len();
            if args.is(index, "redirect") && has_value {
                request.set_redirect(ctx, args.integer(index + 1)?)?;
                index += 1;
            } else if args.is(index, "prefix") && has_value {
                request.prefixes.push(args.get(index + 1));
                index += 1;
            } else if args.is(index, "bcast") {
                request.options.broadcast = true;
            } else if args.is(index, "optin") {
                request.options.optin = true;
            } else if args.is(index, "optout") {
                request.options.optout = true;
            } else if args.is(index, "noloop") {
                request.options.noloop = true;
            } else {
                return Err(CommandError::Syntax);
            }
            index += 1;
        }
        Ok(request)
    }

    fn set_redirect(&mut self, ctx: &Ctx<'_, '_>, id: i64) -> CommandResult {
        if self.redirect.is_some() {
            return Err(CommandError::err("A client can only redirect to a single other client"));
        }
        let client = u64::try_from(id).ok().and_then(|id| ctx.node.clients.get(id));
        let Some(client) = client else {
            return Err(CommandError::err("The client ID you want redirect to does not exist"));
        };
        self.redirect = Some(client);
        Ok(())
    }

    /// Refuses options that fit neither each other nor how the client tracks already.
    fn check(&self, session: &Session) -> CommandResult {
        const SWITCH: &str =
            "before disabling tracking for this client, and then re-enabling it with a different mode.";
        let options = &self.options;
        let current = session.tracking.as_ref().map(|state| state.tracker.options);
        if !options.broadcast && !self.prefixes.is_empty() {
            return Err(CommandError::err("PREFIX option requires BCAST mode to be enabled"));
        }
        if current.is_some_and(|current| current.broadcast != options.broadcast) {
            return Err(CommandError::err(format_args!("You can't switch BCAST mode on/off {SWITCH}")));
        }
        if options.broadcast && (options.optin || options.optout) {
            return Err(CommandError::err("OPTIN and OPTOUT are not compatible with BCAST"));
        }
        if options.optin && options.optout {
            return Err(CommandError::err("You can't specify both OPTIN mode and OPTOUT mode"));
        }
        if current.is_some_and(|current| options.optin && current.optout || options.optout && current.optin) {
            return Err(CommandError::err(format_args!("You can't switch OPTIN/OPTOUT mode {SWITCH}")));
        }
        self.check_prefixes(session)
    }

    /// Prefixes of one client must not overlap: a change would be told twice.
    fn check_prefixes(&self, session: &Session) -> CommandResult {
        let overlaps = |one: &[u8], other: &[u8]| one.starts_with(other) || other.starts_with(one);
        for (index, prefix) in self.prefixes.iter().enumerate() {
            let name = String::from_utf8_lossy(prefix);
            let existing = session.tracking.iter().flat_map(|state| &state.prefixes);
            if let Some(other) = existing.into_iter().find(|other| overlaps(prefix, other)) {
                return Err(CommandError::err(format_args!(
                    "Prefix '{name}' overlaps with an existing prefix '{}'. Prefixes for a single client must not \
                     overlap.",
                    String::from_utf8_lossy(other)
                )));
            }
            if let Some(other) = self.prefixes[index + 1..].iter().find(|other| overlaps(prefix, other)) {
                return Err(CommandError::err(format_args!(
                    "Prefix '{name}' overlaps with another provided prefix '{}'. Prefixes for a single client must not \
                     overlap.",
                    String::from_utf8_lossy(other)
                )));
            }
        }
        Ok(())
    }
}

/// `CLIENT CACHING YES|NO`
pub(super) fn caching(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let Some(state) = &mut ctx.session.tracking else {
        return Err(CommandError::err(
            "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        ));
    };
    let (is_fitting, refusal) = if args.is(2, "yes") {
        (state.tracker.options.optin, "CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
    } else if args.is(2, "no") {
        (state.tracker.options.optout, "CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
    } else {
        return Err(CommandError::Syntax);
    };
    if !is_fitting {
        return Err(CommandError::err(refusal));
    }
    state.caching = true;
    ctx.reply.ok();
    Ok(())
}

/// `CLIENT GETREDIR`
pub(super) fn getredir(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    ctx.reply.integer(redirect_of(ctx.session));
    Ok(())
}

/// The client that invalidations go to; 0: this one; -1: there are none.
fn redirect_of(session: &Session) -> i64 {
    let Some(state) = &session.tracking else { return -1 };
    state.tracker.redirect.as_ref().map_or(0, |redirect| i64::try_from(redirect.id).unwrap_or(i64::MAX))
}

/// `CLIENT TRACKINGINFO`
pub(super) fn trackinginfo(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let redirect = redirect_of(ctx.session);
    let mut flags = Vec::new();
    let state = ctx.session.tracking.as_deref();
    flags.push(if state.is_some() { "on" } else { "off" });
    if let Some(state) = state {
        let options = &state.tracker.options;
        let is_broken = ctx.session.client.has_broken_redirect.load(Ordering::Relaxed);
        let known = [
            (options.broadcast, "bcast"),
            (options.optin, "optin"),
            (options.optin && state.caching, "caching-yes"),
            (options.optout, "optout"),
            (options.optout && state.caching, "caching-no"),
            (options.noloop, "noloop"),
            (is_broken, "broken_redirect"),
        ];
        flags.extend(known.into_iter().filter_map(|(applies, name)| applies.then_some(name)));
    }
    let reply = &mut ctx.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"redirect");
    reply.integer(redirect);
    reply.bulk(b"prefixes");
    let prefixes = state.map(|state| &state.prefixes);
    reply.array(prefixes.map_or(0, |prefixes| prefixes.len()));
    prefixes.into_iter().flatten().for_each(|prefix| reply.bulk(prefix));
    Ok(())
}
