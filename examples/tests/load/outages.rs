//! Random outages, one after the other and sometimes two at once.

use std::time::Duration;

use circuit_layer::Clock;
use examples::chaos::{Chaos, Deed, Victim};

/// Numbers that look random, the same for the same seed.
struct Chance(u64);

impl Chance {
    /// Below `bound`. A step of Knuth's MMIX generator, of which the upper half is good.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Breaks and mends until it is dropped.
pub(crate) async fn play(chaos: Chaos, seed: u64) {
    let (mut chance, clock) = (Chance(seed), Clock::default());
    let pause = async |ms: u64| clock.sleep_until(clock.now() + Duration::from_millis(ms)).await;
    loop {
        pause(300 + chance.below(700)).await;
        let victim = Victim::ALL[usize::try_from(chance.below(4)).unwrap()];
        let other = Victim::ALL[usize::try_from(chance.below(4)).unwrap()];
        let both = chance.below(4) == 0;
        chaos.act(victim, Deed::Kill).await.unwrap();
        if both {
            chaos.act(other, Deed::Kill).await.unwrap();
        }
        pause(500 + chance.below(1_500)).await;
        chaos.act(victim, Deed::Restart).await.unwrap();
        chaos.act(other, Deed::Restart).await.unwrap();
    }
}

/// Everything runs again.
pub(crate) async fn mend(chaos: &Chaos) {
    for victim in Victim::ALL {
        chaos.act(victim, Deed::Restart).await.unwrap();
    }
}
