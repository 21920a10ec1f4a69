//! Commands about lists, hashes, sets and sorted sets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use circuit_layer::Moment;
use redis::Value;

use super::commands::{SYNTAX, count, text};
use super::link::Refusal;
use super::number::{integer, range, score};
use super::store::Store;

type Reply = Result<Value, Refusal>;
type List = VecDeque<Bytes>;
type Hash = BTreeMap<Bytes, Bytes>;
type Set = BTreeSet<Bytes>;
type Sorted = BTreeMap<Bytes, f64>;

/// Of a list.
#[derive(Clone, Copy)]
pub(super) enum End {
    Head,
    Tail,
}

fn key(args: &[Bytes]) -> Result<(&Bytes, &[Bytes]), Refusal> {
    args.split_first().ok_or_else(|| SYNTAX.to_owned())
}

pub(super) fn push(store: &mut Store, now: Moment, args: &[Bytes], end: End) -> Reply {
    let (key, values) = key(args)?;
    store.change(key, now, |list: &mut List| {
        for value in values {
            match end {
                End::Head => list.push_front(value.clone()),
                End::Tail => list.push_back(value.clone()),
            }
        }
        count(list.len())
    })
}

pub(super) fn pop(store: &mut Store, now: Moment, args: &[Bytes], end: End) -> Reply {
    let (key, _) = key(args)?;
    if store.read::<List>(key, now)?.is_none() {
        return Ok(Value::Nil);
    }
    let popped = store.change(key, now, |list: &mut List| match end {
        End::Head => list.pop_front(),
        End::Tail => list.pop_back(),
    })?;
    Ok(popped.as_ref().map_or(Value::Nil, text))
}

pub(super) fn llen(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, _) = key(args)?;
    Ok(count(store.read::<List>(key, now)?.map_or(0, VecDeque::len)))
}

pub(super) fn lrange(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let [key, start, stop, ..] = args else { return Err(SYNTAX.to_owned()) };
    let (start, stop) = (integer(start)?, integer(stop)?);
    let values = store.read::<List>(key, now)?.map(|list| {
        let range = range(start, stop, list.len());
        list.range(range).map(text).collect()
    });
    Ok(Value::Array(values.unwrap_or_default()))
}

pub(super) fn hset(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, fields) = key(args)?;
    let (pairs, []) = fields.as_chunks::<2>() else {
        return Err("ERR wrong number of arguments for 'hset' command".to_owned());
    };
    store.change(key, now, |hash: &mut Hash| {
        let new = pairs
            .iter()
            .filter(|[field, value]| hash.insert(field.clone(), value.clone()).is_none());
        count(new.count())
    })
}

pub(super) fn hget(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let [key, field, ..] = args else { return Err(SYNTAX.to_owned()) };
    let value = store.read::<Hash>(key, now)?.and_then(|hash| hash.get(field));
    Ok(value.map_or(Value::Nil, text))
}

pub(super) fn hgetall(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, _) = key(args)?;
    let hash = store.read::<Hash>(key, now)?;
    let all = hash.map(|hash| hash.iter().flat_map(|(f, v)| [text(f), text(v)]).collect());
    Ok(Value::Array(all.unwrap_or_default()))
}

pub(super) fn hdel(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, fields) = key(args)?;
    if store.read::<Hash>(key, now)?.is_none() {
        return Ok(Value::Int(0));
    }
    store.change(key, now, |hash: &mut Hash| {
        count(fields.iter().filter(|field| hash.remove(*field).is_some()).count())
    })
}

pub(super) fn sadd(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, members) = key(args)?;
    store.change(key, now, |set: &mut Set| {
        count(members.iter().filter(|member| set.insert(Bytes::clone(member))).count())
    })
}

pub(super) fn srem(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, members) = key(args)?;
    if store.read::<Set>(key, now)?.is_none() {
        return Ok(Value::Int(0));
    }
    store.change(key, now, |set: &mut Set| {
        count(members.iter().filter(|member| set.remove(*member)).count())
    })
}

pub(super) fn smembers(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, _) = key(args)?;
    let members = store.read::<Set>(key, now)?.map(|set| set.iter().map(text).collect());
    Ok(Value::Array(members.unwrap_or_default()))
}

pub(super) fn scard(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, _) = key(args)?;
    Ok(count(store.read::<Set>(key, now)?.map_or(0, BTreeSet::len)))
}

pub(super) fn zadd(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, members) = key(args)?;
    let (pairs, []) = members.as_chunks::<2>() else { return Err(SYNTAX.to_owned()) };
    // All scores are read before the first member is added.
    let scored: Result<Vec<_>, Refusal> =
        pairs.iter().map(|[number, member]| Ok((member.clone(), score(number)?))).collect();
    let scored = scored?;
    store.change(key, now, |sorted: &mut Sorted| {
        let new = scored
            .into_iter()
            .filter(|(member, score)| sorted.insert(member.clone(), *score).is_none());
        count(new.count())
    })
}

pub(super) fn zrange(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let [key, start, stop, rest @ ..] = args else { return Err(SYNTAX.to_owned()) };
    let with_scores = match rest {
        [] => false,
        [word] if word.eq_ignore_ascii_case(b"WITHSCORES") => true,
        _ => return Err(SYNTAX.to_owned()),
    };
    let (start, stop) = (integer(start)?, integer(stop)?);
    let Some(sorted) = store.read::<Sorted>(key, now)? else {
        return Ok(Value::Array(Vec::new()));
    };
    let mut ranked: Vec<_> = sorted.iter().collect();
    // Members of one score stay in the order of their bytes: the sort is stable.
    ranked.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let chosen = ranked.get(range(start, stop, ranked.len())).unwrap_or_default();
    let values = chosen.iter().flat_map(|(member, score)| {
        let score = with_scores.then(|| Value::BulkString(score.to_string().into_bytes()));
        [Some(text(member)), score].into_iter().flatten()
    });
    Ok(Value::Array(values.collect()))
}

pub(super) fn zcard(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let (key, _) = key(args)?;
    Ok(count(store.read::<Sorted>(key, now)?.map_or(0, BTreeMap::len)))
}
