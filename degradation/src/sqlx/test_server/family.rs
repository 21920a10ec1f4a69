//! All processes of one server: the postmaster and its children, one for each connection.

use std::process::Child;
use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal to all of them, to the postmaster first, so that it starts no other meanwhile.
pub(super) fn signal(child: &Child, signal: Signal) -> io::Result<()> {
    let postmaster = Pid::from_child(child);
    kill_process(postmaster, signal)?;
    for pid in children(child.id())? {
        send(pid, signal)?;
    }
    Ok(())
}

/// Kills all of them. A child that outlived its postmaster would keep the shared memory, and a new
/// server on the same data would refuse to start.
pub(super) fn kill(child: &mut Child) -> io::Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    kill_process(Pid::from_child(child), Signal::STOP)?;
    let orphans = children(child.id())?;
    child.kill()?;
    for pid in &orphans {
        send(*pid, Signal::KILL)?;
    }
    child.wait()?;
    while orphans.iter().any(|pid| is_alive(*pid)) {
        std::thread::yield_now();
    }
    Ok(())
}

/// One that has ended meanwhile needs no signal.
fn send(pid: u32, signal: Signal) -> io::Result<()> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    match kill_process(pid, signal) {
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn children(of: u32) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let pid = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && state_and_parent(pid).is_some_and(|(_, parent)| parent == of)
        {
            found.push(pid);
        }
    }
    Ok(found)
}

/// A zombie is dead: whoever inherited it has not looked yet.
fn is_alive(pid: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// From `/proc/<pid>/stat`: `pid (name) state parent …`, where a name may hold anything.
fn state_and_parent(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
