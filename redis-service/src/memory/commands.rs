//! Which commands the Redis in memory knows, and how many arguments each takes.

use bytes::Bytes;
use circuit_layer::Moment;
use redis::Value;

use super::link::Refusal;
use super::store::Store;
use super::{collections as many, strings as one};

/// What a command does: to the store, now, with its arguments, of which there are enough.
pub(super) type Run = fn(&mut Store, Moment, &[Bytes]) -> Result<Value, Refusal>;

/// A command that is known, with an allowed number of arguments.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) run: Run,
}

/// Name, the fewest arguments, the most, what it does.
const COMMANDS: &[(&str, usize, usize, Run)] = &[
    ("PING", 0, 1, one::ping),
    ("ECHO", 1, 1, one::ping),
    ("GET", 1, 1, one::get),
    ("MGET", 1, MANY, one::mget),
    ("SET", 2, MANY, one::set),
    ("INCR", 1, 1, |s, now, args| one::incr(s, now, args, 1)),
    ("DECR", 1, 1, |s, now, args| one::incr(s, now, args, -1)),
    ("INCRBY", 2, 2, one::incrby),
    ("DEL", 1, MANY, one::del),
    ("UNLINK", 1, MANY, one::del),
    ("EXISTS", 1, MANY, one::exists),
    ("TYPE", 1, 1, one::type_of),
    ("EXPIRE", 2, 2, |s, now, args| one::expire(s, now, args, 1000)),
    ("PEXPIRE", 2, 2, |s, now, args| one::expire(s, now, args, 1)),
    ("PERSIST", 1, 1, one::persist),
    ("TTL", 1, 1, |s, now, args| one::ttl(s, now, args, 1000)),
    ("PTTL", 1, 1, |s, now, args| one::ttl(s, now, args, 1)),
    ("DBSIZE", 0, 0, one::dbsize),
    ("FLUSHALL", 0, 1, one::flush),
    ("FLUSHDB", 0, 1, one::flush),
    ("ROLE", 0, 0, one::role),
    ("CLIENT", 1, MANY, one::client),
    ("LPUSH", 2, MANY, |s, now, args| many::push(s, now, args, many::End::Head)),
    ("RPUSH", 2, MANY, |s, now, args| many::push(s, now, args, many::End::Tail)),
    ("LPOP", 1, 1, |s, now, args| many::pop(s, now, args, many::End::Head)),
    ("RPOP", 1, 1, |s, now, args| many::pop(s, now, args, many::End::Tail)),
    ("LLEN", 1, 1, many::llen),
    ("LRANGE", 3, 3, many::lrange),
    ("HSET", 3, MANY, many::hset),
    ("HGET", 2, 2, many::hget),
    ("HGETALL", 1, 1, many::hgetall),
    ("HDEL", 2, MANY, many::hdel),
    ("SADD", 2, MANY, many::sadd),
    ("SREM", 2, MANY, many::srem),
    ("SMEMBERS", 1, 1, many::smembers),
    ("SCARD", 1, 1, many::scard),
    ("ZADD", 3, MANY, many::zadd),
    ("ZRANGE", 3, 4, many::zrange),
    ("ZCARD", 1, 1, many::zcard),
];

const MANY: usize = usize::MAX;

/// Finds a command by its words, the name first.
pub(super) fn known(words: &[Bytes]) -> Result<Known, Refusal> {
    let name = words.first().map(|name| String::from_utf8_lossy(name)).unwrap_or_default();
    let found = COMMANDS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(&name));
    let Some(&(_, fewest, most, run)) = found else {
        return Err(format!("ERR unknown command '{name}', with args beginning with: "));
    };
    let args = words.len().saturating_sub(1);
    if args < fewest || args > most {
        let name = name.to_lowercase();
        return Err(format!("ERR wrong number of arguments for '{name}' command"));
    }
    Ok(Known { run })
}

pub(super) const SYNTAX: &str = "ERR syntax error";

/// A count as Redis answers it.
pub(super) fn count(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

pub(super) fn text(bytes: &Bytes) -> Value {
    Value::BulkString(bytes.to_vec())
}
