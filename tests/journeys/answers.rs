//! Recorded events from the stream to every answer.

use crate::feed::{Feed, check_all, wait_for_pages};
use crate::pair::Place;
use anyhow::ensure;
use chrono::TimeDelta;
use schema::clock::{Clock, SystemClock};
use tests::events;

/// Real events, and hostile ones between them: tables, REST and GraphQL equal the model.
pub(crate) async fn recorded_events_reach_every_answer(place: Place) -> anyhow::Result<()> {
    let mut feed = Feed::start().await;
    let app = feed.spawn(&place).await?;
    feed.publish(events::special());
    feed.publish(events::recorded()?);
    let model = feed.model();
    wait_for_pages(&app.base(), &model).await?;
    check_all(&place, app, &model).await
}

/// The same events twice, the second time backwards.
pub(crate) async fn events_that_come_again_change_nothing(place: Place) -> anyhow::Result<()> {
    let mut feed = Feed::start().await;
    let app = feed.spawn(&place).await?;
    feed.publish(events::recorded()?);
    wait_for_pages(&app.base(), &feed.model()).await?;
    feed.publish(events::recorded()?.into_iter().rev());
    // What comes behind the repeated ones shows that they went through.
    feed.publish(events::copies(7, 20, SystemClock.now()));
    let model = feed.model();
    wait_for_pages(&app.base(), &model).await?;
    check_all(&place, app, &model).await
}

/// Stops, misses events, starts again: the missed ones come from the position, and the old ones stay.
pub(crate) async fn a_restart_goes_on_where_it_stopped(place: Place) -> anyhow::Result<()> {
    let mut feed = Feed::start().await;
    let now = SystemClock.now();
    let app = feed.spawn(&place).await?;
    feed.publish(events::copies(11, 300, now - TimeDelta::days(1)));
    wait_for_pages(&app.base(), &feed.model()).await?;
    app.stop().await?;
    let visits = feed.server.visits().len();
    feed.publish(events::copies(12, 300, now));
    let app = feed.spawn(&place).await?;
    let model = feed.model();
    wait_for_pages(&app.base(), &model).await?;
    let resumed = feed.server.visits().split_off(visits);
    ensure!(resumed.iter().any(|visit| visit.last_event_id.is_some()), "did not resume: {resumed:?}");
    check_all(&place, app, &model).await
}
