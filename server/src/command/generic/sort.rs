//! SORT and SORT_RO.

use std::cmp::Ordering;

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{
    store::{
        entry::Value,
        keyspace::{Keyspace, Ttl},
        object::{Object, Typed, WrongType},
        observer::EventClass,
    },
    types::{item::Item, list::List},
    util::number,
};

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA] [STORE destination]`
pub(super) fn sort(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let query = Query::parse(args, true)?;
    let Some(store_at) = query.store_at else { return answer(ctx, args, &query) };
    let sorted = sorted_elements(ctx.ks, &ctx.key(args, 1), &query)?;
    let mut list = List::new();
    for_each_output(ctx.ks, &sorted, &query, |value| {
        list.push_back(value.unwrap_or_default(), &ctx.settings.encoding);
    });
    drop(sorted);
    store(ctx, args, store_at, list);
    Ok(())
}

/// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA]`
pub(super) fn sort_ro(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, &Query::parse(args, false)?)
}

/// Whether these arguments of a SORT make it read keys that they do not name, so that all shards must be held. An
/// argument that only looks like an option makes the answer too careful.
pub(crate) fn reads_unnamed_keys(args: &Args<'_>) -> bool {
    (2..args.len()).any(|at| (args.is(at, "by") || args.is(at, "get")) && args.get(at + 1).contains(&b'*'))
}

fn answer(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, query: &Query<'_>) -> CommandResult {
    let sorted = sorted_elements(ctx.ks, &ctx.key(args, 1), query)?;
    ctx.reply.array(sorted.len() * query.gets.len().max(1));
    let reply = &mut ctx.reply;
    for_each_output(ctx.ks, &sorted, query, |value| reply.optional_bulk(value));
    Ok(())
}

fn store(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, store_at: usize, list: List) {
    let key = ctx.key(args, store_at);
    let len = list.len();
    if list.is_empty() {
        if ctx.ks.remove(&key) {
            ctx.changed(&key, EventClass::GENERIC, "del");
            ctx.ks.effect(&key, &[b"DEL", key.bytes]);
        }
    } else {
        if ctx.ks.records_effects() {
            ctx.ks.effect(&key, &[b"DEL", key.bytes]);
            let mut push: Vec<&[u8]> = vec![b"RPUSH", key.bytes];
            push.extend(list.iter());
            ctx.ks.effect(&key, &push);
        }
        ctx.ks.put_object(&key, list.into_object(), Ttl::Clear);
        ctx.changed(&key, EventClass::LIST, "sortstore");
    }
    ctx.reply.count(len);
}

/// The options.
#[derive(Default)]
struct Query<'a> {
    by: Option<Pattern<'a>>,
    /// The elements are left in the order in which they are: `BY` a pattern without `*`.
    keeps_order: bool,
    gets: Vec<Pattern<'a>>,
    descends: bool,
    is_alpha: bool,
    skip: usize,
    take: Option<usize>,
    store_at: Option<usize>,
}

impl<'a> Query<'a> {
    fn parse(args: &Args<'a>, may_store: bool) -> Result<Self, CommandError> {
        let mut query = Self::default();
        let mut at = 2;
        while at < args.len() {
            let behind = args.len() - at - 1;
            if args.is(at, "asc") {
                query.descends = false;
            } else if args.is(at, "desc") {
                query.descends = true;
            } else if args.is(at, "alpha") {
                query.is_alpha = true;
            } else if args.is(at, "limit") && behind >= 2 {
                query.skip = usize::try_from(args.integer(at + 1)?).unwrap_or(0);
                query.take = usize::try_from(args.integer(at + 2)?).ok();
                at += 2;
            } else if may_store && args.is(at, "store") && behind >= 1 {
                query.store_at = Some(at + 1);
                at += 1;
            } else if args.is(at, "by") && behind >= 1 {
                query.by = Some(Pattern(args.get(at + 1)));
                query.keeps_order |= !args.get(at + 1).contains(&b'*');
                at += 1;
            } else if args.is(at, "get") && behind >= 1 {
                query.gets.push(Pattern(args.get(at + 1)));
                at += 1;
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        Ok(query)
    }
}

/// `GET #`, or a key's name with `*` for the element, perhaps with `->` and a hash's field behind.
#[derive(Clone, Copy)]
struct Pattern<'a>(&'a [u8]);

impl Pattern<'_> {
    fn is_element(self) -> bool {
        self.0 == b"#"
    }

    /// What stands at the key that the pattern makes of `element`. `name` is scratch space.
    fn look_up<'k>(self, ks: &'k Keyspace<'_>, element: &[u8], name: &mut Vec<u8>) -> Option<&'k [u8]> {
        let star = self.0.iter().position(|&byte| byte == b'*')?;
        let (prefix, behind) = (&self.0[..star], &self.0[star + 1..]);
        // An arrow with nothing behind it is part of the name.
        let arrow = memchr::memmem::find(behind, b"->").filter(|at| at + 2 < behind.len());
        let (suffix, field) = match arrow {
            Some(at) => (&behind[..at], Some(&behind[at + 2..])),
            None => (behind, None),
        };
        name.clear();
        name.extend_from_slice(prefix);
        name.extend_from_slice(element);
        name.extend_from_slice(suffix);
        let key = ks.key(name);
        match (ks.read(&key)?.value(), field) {
            (Value::Object(Object::Hash(hash)), Some(field)) => hash.get(field, ks.now_ms()),
            (Value::Object(_), _) | (_, Some(_)) => None,
            (value, None) => value.as_bytes(),
        }
    }
}

/// What an element is sorted by.
enum Weight<'a> {
    Number(f64),
    /// The value at the key that `BY` names, if there is one.
    Text(Option<&'a [u8]>),
    /// The element itself.
    Own,
}

/// The elements that the query asks for, in its order.
fn sorted_elements<'k>(
    ks: &'k Keyspace<'_>,
    key: &crate::store::key::Key<'_>,
    query: &Query<'_>,
) -> Result<Vec<Item<'k>>, CommandError> {
    let mut elements: Vec<Item<'k>> = Vec::new();
    let mut is_set = false;
    match ks.read(key).map(|entry| entry.value()) {
        None => {}
        Some(Value::Object(Object::List(list))) => elements.extend(list.iter().map(Item::Bytes)),
        Some(Value::Object(Object::ZSet(zset))) => elements.extend(zset.iter().map(|(member, _)| Item::Bytes(member))),
        Some(Value::Object(Object::Set(set))) => {
            is_set = true;
            elements.extend(set.iter());
        }
        Some(_) => return Err(WrongType.into()),
    }
    // The order of a set is nobody's: what is stored has to be the same everywhere.
    let (is_alpha, by, keeps_order) = if query.keeps_order && is_set && query.store_at.is_some() {
        (true, None, false)
    } else {
        (query.is_alpha, query.by, query.keeps_order)
    };
    if !keeps_order {
        elements = sorted_by_weight(ks, elements, is_alpha, by, query.descends)?;
    } else if query.descends && !is_set {
        elements.reverse();
    }
    elements.truncate(query.take.map_or(usize::MAX, |take| query.skip.saturating_add(take)));
    elements.drain(..query.skip.min(elements.len()));
    Ok(elements)
}

fn sorted_by_weight<'k>(
    ks: &'k Keyspace<'_>,
    elements: Vec<Item<'k>>,
    is_alpha: bool,
    by: Option<Pattern<'_>>,
    descends: bool,
) -> Result<Vec<Item<'k>>, CommandError> {
    let mut name = Vec::new();
    let mut weighed: Vec<(Weight<'k>, Item<'k>)> = Vec::with_capacity(elements.len());
    for element in elements {
        let weight = match (is_alpha, by, element) {
            (true, None, _) => Weight::Own,
            (false, None, Item::Int(number)) => Weight::Number(number as f64),
            (false, None, Item::Bytes(bytes)) => Weight::Number(parse_weight(bytes)?),
            (_, Some(pattern), _) => {
                let found = pattern.look_up(ks, element.as_bytes(&mut itoa::Buffer::new()), &mut name);
                if is_alpha { Weight::Text(found) } else { Weight::Number(found.map_or(Ok(0.0), parse_weight)?) }
            }
        };
        weighed.push((weight, element));
    }
    weighed.sort_by(|a, b| if descends { compare(b, a) } else { compare(a, b) });
    Ok(weighed.into_iter().map(|(_, element)| element).collect())
}

/// A number, as C reads it; nothing at all counts as zero.
fn parse_weight(text: &[u8]) -> Result<f64, CommandError> {
    if text.is_empty() {
        return Ok(0.0);
    }
    number::parse_f64(text)
        .filter(|weight| !weight.is_nan())
        .ok_or(CommandError::coded("ERR One or more scores can't be converted into double"))
}

fn compare(a: &(Weight<'_>, Item<'_>), b: &(Weight<'_>, Item<'_>)) -> Ordering {
    match (&a.0, &b.0) {
        (Weight::Number(x), Weight::Number(y)) => {
            x.partial_cmp(y).unwrap_or(Ordering::Equal).then_with(|| text_order(&a.1, &b.1))
        }
        // What has no value at its key comes first.
        (Weight::Text(x), Weight::Text(y)) => x.cmp(y),
        _ => text_order(&a.1, &b.1),
    }
}

fn text_order(a: &Item<'_>, b: &Item<'_>) -> Ordering {
    a.as_bytes(&mut itoa::Buffer::new()).cmp(b.as_bytes(&mut itoa::Buffer::new()))
}

/// Calls `output` with each element, or with what each `GET` finds for it.
fn for_each_output(ks: &Keyspace<'_>, elements: &[Item<'_>], query: &Query<'_>, mut output: impl FnMut(Option<&[u8]>)) {
    let mut name = Vec::new();
    for element in elements {
        let mut digits = itoa::Buffer::new();
        let text = element.as_bytes(&mut digits);
        if query.gets.is_empty() {
            output(Some(text));
        }
        for get in &query.gets {
            output(if get.is_element() { Some(text) } else { get.look_up(ks, text, &mut name) });
        }
    }
}
