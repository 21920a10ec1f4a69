//! What is printed as it happens, in the order in which it happened.
//!
//! Breakers, the manager and the script all have something to say; one channel brings it into line.
//! Transitions are kept too, for the checks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use circuit_layer::{CircuitBreaker, Clock, Event, Moment, State, Transition};
use degradation::Change;
use examples::Inventory;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::traffic::{Answers, Summary};

const SECOND: Duration = Duration::from_secs(1);

/// The running commentary. Clones write to the same.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    start: Moment,
    lines: UnboundedSender<String>,
    transitions: Arc<Mutex<Vec<Transition>>>,
}

impl Timeline {
    /// Begins to comment on this service; the tasks end with the set.
    pub(crate) fn begin(inventory: &Inventory, answers: &Answers) -> (Self, JoinSet<()>) {
        let (lines, mut written) = unbounded_channel::<String>();
        let start = Clock::default().now();
        let timeline = Self { start, lines, transitions: Arc::default() };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Some(line) = written.recv().await {
                println!("{line}");
            }
        });
        for breaker in breakers(inventory) {
            timeline.watch(&breaker);
        }
        let mut changes = inventory.manager().events();
        let changed = timeline.clone();
        tasks.spawn(async move {
            while let Ok(change) = changes.recv().await {
                changed.changed(&change);
            }
        });
        tasks.spawn(timeline.clone().rows(inventory, answers.clone()));
        (timeline, tasks)
    }

    /// A line of the script.
    pub(crate) fn say(&self, text: &str) {
        self.line(Clock::default().now(), &format!("▶ {text}"));
    }

    /// The transitions of a breaker since then.
    pub(crate) fn transitions(&self, name: &str, since: Moment) -> Vec<Transition> {
        let all = self.transitions.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|one| one.name == name && one.at >= since).cloned().collect()
    }

    fn line(&self, at: Moment, text: &str) {
        let seconds = (at - self.start).as_secs_f64();
        // Nobody reads any more once the tasks have ended.
        drop(self.lines.send(format!("{seconds:5.1}  {text}")));
    }

    fn watch(&self, breaker: &CircuitBreaker) {
        let timeline = self.clone();
        breaker.observe(move |event: &Event| {
            let Event::Transition(one) = event else { return };
            let Transition { name, from, to, cause, .. } = one;
            timeline.line(one.at, &format!("  breaker {name}: {from} → {to} ({cause})"));
            timeline.transitions.lock().unwrap_or_else(PoisonError::into_inner).push(one.clone());
        });
    }

    fn changed(&self, change: &Change) {
        let flags: Vec<_> = change.flags.iter().collect();
        let flags = if flags.is_empty() { "none".to_owned() } else { flags.join(", ") };
        let Change { level, mode, cause, .. } = change;
        let text =
            format!("  service: level {}, mode {}, replaced: {flags} ({cause})", level.1, mode.1);
        self.line(change.at, &text);
    }

    /// One row a second.
    fn rows(self, inventory: &Inventory, answers: Answers) -> impl Future<Output = ()> + use<> {
        let breakers = breakers(inventory);
        let snapshots = inventory.manager().subscribe();
        let clock = Clock::default();
        let head =
            "redis      s3         openai     database   score  level     mode       callers got";
        drop(self.lines.send(format!(" time  {head}")));
        async move {
            let mut last = clock.now();
            let mut seconds = tokio::time::interval(SECOND);
            seconds.tick().await;
            loop {
                seconds.tick().await;
                let now = clock.now();
                let states = breakers.each_ref().map(|breaker| shown(breaker.state()));
                let snapshot = Arc::clone(&snapshots.borrow());
                let got = Summary::of(&answers.between(last, now));
                let (level, mode) = (snapshot.level.as_str(), snapshot.mode.as_str());
                let score = snapshot.score;
                let states = states.map(|state| format!("{state:11}")).concat();
                self.line(now, &format!("{states}{score:>5}  {level:<9} {mode:<10} {got}"));
                last = now;
            }
        }
    }
}

/// In the order of the columns.
fn breakers(inventory: &Inventory) -> [CircuitBreaker; 4] {
    let on = inventory.dependencies();
    [on.redis.breaker(), on.s3.breaker(), on.openai.first_breaker(), on.database.breaker()]
        .map(Clone::clone)
}

/// What is not closed has to catch the eye.
fn shown(state: State) -> String {
    match state {
        State::Closed => "closed".to_owned(),
        State::Open | State::HalfOpen => state.to_string().to_uppercase(),
    }
}
