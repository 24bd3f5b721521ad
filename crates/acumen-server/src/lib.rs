//! The engine's answers over HTTP.
//!
//! A handler decodes the request, asks the engine one thing and encodes the answer; there is no
//! logic here. [`serve`] listens until it is told to stop, then drains with a hard deadline.

mod answer;
mod backtest;
mod batches;
mod cases;
mod decide;
mod decisions;
mod entities;
mod events;
mod guard;
mod health;
mod lists;
mod pages;
mod quarantine;
mod rank;
mod refused;
mod rules;
mod scores;
mod sources;
mod status;
mod thresholds;
mod updates;
mod values;
mod wire;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use acumen_base::limits::BODY_BYTES_MAX;
use acumen_engine::Engine;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use guard::{READ_PAST_MAX, REQUESTS_MAX};

/// How long requests that are under way may take once the server has been told to stop.
pub const DRAIN: Duration = Duration::from_secs(10);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Acumen",
        description = "Events in, decisions out. Every refusal is JSON with a code, what is wrong and what to do."
    ),
    tags(
        (name = "decisions", description = "Ask for decisions, and why they are what they are"),
        (name = "events", description = "Say what happened"),
        (name = "state", description = "What is known, and what people edit"),
        (name = "operations", description = "Health and metrics")
    )
)]
struct Description;

/// Every route, with the engine behind it.
pub fn app(engine: Arc<Engine>) -> Router {
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(decide::decide))
        .routes(routes!(rank::rank))
        .routes(routes!(rank::similar))
        .routes(routes!(decisions::get))
        .routes(routes!(decisions::explain))
        .routes(routes!(decisions::replay))
        .routes(routes!(events::post))
        .routes(routes!(sources::all))
        .routes(routes!(sources::note))
        .routes(routes!(entities::get))
        .routes(routes!(lists::all))
        .routes(routes!(lists::get, lists::edit))
        .routes(routes!(lists::expiring))
        .routes(routes!(rules::all))
        .routes(routes!(rules::switch))
        .routes(routes!(cases::list))
        .routes(routes!(cases::get, cases::dispose))
        .routes(routes!(backtest::backtest))
        .routes(routes!(thresholds::fit))
        .routes(routes!(updates::get, updates::begin))
        .routes(routes!(updates::roll_back))
        .routes(routes!(updates::deploy))
        .routes(routes!(updates::compare))
        .routes(routes!(batches::get))
        .routes(routes!(scores::get))
        .routes(routes!(quarantine::list, quarantine::put))
        .routes(routes!(quarantine::get))
        .routes(routes!(quarantine::resubmit))
        .routes(routes!(status::status))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .split_for_parts();
    let json = description
        .to_json()
        .expect("the description consists of plain values");
    router
        .route("/openapi.json", get(move || pages::openapi(json.clone())))
        .route("/", get(pages::home))
        .route("/docs", get(pages::docs))
        .route("/try/{name}", get(pages::lists))
        .fallback(refused::no_such_route)
        .method_not_allowed_fallback(refused::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(middleware::from_fn_with_state(
            guard::places(),
            guard::guard,
        ))
        .with_state(engine)
}

/// Serves until `stop` completes, then finishes what is under way, for [`DRAIN`] at most.
pub async fn serve(
    listener: TcpListener,
    engine: Arc<Engine>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let graceful = axum::serve(listener, app(engine)).with_graceful_shutdown(async move {
        stop.await;
        let _nobody_waits = stopping.send(true);
    });
    let deadline = async move {
        if stopped.wait_for(|stopping| *stopping).await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = async { graceful.await } => served,
        () = deadline => Ok(()),
    }
}
