use std::{hint::black_box, pin::pin, task::{Context, Poll, Waker}, future::Future, time::Instant};
use circuit_layer::{CircuitBreaker, CircuitBreakerLayer};
use tower::{Service, Layer, service_fn};

#[inline(never)]
fn run<S>(svc: &mut S, n: u64) -> u64 where S: Service<u64, Response = u64> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut sum = 0;
    for i in 0..n {
        let _ = svc.poll_ready(&mut cx);
        let mut f = pin!(svc.call(black_box(i)));
        match f.as_mut().poll(&mut cx) { Poll::Ready(Ok(v)) => sum += v, _ => sum += 1 }
    }
    sum
}
fn main() {
    let case = std::env::args().nth(1).unwrap_or_default();
    let n: u64 = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(10_000_000);
    let inner = || service_fn(|x: u64| async move { Ok::<_, std::io::Error>(black_box(x) + 1) });
    let t = Instant::now();
    let r = match case.as_str() {
        "bare" => run(&mut inner(), n),
        "closed" => run(&mut CircuitBreakerLayer::new(CircuitBreaker::new("b")).layer(inner()), n),
        "open" => { let b = CircuitBreaker::new("b"); b.force_open("x", Some(std::time::Duration::from_secs(3600))); run(&mut CircuitBreakerLayer::new(b).layer(inner()), n) }
        _ => panic!(),
    };
    let d = t.elapsed();
    println!("{case}: {:.2} ns/op ({r})", d.as_nanos() as f64 / n as f64);
}
