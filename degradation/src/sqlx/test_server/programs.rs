//! Where the programs are, and as whom they run.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Most distributions keep the server's programs off PATH, one folder for each version. `*` stands
/// for any name.
const FOLDERS: [&str; 4] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
];

/// The folder that holds `initdb` and `postgres`. Where they are links, the one they lead to, because
/// the other programs are there.
pub(super) fn folder() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).collect::<Vec<_>>();
    let elsewhere = FOLDERS.iter().flat_map(|pattern| expand(pattern));
    let found = in_path
        .into_iter()
        .chain(elsewhere)
        .find(|folder| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file()))?;
    fs::canonicalize(found.join("postgres")).ok()?.parent().map(Path::to_path_buf)
}

fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((head, tail)) = pattern.split_once('*') else { return vec![pattern.into()] };
    let (parent, prefix) = head.rsplit_once('/').unwrap_or(("", head));
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<_> = names
        .filter(|name| name.starts_with(prefix))
        .map(|name| PathBuf::from(format!("{parent}/{name}{tail}")))
        .collect();
    // The newest version first.
    found.sort();
    found.reverse();
    found
}

/// Somebody who is not root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// As whom the server runs; None: as whoever runs this, who is not root.
pub(super) fn account() -> Option<Account> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "nobody"].iter().find_map(|name| entry(&users, name))
}

fn entry(users: &str, name: &str) -> Option<Account> {
    let mut fields = users.lines().map(|line| line.split(':'));
    let mut found = fields.find(|fields| fields.clone().next() == Some(name))?.skip(2);
    Some(Account { uid: found.next()?.parse().ok()?, gid: found.next()?.parse().ok()? })
}

/// The command that runs a program as that account, and dies with the thread that started it.
pub(super) fn command(program: &Path, account: Option<Account>) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    let setpriv = env::split_paths(&path).map(|folder| folder.join("setpriv"));
    let Some(setpriv) = setpriv.into_iter().find(|file| file.is_file()) else {
        let mut command = Command::new(program);
        if let Some(Account { uid, gid }) = account {
            command.uid(uid).gid(gid);
        }
        return command;
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL"]);
    if let Some(Account { uid, gid }) = account {
        let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={gid}"));
        command.args([uid, gid, "--clear-groups".to_owned()]);
    }
    command.arg(program);
    // Ctrl-C is for the program that drains its statements, and not for the database.
    command.process_group(0);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let users = "postgresql:x:1:2::/:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\n";
        assert_eq!(entry(users, "postgres"), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(entry(users, "nobody"), None);
    }
}
