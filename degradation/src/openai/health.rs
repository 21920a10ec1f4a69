//! As well as the best of its models: while one answers, the service has answers.

use async_openai::config::Config;
use circuit_layer::CircuitBreaker;

use super::chain::OpenAi;
use crate::breaker::judge;
use crate::figures::Figures;
use crate::health::{Health, Status};
use crate::source::{HealthFuture, HealthSource, Wake};

impl<C: Config + 'static> HealthSource for OpenAi<C> {
    fn health(&self) -> HealthFuture<'_> {
        let models = self.breakers().map(|(_, breaker)| {
            judge(&breaker.snapshot(), |state| self.health_metrics().score(state))
        });
        let best = models.max_by_key(|health| (health.status() == Status::Up, health.score()));
        Box::pin(std::future::ready(best.unwrap_or_else(Health::unknown)))
    }

    fn watch(&self, wake: Wake) {
        for (_, breaker) in self.breakers() {
            breaker.watch(wake.clone());
        }
    }

    /// The first model's.
    fn breaker(&self) -> Option<CircuitBreaker> {
        Some(self.first_breaker().clone())
    }

    fn figures(&self) -> Figures {
        let first = self.first_breaker().snapshot();
        let figures = Figures::default().calls(self.health_metrics().report(&first));
        self.breakers().fold(figures, |figures, (model, breaker)| {
            figures.fact(format!("model {model}"), breaker.state().to_string())
        })
    }
}
