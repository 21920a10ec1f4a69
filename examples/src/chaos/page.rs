//! A page of buttons, for a person who wants to watch.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::{Chaos, Deed, Victim};

/// `GET /chaos`, and `POST /chaos/{dependency}/{kill|restart}` for its buttons and for curl.
pub(crate) fn router(chaos: Chaos) -> Router {
    Router::new()
        .route("/chaos", get(page))
        .route("/chaos/{victim}/{deed}", post(act))
        .with_state(chaos)
}

async fn page(State(chaos): State<Chaos>) -> Html<String> {
    let mut rows = String::new();
    for victim in Victim::ALL {
        let pid = chaos.pid(victim).await.map_or_else(String::new, |pid| format!("pid {pid}"));
        let button = |deed: &str| {
            format!(
                "<td><form method=post action=\"/chaos/{victim}/{deed}\"><button>{deed}</button></form>"
            )
        };
        rows += &format!("<tr><td>{victim}<td>{pid}{}{}", button("kill"), button("restart"));
    }
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Chaos</title>\
         <h1>Break a dependency, and watch</h1>\
         <p>The <a href=/status>status page</a> and <a href=/health>/health</a> show what follows.</p>\
         <table>{rows}</table>\
         <p>A database can be killed if it is a server: start with DATABASE_URL=postgres.</p>"
    ))
}

async fn act(State(chaos): State<Chaos>, Path((victim, deed)): Path<(String, String)>) -> Response {
    let deed = match deed.as_str() {
        "kill" => Some(Deed::Kill),
        "restart" => Some(Deed::Restart),
        _ => None,
    };
    let Some((victim, deed)) = Victim::named(&victim).zip(deed) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match chaos.act(victim, deed).await {
        Ok(Some(_)) => Redirect::to("/chaos").into_response(),
        Ok(None) => {
            let why = format!("{victim} does not run here, so it is not ours to break\n");
            (StatusCode::CONFLICT, why).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use crate::{Inventory, Pace, Settings, Sources};

    /// All four are servers of somebody else's, and none of them is there.
    fn elsewhere(folder: &TempDir) -> Sources {
        let at = |name: &str| folder.path().join(name).display().to_string();
        let table = [
            ("REDIS_URL", "redis://127.0.0.1:1".to_owned()),
            ("DATABASE_URL", format!("sqlite://{}?mode=rwc", at("inventory.db"))),
            ("S3_ENDPOINT", "http://127.0.0.1:1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "a".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "s".to_owned()),
            ("SPOOL_DIR", at("uploads")),
            ("OPENAI_BASE_URL", "http://127.0.0.1:1/v1".to_owned()),
        ];
        let find = |name: &str| table.iter().find(|(key, _)| *key == name);
        Sources::from_lookup(|name| find(name).map(|(_, value)| value.clone()))
    }

    /// What the page, and an order to kill Redis, are answered.
    #[expect(clippy::significant_drop_tightening, reason = "the service lives until it is stopped")]
    async fn asked(sources: Sources) -> (u16, u16) {
        let listen = "127.0.0.1:0".parse().unwrap();
        let settings = Settings { listen, sources, pace: Pace::default() };
        let inventory = Inventory::start(&settings).await.unwrap();
        let url = format!("{}/chaos", inventory.url());
        let page = reqwest::get(&url).await.unwrap().status();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let kill = client.build().unwrap().post(format!("{url}/redis/kill")).send().await.unwrap();
        inventory.shutdown().await.unwrap();
        (page.as_u16(), kill.status().as_u16())
    }

    #[tokio::test]
    async fn only_a_service_with_servers_of_its_own_has_a_page_that_breaks_them() {
        let folder = TempDir::new().unwrap();
        assert_eq!(asked(elsewhere(&folder)).await, (404, 404));
        assert_eq!(asked(Sources::default()).await, (200, 303));
    }
}
