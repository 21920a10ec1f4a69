//! A Redis that answers as a test says, without a socket.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::{fmt, io};

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisError, RedisFuture, Value, parse_redis_value};

use crate::Dial;

/// What happens to one command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// A line of RESP, without its end.
    Line(&'static str),
    /// The connection breaks.
    Broken,
    /// Nothing, ever.
    Silence,
}

impl Reply {
    async fn give(self) -> Result<Value, RedisError> {
        match self {
            Self::Line(line) => parse_redis_value(format!("{line}\r\n").as_bytes()),
            Self::Broken => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            Self::Silence => std::future::pending().await,
        }
    }
}

/// What happens to one dial.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialled {
    Connected,
    Refused,
    Hangs,
}

type Script = dyn Fn(&str) -> Reply + Send + Sync;

/// Dials connections whose replies a script gives.
#[derive(Clone)]
pub(crate) struct Fake {
    dials: Arc<AtomicU32>,
    next: Arc<Mutex<Dialled>>,
    script: Arc<Mutex<Arc<Script>>>,
}

impl Fake {
    pub(crate) fn new(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let script: Arc<Script> = Arc::new(script);
        Self {
            dials: Arc::default(),
            next: Arc::new(Mutex::new(Dialled::Connected)),
            script: Arc::new(Mutex::new(script)),
        }
    }

    pub(crate) fn dials(&self) -> u32 {
        self.dials.load(Ordering::SeqCst)
    }

    /// From now on, for every dial.
    pub(crate) fn will_be(&self, dialled: Dialled) {
        *self.next.lock().unwrap() = dialled;
    }

    /// From now on, on every connection.
    pub(crate) fn answers(&self, script: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }
}

impl Dial for Fake {
    type Conn = FakeConn;

    async fn dial(&self) -> Result<FakeConn, RedisError> {
        self.dials.fetch_add(1, Ordering::SeqCst);
        let dialled = *self.next.lock().unwrap();
        match dialled {
            Dialled::Connected => Ok(FakeConn { script: Arc::clone(&self.script) }),
            Dialled::Refused => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
            Dialled::Hangs => std::future::pending().await,
        }
    }

    fn address(&self) -> Arc<str> {
        "fake:0".into()
    }
}

#[derive(Clone)]
pub(crate) struct FakeConn {
    script: Arc<Mutex<Arc<Script>>>,
}

impl FakeConn {
    fn reply(&self, packed: &[u8]) -> Reply {
        let text = String::from_utf8_lossy(packed).into_owned();
        // The words of a packed command stand on every second line.
        let words: Vec<&str> = text.split("\r\n").skip(2).step_by(2).collect();
        let script = Arc::clone(&self.script.lock().unwrap());
        script(words.join(" ").trim())
    }
}

impl ConnectionLike for FakeConn {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let reply = self.reply(&cmd.get_packed_command());
        Box::pin(reply.give())
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        _offset: usize,
        _count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        if pipeline.is_transaction() {
            let reply = self.reply(b"*1\r\n$4\r\nEXEC\r\n");
            return Box::pin(async move { Ok(vec![reply.give().await?]) });
        }
        let replies: Vec<Reply> =
            pipeline.cmd_iter().map(|cmd| self.reply(&cmd.get_packed_command())).collect();
        Box::pin(async move {
            let mut values = Vec::new();
            for reply in replies {
                values.push(reply.give().await?);
            }
            Ok(values)
        })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fake({} dials)", self.dials())
    }
}
