use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// What was done, in order, and when.
#[derive(Clone)]
struct Diary {
    clock: Clock,
    begun: circuit_layer::Moment,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Diary {
    fn new() -> Self {
        let clock = Clock::default();
        let begun = clock.now();
        Self { clock, begun, lines: Arc::default() }
    }

    fn write(&self, line: &str) {
        let seconds = (self.clock.now() - self.begun).as_secs();
        self.lines.lock().unwrap().push(format!("{seconds} {line}"));
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    async fn pass(&self, time: Duration) {
        self.clock.sleep_until(self.clock.now() + time).await;
    }

    async fn step(self, line: &'static str, lasts: Duration) -> Result<(), Infallible> {
        self.write(line);
        self.pass(lasts).await;
        Ok(())
    }
}

/// A service whose last request ends so long after the signal.
fn serve(shutdown: &Shutdown, diary: &Diary, last: Duration) -> JoinHandle<Result<(), Infallible>> {
    let (signal, diary) = (shutdown.signal(), diary.clone());
    tokio::spawn(async move {
        signal.await;
        diary.write("no new connections");
        diary.pass(last).await;
        diary.write("drained");
        Ok(())
    })
}

#[tokio::test(start_paused = true)]
async fn everything_ends_in_order_and_nothing_begins_before_its_turn() {
    let (diary, readiness) = (Diary::new(), Readiness::starting());
    readiness.ready();
    let shutdown = Shutdown::new(&readiness)
        .notice(3 * SECOND)
        .step("spool", diary.clone().step("spool synced", SECOND))
        .step("redis", diary.clone().step("redis closed", SECOND));
    let serving = serve(&shutdown, &diary, 2 * SECOND);
    let running = tokio::spawn(shutdown.run(serving));
    diary.pass(SECOND).await;
    assert_eq!(readiness.reason().as_deref(), Some("draining"));
    assert_eq!(diary.lines(), [""; 0], "the notice has not passed");
    running.await.unwrap().unwrap();
    assert_eq!(
        diary.lines(),
        ["3 no new connections", "5 drained", "5 spool synced", "6 redis closed"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_hangs_fails_or_panics_is_reported_and_keeps_nothing_from_its_turn() {
    let (diary, readiness) = (Diary::new(), Readiness::starting());
    let shutdown = Shutdown::new(&readiness)
        .drain_within(10 * SECOND)
        .step_within(2 * SECOND)
        .step("spool", diary.clone().step("spool begun", 60 * SECOND))
        .step("redis", async { Err("connection reset") })
        .step("s3", async {
            let well: Result<(), Infallible> =
                if "a test".len() > 1 { panic!("no luck") } else { Ok(()) };
            well
        })
        .step("last", diary.clone().step("last done", SECOND));
    let serving = serve(&shutdown, &diary, 60 * SECOND);
    let error = shutdown.run(serving).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "drain was not done within 10s; spool was not done within 2s; \
         redis failed: connection reset; s3 panicked"
    );
    assert_eq!(diary.lines(), ["0 no new connections", "10 spool begun", "12 last done"]);
    diary.pass(120 * SECOND).await;
    assert_eq!(diary.lines().len(), 3, "what was late is cut off: {:?}", diary.lines());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_stops_the_service_and_begins_no_step() {
    let (diary, readiness) = (Diary::new(), Readiness::starting());
    let shutdown =
        Shutdown::new(&readiness).step("spool", diary.clone().step("spool synced", SECOND));
    let serving = serve(&shutdown, &diary, Duration::ZERO);
    drop(shutdown);
    serving.await.unwrap().unwrap();
    assert_eq!(diary.lines(), ["0 no new connections", "0 drained"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_cuts_off_what_is_under_way() {
    let (diary, readiness) = (Diary::new(), Readiness::starting());
    let shutdown =
        Shutdown::new(&readiness).step("spool", diary.clone().step("spool synced", SECOND));
    let serving = serve(&shutdown, &diary, 30 * SECOND);
    let running = tokio::spawn(shutdown.run(serving));
    diary.pass(5 * SECOND).await;
    running.abort();
    diary.pass(60 * SECOND).await;
    assert_eq!(diary.lines(), ["0 no new connections"]);
}
