//! The page for everybody: small screens, dark rooms, keyboards, screen readers.

use std::collections::BTreeSet;

use degradation::Mode;
use thirtyfour::Key;

use crate::browser::{Look, Page, with_browser};
use crate::service::Service;

const LOOKS: [Look; 4] = [
    Look { width: 360, scheme: "light" },
    Look { width: 360, scheme: "dark" },
    Look { width: 1_280, scheme: "light" },
    Look { width: 1_280, scheme: "dark" },
];

/// What axe-core finds, and whether the page is wider than the screen. Leaves a picture for people.
async fn check(page: &Page, name: &str) {
    let mut backgrounds = BTreeSet::new();
    for look in LOOKS {
        page.look(look).await;
        let width = page.ask("return document.documentElement.scrollWidth").await;
        assert!(width.as_u64().unwrap() <= u64::from(look.width), "{name} {look:?}: {width}");
        assert_eq!(page.violations().await, Vec::<String>::new(), "{name} {look:?}");
        let background = "return getComputedStyle(document.body).backgroundColor";
        backgrounds.insert(page.ask(background).await.to_string());
        page.picture(look, name).await;
    }
    assert_eq!(backgrounds.len(), 2, "one for light, one for dark: {backgrounds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_and_nothing_scrolls_sideways_in_good_times_and_bad() {
    let service = Service::start();
    with_browser(async |page| {
        page.open(&service.page()).await;
        page.wait_for("document.querySelectorAll('.card').length === 3").await;
        check(&page, "normal").await;

        service.serve(400);
        service.kill_redis();
        service.fill_queue();
        service.manager.force_mode(Mode::ReadOnly, "moving the disks", None);
        page.wait_for("document.getElementById('orders').textContent.includes('disks')").await;
        page.wait_for("document.getElementById('panels').textContent.includes('214')").await;
        check(&page, "outage").await;

        service.kill();
        page.wait_for("document.body.dataset.feed === 'lost'").await;
        check(&page, "lost").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_reaches_the_status_at_once_and_every_link() {
    let service = Service::start();
    with_browser(async |page| {
        page.open(&service.page()).await;
        page.wait_for("document.body.dataset.feed === 'live'").await;
        page.press(Key::Tab).await;
        let focused = "return document.activeElement.className || document.activeElement.id";
        assert_eq!(page.ask(focused).await, "skip");
        let top = "return document.activeElement.getBoundingClientRect().top";
        assert!(page.ask(top).await.as_f64().unwrap() >= 0.0, "it is seen while it has the focus");
        page.press(Key::Enter).await;
        assert_eq!(page.ask(focused).await, "main");
        page.press(Key::Tab).await;
        let link = page.ask("return document.activeElement.getAttribute('href')").await;
        assert_eq!(link, "status.json");
    })
    .await;
}
