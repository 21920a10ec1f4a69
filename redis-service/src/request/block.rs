//! How long a command that waits in Redis may wait there.
//!
//! A call has one deadline, and a command such as `BLPOP` a time of its own, after which Redis
//! answers that nothing came. If ours ended first, an idle queue would look like a hung Redis. So
//! the time that Redis is told always ends half an ordinary deadline before the call's:
//!
//! | the command says | `within` | deadline of the call | Redis is told |
//! | --- | --- | --- | --- |
//! | 5 s | – | 5 s + the ordinary one | 5 s |
//! | for ever | 20 s | 20 s | 20 s − half the ordinary one |
//! | 5 s | 2 s | 2 s | 2 s − half the ordinary one |
//! | for ever | – | the ordinary one | half of it |
//!
//! Then "nothing came" is an answer, and only a Redis that hangs is a timeout. `WAIT` and `WAITAOF` stand
//! in a pipeline, whose deadline is the ordinary one and theirs on top.

use std::time::Duration;

use redis::{Arg, Cmd};

use super::raw::is_one_of;

/// Where a command says how long it may block, and in which unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    index: usize,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds,
    Millis,
}

/// The timeout is the last argument.
const LAST: &[&str] = &["BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BZPOPMIN", "BZPOPMAX"];
/// The timeout is the first argument.
const FIRST: &[&str] = &["BLMPOP", "BZMPOP"];
/// The timeout is the last argument, in milliseconds. They wait for the writes of their own connection to
/// get elsewhere.
const CONFIRM: &[&str] = &["WAIT", "WAITAOF"];
/// The timeout stands behind `BLOCK`.
const OPTION: &[&str] = &["XREAD", "XREADGROUP"];

/// Whether the command waits in Redis for something to happen there.
pub(super) fn blocks(cmd: &Cmd) -> bool {
    place(cmd).is_some()
}

/// Whether it tells what became of earlier writes on its connection.
pub(super) fn confirms(cmd: &Cmd) -> bool {
    word(cmd, 0).is_some_and(|name| is_one_of(name, CONFIRM))
}

/// The command as it is to be sent, and the deadline of its call.
pub(super) fn plan(cmd: &Cmd, within: Option<Duration>, ordinary: Duration) -> (Cmd, Duration) {
    let own = within.unwrap_or(ordinary);
    // One that names no time that we understand is for Redis to judge.
    let Some((place, named)) = place(cmd).and_then(|place| Some((place, named(cmd, place)?)))
    else {
        return (cmd.clone(), own);
    };
    let deadline = match (within, named) {
        (None, Named::For(wait)) => wait.saturating_add(ordinary),
        _ => own,
    };
    let latest = deadline.saturating_sub(ordinary.min(deadline) / 2);
    match named {
        Named::For(wait) if wait <= latest => (cmd.clone(), deadline),
        Named::For(_) | Named::Ever => (with_wait(cmd, place, latest), deadline),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    For(Duration),
    Ever,
}

fn place(cmd: &Cmd) -> Option<Place> {
    let last = cmd.args_iter().len().checked_sub(1)?;
    let name = word(cmd, 0)?;
    if is_one_of(name, LAST) {
        return Some(Place { index: last, unit: Unit::Seconds });
    }
    if is_one_of(name, FIRST) {
        return Some(Place { index: 1, unit: Unit::Seconds });
    }
    if is_one_of(name, CONFIRM) {
        return Some(Place { index: last, unit: Unit::Millis });
    }
    if is_one_of(name, OPTION) {
        // What follows STREAMS are keys.
        let options = (1..=last).take_while(|at| !is(cmd, *at, "STREAMS"));
        let block = options.into_iter().find(|at| is(cmd, *at, "BLOCK"))?;
        return Some(Place { index: block.saturating_add(1), unit: Unit::Millis });
    }
    None
}

fn named(cmd: &Cmd, place: Place) -> Option<Named> {
    let number: f64 = std::str::from_utf8(word(cmd, place.index)?).ok()?.parse().ok()?;
    let seconds = if place.unit == Unit::Seconds { number } else { number / 1000.0 };
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Some(if wait.is_zero() { Named::Ever } else { Named::For(wait) })
}

fn with_wait(cmd: &Cmd, place: Place, wait: Duration) -> Cmd {
    // Zero would mean for ever.
    let wait = wait.max(Duration::from_millis(1));
    let mut other = Cmd::with_capacity(cmd.args_iter().len(), 0);
    for (index, arg) in cmd.args_iter().enumerate() {
        match (place.unit, arg) {
            (Unit::Seconds, _) if index == place.index => other.arg(wait.as_secs_f64()),
            (Unit::Millis, _) if index == place.index => other.arg(super::set::millis(wait)),
            (_, Arg::Simple(bytes)) => other.arg(bytes),
            // No command that blocks has a cursor.
            _ => &mut other,
        };
    }
    other
}

fn word(cmd: &Cmd, index: usize) -> Option<&[u8]> {
    let arg = cmd.args_iter().nth(index)?;
    if let Arg::Simple(word) = arg { Some(word) } else { None }
}

fn is(cmd: &Cmd, index: usize, name: &str) -> bool {
    word(cmd, index).is_some_and(|word| is_one_of(word, &[name]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: Duration = Duration::from_millis(500);

    /// The command as it is sent, and the milliseconds of its deadline.
    fn planned(line: &str, within: Option<u64>) -> (String, u128) {
        let mut words = line.split(' ');
        let mut cmd = redis::cmd(words.next().unwrap());
        for word in words {
            cmd.arg(word);
        }
        let (cmd, deadline) = plan(&cmd, within.map(Duration::from_millis), ORDINARY);
        let words: Vec<String> = cmd
            .args_iter()
            .filter_map(|arg| if let Arg::Simple(word) = arg { Some(word) } else { None })
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        (words.join(" "), deadline.as_millis())
    }

    fn check(line: &str, within: Option<u64>, sent: &str, deadline: u128) {
        assert_eq!(planned(line, within), (sent.to_owned(), deadline), "{line} within {within:?}");
    }

    #[test]
    fn redis_answers_before_the_deadline_ends() {
        check("BLPOP q 5", None, "BLPOP q 5", 5500);
        check("BLPOP q 0", Some(20_000), "BLPOP q 19.75", 20_000);
        check("BLPOP q 5", Some(2000), "BLPOP q 1.75", 2000);
        check("BLPOP q 0", None, "BLPOP q 0.25", 500);
        check("BLPOP q 0", Some(100), "BLPOP q 0.05", 100);
        check("BLPOP q 1", Some(20_000), "BLPOP q 1", 20_000);
    }

    #[test]
    fn each_command_has_its_own_place_and_unit() {
        check("BLMPOP 0 1 q LEFT", Some(2000), "BLMPOP 1.75 1 q LEFT", 2000);
        check("bzpopmin z 0", Some(2000), "bzpopmin z 1.75", 2000);
        check("WAIT 1 0", Some(2000), "WAIT 1 1750", 2000);
        check("WAIT 1 100", None, "WAIT 1 100", 600);
        let streams = "XREAD COUNT 2 BLOCK 0 STREAMS BLOCK $";
        check(streams, Some(2000), "XREAD COUNT 2 BLOCK 1750 STREAMS BLOCK $", 2000);
    }

    #[test]
    fn what_does_not_block_or_makes_no_sense_is_left_alone() {
        check("XREAD STREAMS BLOCK 0", None, "XREAD STREAMS BLOCK 0", 500);
        check("BLPOP q soon", None, "BLPOP q soon", 500);
        check("BLPOP q -1", Some(1000), "BLPOP q -1", 1000);
        check("LPUSH q 0", Some(1000), "LPUSH q 0", 1000);
    }
}
