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
