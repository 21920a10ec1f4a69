//! Requests as commands on the wire.

use std::time::Duration;

use bytes::Bytes;
use redis::Cmd;

use super::set::{Condition, Expiry, millis};
use super::{Pipeline, Request, SetOptions};

/// What is handed to a connection. By reference, down to where it is sent: a future holds a copy of
/// whatever is moved into it, at every level.
#[derive(Debug)]
pub(crate) enum Wire {
    One(Cmd),
    Many(redis::Pipeline),
}

impl Request {
    /// The command that it is sent as; of a transaction, which decides on the way what it writes, the
    /// first one. A pipeline and a raw command have none of their own.
    pub(crate) const fn command(&self) -> &'static str {
        match self {
            Self::Get { .. } => "GET",
            Self::Set { .. } => "SET",
            Self::Delete { .. } => "DEL",
            Self::Incr { by: 1, .. } => "INCR",
            Self::Incr { .. } => "INCRBY",
            Self::Expire { .. } => "PEXPIRE",
            Self::LPush { .. } => "LPUSH",
            Self::RPop { .. } => "RPOP",
            Self::LLen { .. } => "LLEN",
            Self::LRange { .. } => "LRANGE",
            Self::HSet { .. } => "HSET",
            Self::HGet { .. } => "HGET",
            Self::HGetAll { .. } => "HGETALL",
            Self::HDel { .. } => "HDEL",
            Self::SAdd { .. } => "SADD",
            Self::SRem { .. } => "SREM",
            Self::SMembers { .. } => "SMEMBERS",
            Self::SCard { .. } => "SCARD",
            Self::ZAdd { .. } => "ZADD",
            Self::ZRange { .. } => "ZRANGE",
            Self::ZCard { .. } => "ZCARD",
            Self::Ping | Self::HealthCheck => "PING",
            Self::Transaction(_) => "MULTI",
            Self::Pipeline(_) | Self::Raw(_) => "_OTHER",
        }
    }

    /// The command as it is sent; `None` for a pipeline or a transaction, which are several.
    #[must_use]
    pub fn to_cmd(&self) -> Option<Cmd> {
        let name = self.command();
        Some(match self {
            Self::Get { key }
            | Self::Incr { key, by: 1 }
            | Self::RPop { key }
            | Self::LLen { key }
            | Self::HGetAll { key }
            | Self::SMembers { key }
            | Self::SCard { key }
            | Self::ZCard { key } => with(name, key),
            Self::Set { key, value, options } => set(with(name, key), value, *options),
            Self::Delete { keys } => each(Cmd::new().arg(name), keys),
            Self::Incr { key, by } => with(name, key).arg(*by).take(),
            Self::Expire { key, ttl } => with(name, key).arg(millis(*ttl)).take(),
            Self::LRange { key, start, stop } => with(name, key).arg(*start).arg(*stop).take(),
            Self::HSet { key, fields } => {
                let mut cmd = with(name, key);
                for (field, value) in fields {
                    cmd.arg(bytes(field)).arg(bytes(value));
                }
                cmd
            }
            Self::HGet { key, field } => with(name, key).arg(bytes(field)).take(),
            Self::LPush { key, values: args }
            | Self::HDel { key, fields: args }
            | Self::SAdd { key, members: args }
            | Self::SRem { key, members: args } => each(&mut with(name, key), args),
            Self::ZAdd { key, members } => {
                let mut cmd = with(name, key);
                for (score, member) in members {
                    cmd.arg(*score).arg(bytes(member));
                }
                cmd
            }
            Self::ZRange { key, start, stop, with_scores } => {
                let mut cmd = with(name, key);
                cmd.arg(*start).arg(*stop);
                if *with_scores {
                    cmd.arg("WITHSCORES");
                }
                cmd
            }
            Self::Ping | Self::HealthCheck => redis::cmd(name),
            Self::Raw(raw) => raw.cmd.clone(),
            Self::Pipeline(_) | Self::Transaction(_) => return None,
        })
    }

    /// What is sent, and the deadline of the call where the ordinary one is this.
    pub(crate) fn plan(&self, ordinary: Duration) -> (Wire, Duration) {
        if let Self::Pipeline(pipeline) = self {
            return pipeline.plan(ordinary);
        }
        if let Self::Raw(raw) = self {
            let (cmd, deadline) = raw.plan(ordinary);
            return (Wire::One(cmd), deadline);
        }
        // Of what is left only a transaction is no command, and it takes its parts from itself.
        (Wire::One(self.to_cmd().unwrap_or_default()), ordinary)
    }
}

impl Pipeline {
    pub(crate) fn to_commands(&self) -> redis::Pipeline {
        self.commands(Request::to_cmd)
    }

    fn plan(&self, ordinary: Duration) -> (Wire, Duration) {
        let mut deadline = ordinary;
        let commands = self.commands(|request| {
            if let Request::Raw(raw) = request
                && !self.is_atomic()
                && raw.waits()
            {
                // What follows waits behind it.
                let (cmd, own) = raw.plan(ordinary);
                deadline = deadline.saturating_add(own);
                return Some(cmd);
            }
            request.to_cmd()
        });
        (Wire::Many(commands), deadline)
    }

    fn commands(&self, mut to_cmd: impl FnMut(&Request) -> Option<Cmd>) -> redis::Pipeline {
        let mut commands = redis::Pipeline::with_capacity(self.len());
        if self.is_atomic() {
            commands.atomic();
        }
        for request in self.requests() {
            // `push` keeps pipelines from nesting, and a transaction inside fails before this.
            if let Some(cmd) = to_cmd(request) {
                commands.add_command(cmd);
            }
        }
        commands
    }
}

fn set(mut cmd: Cmd, value: &Bytes, options: SetOptions) -> Cmd {
    cmd.arg(bytes(value));
    match options.expiry {
        Some(Expiry::Seconds(seconds)) => cmd.arg("EX").arg(seconds),
        Some(Expiry::Millis(millis)) => cmd.arg("PX").arg(millis),
        None => &mut cmd,
    };
    match options.condition {
        Some(Condition::Missing) => cmd.arg("NX"),
        Some(Condition::Existing) => cmd.arg("XX"),
        None => &mut cmd,
    };
    cmd
}

fn with(name: &str, key: &Bytes) -> Cmd {
    // Most commands have no more than two arguments, which then fit without growing.
    let mut cmd = Cmd::with_capacity(3, name.len().saturating_add(key.len()));
    cmd.arg(name).arg(bytes(key));
    cmd
}

fn each(cmd: &mut Cmd, args: &[Bytes]) -> Cmd {
    for arg in args {
        cmd.arg(bytes(arg));
    }
    std::mem::take(cmd)
}

fn bytes(arg: &Bytes) -> &[u8] {
    arg
}
