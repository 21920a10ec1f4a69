//! Commands about one value, and about keys as such.

use std::time::Duration;

use bytes::Bytes;
use circuit_layer::Moment;
use redis::Value;

use super::commands::{SYNTAX, count, text};
use super::link::Refusal;
use super::number::integer;
use super::store::Store;

type Reply = Result<Value, Refusal>;

pub(super) fn ping(_: &mut Store, _: Moment, args: &[Bytes]) -> Reply {
    Ok(args.first().map_or_else(|| Value::SimpleString("PONG".to_owned()), text))
}

pub(super) fn get(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let [key, ..] = args else { return Err(SYNTAX.to_owned()) };
    Ok(store.read::<Bytes>(key, now)?.map_or(Value::Nil, text))
}

pub(super) fn mget(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let values = args.iter().map(|key| {
        let value = store.read::<Bytes>(key, now).ok().flatten();
        value.map_or(Value::Nil, text)
    });
    Ok(Value::Array(values.collect()))
}

pub(super) fn set(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let [key, value, options @ ..] = args else { return Err(SYNTAX.to_owned()) };
    let (mut until, mut condition) = (Moment::NEVER, None);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match option.to_ascii_uppercase().as_slice() {
            b"NX" if condition.is_none() => condition = Some(false),
            b"XX" if condition.is_none() => condition = Some(true),
            unit @ (b"EX" | b"PX") if until == Moment::NEVER => {
                let time = integer(options.next().ok_or_else(|| SYNTAX.to_owned())?)?;
                let millis = time.checked_mul(if unit == b"EX" { 1000 } else { 1 });
                let millis = millis.and_then(|millis| u64::try_from(millis).ok());
                let millis = millis.filter(|millis| *millis > 0 && *millis < u64::MAX >> 2);
                let refusal = || "ERR invalid expire time in 'set' command".to_owned();
                until = now + Duration::from_millis(millis.ok_or_else(refusal)?);
            }
            _ => return Err(SYNTAX.to_owned()),
        }
    }
    let there = store.name(key, now).is_some();
    if condition.is_some_and(|wanted| wanted != there) {
        return Ok(Value::Nil);
    }
    store.put(key.clone(), value.clone(), until);
    Ok(Value::Okay)
}

pub(super) fn incr(store: &mut Store, now: Moment, args: &[Bytes], by: i64) -> Reply {
    let [key, ..] = args else { return Err(SYNTAX.to_owned()) };
    let before = store.read::<Bytes>(key, now)?.map_or(Ok(0), integer)?;
    let overflow = || "ERR increment or decrement would overflow".to_owned();
    let after = before.checked_add(by).ok_or_else(overflow)?;
    store.change(key, now, |value: &mut Bytes| *value = after.to_string().into())?;
    Ok(Value::Int(after))
}

pub(super) fn incrby(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let by = args.get(1).map_or_else(|| Err(SYNTAX.to_owned()), integer)?;
    incr(store, now, args, by)
}

pub(super) fn del(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    Ok(count(args.iter().filter(|key| store.remove(key, now)).count()))
}

pub(super) fn exists(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    Ok(count(args.iter().filter(|key| store.name(key, now).is_some()).count()))
}

pub(super) fn type_of(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let [key, ..] = args else { return Err(SYNTAX.to_owned()) };
    Ok(Value::SimpleString(store.name(key, now).unwrap_or("none").to_owned()))
}

pub(super) fn expire(store: &mut Store, now: Moment, args: &[Bytes], unit: i64) -> Reply {
    let [key, time, ..] = args else { return Err(SYNTAX.to_owned()) };
    let Some(millis) = integer(time)?.checked_mul(unit) else {
        return Err("ERR invalid expire time in 'expire' command".to_owned());
    };
    // A time that is over removes the key.
    let Ok(millis @ 1..) = u64::try_from(millis) else {
        return Ok(Value::Int(store.remove(key, now).into()));
    };
    Ok(Value::Int(store.end(key, now + Duration::from_millis(millis), now).into()))
}

pub(super) fn persist(store: &mut Store, now: Moment, args: &[Bytes]) -> Reply {
    let [key, ..] = args else { return Err(SYNTAX.to_owned()) };
    let ends = store.until(key, now).is_some_and(|until| until != Moment::NEVER);
    Ok(Value::Int((ends && store.end(key, Moment::NEVER, now)).into()))
}

pub(super) fn ttl(store: &mut Store, now: Moment, args: &[Bytes], unit: u64) -> Reply {
    let [key, ..] = args else { return Err(SYNTAX.to_owned()) };
    let left = match store.until(key, now) {
        None => return Ok(Value::Int(-2)),
        Some(Moment::NEVER) => return Ok(Value::Int(-1)),
        Some(until) => u64::try_from((until - now).as_millis()).unwrap_or(u64::MAX),
    };
    Ok(Value::Int(i64::try_from(left.div_ceil(unit)).unwrap_or(i64::MAX)))
}

pub(super) fn dbsize(store: &mut Store, now: Moment, _: &[Bytes]) -> Reply {
    Ok(count(store.len(now)))
}

pub(super) fn flush(store: &mut Store, _: Moment, _: &[Bytes]) -> Reply {
    store.clear();
    Ok(Value::Okay)
}

/// As a master without replicas answers.
pub(super) fn role(_: &mut Store, _: Moment, _: &[Bytes]) -> Reply {
    let role = Value::BulkString(b"master".to_vec());
    Ok(Value::Array(vec![role, Value::Int(0), Value::Array(Vec::new())]))
}

/// Names, tracking and the like change nothing that could be seen here.
pub(super) fn client(_: &mut Store, _: Moment, _: &[Bytes]) -> Reply {
    Ok(Value::Okay)
}
