//! What an operator sees, and when.

use std::time::Duration;

use circuit_layer::Outcome;
use degradation::Level;

use crate::browser::{Look, PATIENCE, with_browser};
use crate::service::{HOSTILE, Service};

const DESK: Look = Look { width: 1_280, scheme: "light" };

/// The state that the first card of the page shows, with its name.
const FIRST_CARD: &str = "document.querySelector('.card').getAttribute('aria-label')";

const LIVE: &str = "document.body.dataset.feed === 'live'";

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_seen_within_two_seconds_and_comes_first() {
    let service = Service::start();
    with_browser(async |page| {
        page.look(DESK).await;
        page.open(&service.page()).await;
        page.wait_for(LIVE).await;
        assert_eq!(page.text("#level").await, "Normal");
        assert_eq!(page.text("#score").await, "100");
        page.wait_for(&format!("{FIRST_CARD} === 'database: ✓ closed'")).await;

        service.kill_redis();
        let took = page.wait_for(&format!("{FIRST_CARD} === 'redis: ✕ open'")).await;
        assert!(took < Duration::from_secs(2), "it took {took:?}");
        assert_eq!(page.text("#score").await, "75");
        let title = page.ask("return document.title").await;
        assert!(title.as_str().unwrap().contains("redis down"), "{title}");
        let said = page.ask("return document.getElementById('said').textContent").await;
        assert_eq!(said, "Level normal, mode full, redis down", "and it is said");
        assert!(page.text("#flags").await.contains("cache-fallback"));
        let card = page.text(".card").await;
        for told in ["3 consecutive failures", "next probe in", "17", "12 of 50 connections"] {
            assert!(card.contains(told), "{told}: {card}");
        }
        assert!(page.text("#events").await.contains("redis went down"));

        let tone = "return document.getElementById('verdict').dataset.tone";
        assert_eq!(page.ask(tone).await, "warn", "no good news, though the level is normal");
        service.manager.force_level(Level::Critical, "moving the disks", Some(PATIENCE * 30));
        page.wait_for("document.getElementById('level').textContent === 'Critical (forced)'").await;
        let orders = page.text("#orders").await;
        assert!(
            orders.contains("Level forced to critical: moving the disks – ends in "),
            "{orders}"
        );
        assert_eq!(page.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_turns_grey_without_a_server_and_comes_back_with_it() {
    let service = Service::start();
    with_browser(async |page| {
        page.look(DESK).await;
        page.open(&service.page()).await;
        page.wait_for(LIVE).await;

        let address = service.kill();
        page.wait_for("document.body.dataset.feed === 'lost'").await;
        assert!(page.text("#feed").await.starts_with("no data for"), "and it says so");
        let filter = page.ask("return getComputedStyle(document.querySelector('main')).filter");
        assert_eq!(filter.await, "grayscale(1)");
        let said = page.ask("return document.getElementById('said').textContent").await;
        assert!(said.as_str().unwrap().contains("The feed is lost"), "{said}");

        let service = Service::on(address);
        for _ in 0..3 {
            service.database.try_acquire().unwrap().record(Outcome::failure("timeout"));
        }
        page.wait_for(&format!("{LIVE} && {FIRST_CARD} === 'database: ✕ open'")).await;
        assert_eq!(page.text("#feed").await, "live");
        let filter = page.ask("return getComputedStyle(document.querySelector('main')).filter");
        assert_eq!(filter.await, "none");
        // The browser itself tells of connections that it could not make; the page has no part in it.
        let own = page.complaints().await.into_iter().filter(|told| !told.contains("net::ERR_"));
        assert_eq!(own.collect::<Vec<_>>(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_tells_is_text_and_never_markup() {
    let service = Service::start();
    service.manager.drill(HOSTILE, HOSTILE, PATIENCE * 30).unwrap();
    service.kill_redis();
    with_browser(async |page| {
        page.look(DESK).await;
        page.open(&service.page()).await;
        page.wait_for(LIVE).await;
        page.wait_for("document.querySelectorAll('.card').length === 3").await;
        let shown = page.text("#cards").await;
        assert!(shown.matches(HOSTILE).count() >= 3, "as a name, a reason and an error: {shown}");
        assert!(page.text("#events").await.contains(HOSTILE));
        let made = page.ask("return document.querySelectorAll('main img, main script').length");
        assert_eq!(made.await, 0);
        assert_eq!(page.complaints().await, Vec::<String>::new(), "nothing had to be stopped");
    })
    .await;
}
