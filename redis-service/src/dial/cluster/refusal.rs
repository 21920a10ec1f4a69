//! What a node of a cluster says instead of executing a command.

use redis::cluster_routing::SingleNodeRoutingInfo;
use redis::{Arg, Cmd, ErrorKind, RedisError, ServerErrorKind, Value};

/// Whether the command is split among nodes, and its answer tells what was there before.
pub(super) fn is_split(cmd: &Cmd) -> bool {
    let mut args = cmd.args_iter();
    let name = args.next();
    let removes = matches!(name, Some(Arg::Simple(name))
        if name.eq_ignore_ascii_case(b"DEL") || name.eq_ignore_ascii_case(b"UNLINK"));
    removes && args.len() > 1
}

pub(super) enum Refusal {
    Ask(Node),
    Moved(Node),
    Wait,
}

/// The node that a redirection names.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) host: String,
    pub(super) port: u16,
}

impl From<Node> for SingleNodeRoutingInfo {
    fn from(Node { host, port }: Node) -> Self {
        Self::ByAddress { host, port }
    }
}

pub(super) fn refusal(error: &RedisError) -> Option<Refusal> {
    let ErrorKind::Server(answer) = error.kind() else { return None };
    if answer == ServerErrorKind::Ask {
        return named(error).map(Refusal::Ask);
    }
    if answer == ServerErrorKind::Moved {
        // A node that knows no address of the other names none.
        return Some(named(error).map_or(Refusal::Wait, Refusal::Moved));
    }
    let wait =
        [ServerErrorKind::TryAgain, ServerErrorKind::ClusterDown, ServerErrorKind::MasterDown];
    wait.contains(&answer).then_some(Refusal::Wait)
}

fn named(error: &RedisError) -> Option<Node> {
    let (address, _slot) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    let (host, port) = (host.to_owned(), port.parse().ok()?);
    (!host.is_empty()).then_some(Node { host, port })
}

/// Whether redis-rs sent nothing, because the node is not in its map. It reads that anew then.
pub(super) fn is_unknown(reply: &Result<Value, RedisError>) -> bool {
    matches!(reply, Err(error) if error.kind() == ErrorKind::ClusterConnectionNotFound)
}

/// Redirected for so long, the keys have no master that could be reached. To a caller that is a
/// cluster that does not serve, whatever the last node said.
pub(super) fn unresolved(error: RedisError) -> RedisError {
    let redirects = [ServerErrorKind::Moved, ServerErrorKind::Ask].map(ErrorKind::Server);
    if !redirects.contains(&error.kind()) {
        return error;
    }
    let down = ErrorKind::Server(ServerErrorKind::ClusterDown);
    (down, "the master of the key can not be reached", error.to_string()).into()
}
