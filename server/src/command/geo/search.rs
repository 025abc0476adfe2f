//! GEOSEARCH, GEORADIUS and their kin.

use std::cmp::Ordering;

use rondache_protocol::resp::writer::ReplyWriter;

use super::{
    super::{CommandResult, args::Args, ctx::Ctx, zset::store::store},
    reply,
    search_args::{self, Form, Order, SearchArgs},
};
use crate::types::{
    geo::{Position, Search},
    limits::EncodingLimits,
    zset::ZSet,
};

/// `GEORADIUS key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC|DESC]
/// [STORE key|STOREDIST key]`
pub(super) fn georadius(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    run(ctx, args, Form::Around { may_store: true })
}

/// As [`georadius`], without STORE.
pub(super) fn georadius_ro(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    run(ctx, args, Form::Around { may_store: false })
}

/// `GEORADIUSBYMEMBER key member radius unit …`, with the options of [`georadius`].
pub(super) fn georadiusbymember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    run(ctx, args, Form::AroundMember { may_store: true })
}

/// As [`georadiusbymember`], without STORE.
pub(super) fn georadiusbymember_ro(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    run(ctx, args, Form::AroundMember { may_store: false })
}

/// `GEOSEARCH key FROMMEMBER member|FROMLONLAT longitude latitude BYRADIUS radius unit|BYBOX width height unit
/// [ASC|DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]`
pub(super) fn geosearch(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    run(ctx, args, Form::Search)
}

/// `GEOSEARCHSTORE destination source …`, with the options of [`geosearch`] and STOREDIST.
pub(super) fn geosearchstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    run(ctx, args, Form::SearchStore)
}

/// A place that was found.
#[derive(Clone, Copy, Debug)]
struct Place<'s> {
    member: &'s [u8],
    score: f64,
    position: Position,
    distance_m: f64,
}

fn run(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, form: Form) -> CommandResult {
    let source = ctx.key(args, form.source_at());
    let set = ctx.ks.read_object::<ZSet>(&source)?;
    let wanted = search_args::parse(args, form, set)?;
    let places = set.map(|set| find(set, &wanted)).unwrap_or_default();
    let Some(destination_at) = wanted.destination_at else {
        answer(&mut ctx.reply, &places, &wanted);
        return Ok(());
    };
    let found = to_set(&places, &wanted, &ctx.settings.encoding);
    let destination = ctx.key(args, destination_at);
    store(ctx, &destination, found, if form.is_search() { "geosearchstore" } else { "georadiusstore" });
    Ok(())
}

/// The places within the shape, sorted and cut as wanted.
fn find<'s>(set: &'s ZSet, wanted: &SearchArgs) -> Vec<Place<'s>> {
    let (Some(center), Some(shape)) = (wanted.center, wanted.shape) else { return Vec::new() };
    let search = Search { center, shape };
    let enough = if wanted.any { wanted.count } else { usize::MAX };
    let mut places: Vec<Place<'s>> = search
        .score_ranges()
        .iter()
        .flat_map(|range| set.range(set.score_ranks(range), false))
        .filter_map(|(member, score)| {
            let position = Position::from_score(score);
            let distance_m = search.distance_if_inside(position)?;
            Some(Place { member, score, position, distance_m })
        })
        .take(enough)
        .collect();
    let count = if wanted.count == 0 { places.len() } else { wanted.count.min(places.len()) };
    // A limit without an order means the nearest, unless any will do.
    let order = wanted.order.or((wanted.count > 0 && !wanted.any).then_some(Order::Nearest));
    if let Some(order) = order {
        sort_first(&mut places, count, order);
    }
    places.truncate(count);
    places
}

/// Brings the first `count` places of the order to the front, sorted.
fn sort_first(places: &mut [Place<'_>], count: usize, order: Order) {
    let compare = |a: &Place<'_>, b: &Place<'_>| -> Ordering {
        let nearest_first = a.distance_m.total_cmp(&b.distance_m);
        if order == Order::Nearest { nearest_first } else { nearest_first.reverse() }
    };
    if let Some(last) = count.checked_sub(1)
        && count < places.len()
    {
        places.select_nth_unstable_by(last, compare);
    }
    places[..count].sort_by(compare);
}

fn answer(reply: &mut ReplyWriter<'_>, places: &[Place<'_>], wanted: &SearchArgs) {
    let options = [wanted.with_distance, wanted.with_hash, wanted.with_position];
    let option_count = options.into_iter().filter(|&is_set| is_set).count();
    reply.array(places.len());
    for place in places {
        if option_count > 0 {
            reply.array(option_count + 1);
        }
        reply.bulk(place.member);
        if wanted.with_distance {
            reply::distance(reply, place.distance_m, wanted.unit);
        }
        if wanted.with_hash {
            reply.integer(place.score as i64);
        }
        if wanted.with_position {
            reply::position(reply, place.position);
        }
    }
}

fn to_set(places: &[Place<'_>], wanted: &SearchArgs, limits: &EncodingLimits) -> ZSet {
    let mut set = ZSet::new();
    for place in places {
        let score = if wanted.stores_distance { place.distance_m / wanted.unit.metres() } else { place.score };
        set.insert(place.member, score, limits);
    }
    set
}
