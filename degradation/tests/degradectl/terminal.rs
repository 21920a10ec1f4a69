//! The live view, in a terminal of its own.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use degradation::Level;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::Child;
use tokio::runtime::Builder;

use crate::service::{PATIENCE, Service, degradectl};

/// A pseudo-terminal: what a program writes to it is kept.
struct Terminal {
    program: Child,
    written: Arc<Mutex<String>>,
}

impl Terminal {
    fn run(arguments: &[&str]) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).unwrap();
        let path = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs: OwnedFd = File::options().read(true).write(true).open(path).unwrap().into();
        let mut command = degradectl(arguments);
        let program = command.stdin(Stdio::null()).stdout(theirs).spawn().unwrap();
        drop(command);
        let written = Arc::new(Mutex::new(String::new()));
        let (kept, mut read) = (Arc::clone(&written), File::from(ours));
        // Its reads block; it ends with the program, whose end closes the terminal.
        drop(std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(count @ 1..) = read.read(&mut bytes) {
                kept.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(bytes.get(..count).unwrap()));
            }
        }));
        Self { program, written }
    }

    fn written(&self) -> String {
        self.written.lock().unwrap().clone()
    }

    /// What was drawn last: from the cursor's way home on.
    fn drawn(&self) -> String {
        let written = self.written();
        written.rsplit("\x1b[H").next().unwrap_or_default().to_owned()
    }

    async fn wait_for(&self, holds: impl Fn(&str) -> bool) -> Duration {
        let clock = circuit_layer::Clock::default();
        let start = clock.now();
        while !holds(&self.drawn()) {
            let waited = clock.now() - start;
            assert!(waited < PATIENCE, "not in time; the terminal shows {}", self.drawn());
            clock.sleep_until(clock.now() + Duration::from_millis(10)).await;
        }
        clock.now() - start
    }

    async fn stop(mut self, signal: Signal) -> (i32, String) {
        let pid = i32::try_from(self.program.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.program.wait()).await;
        let code = ended.expect("it ends in time").unwrap().code().expect("it ends by itself");
        self.wait_for(|drawn| drawn.contains("\x1b[?1049l")).await;
        (code, self.written())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_seen_within_two_seconds_and_the_terminal_is_given_back() {
    let service = Service::start().await;
    let terminal = Terminal::run(&["top", &service.url()]);
    terminal.wait_for(|drawn| drawn.contains("NORMAL") && drawn.contains("redis")).await;
    service.redis.force_open("failing over", None);
    let took = terminal.wait_for(|drawn| drawn.contains("forced-open")).await;
    assert!(took < Duration::from_secs(2), "it took {took:?}");
    for signal in [Signal::INT, Signal::TERM] {
        let terminal = Terminal::run(&["top", &service.url()]);
        terminal.wait_for(|drawn| drawn.contains("forced-open")).await;
        let (code, written) = terminal.stop(signal).await;
        assert_eq!(code, 0);
        assert!(written.starts_with("\x1b[?1049h\x1b[?25l\x1b[?7l"), "another page, no cursor");
        assert!(written.ends_with("\x1b[?7h\x1b[?25h\x1b[?1049l"), "all of it undone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_is_told_and_one_that_comes_back_is_followed() {
    // A runtime of its own: its end is the end of the server, open connections too.
    let server = || Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let first = server();
    let service = first.spawn(Service::start()).await.unwrap();
    let terminal = Terminal::run(&["top", &service.url()]);
    terminal.wait_for(|drawn| drawn.contains("NORMAL")).await;

    let address = service.address;
    first.shutdown_background();
    terminal.wait_for(|drawn| drawn.contains("no data for")).await;
    assert!(terminal.drawn().contains("NORMAL"), "what was known last is still there");

    let second = server();
    let service = second.spawn(Service::on(address)).await.unwrap();
    service.manager.force_level(Level::Critical, "moving the disks", None);
    terminal.wait_for(|drawn| drawn.contains("CRITICAL") && !drawn.contains("no data for")).await;
    second.shutdown_background();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_drains_is_followed_to_its_end() {
    let service = Service::start().await;
    let terminal = Terminal::run(&["top", &service.url()]);
    terminal.wait_for(|drawn| drawn.contains("NORMAL")).await;
    service.readiness.not_ready("draining");
    service.manager.force_level(Level::Critical, "moving the disks", None);
    terminal.wait_for(|drawn| drawn.contains("CRITICAL")).await;
}
