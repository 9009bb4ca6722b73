//! Plays the sample: the last day at once, then on and on.

use super::{SampleSettings, SourceItem};
use crate::sample;
use crate::stage::StageContext;
use crate::status::{SourceKind, SourceStatus};
use bytes::Bytes;
use chrono::DurationRound;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc::Sender;

/// Plays until shutdown, or until nobody listens.
pub(crate) async fn play(settings: SampleSettings, ctx: StageContext, out: Sender<SourceItem>) {
    let reason = Some(settings.reason.clone());
    ctx.meter.set_source(SourceStatus { kind: SourceKind::Sample, reason, is_connected: false });
    let shutdown = ctx.shutdown.clone();
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = play_on(settings, &ctx, &out) => {}
    }
}

async fn play_on(settings: SampleSettings, ctx: &StageContext, out: &Sender<SourceItem>) {
    for payload in sample::history(settings.seed, settings.pages, this_second(ctx)) {
        if out.send(item(payload)).await.is_err() {
            return;
        }
    }
    let mut live = sample::live(settings.seed, settings.pages);
    loop {
        let (wait, event) = live.next_event(settings.events_per_second);
        tokio::time::sleep(wait).await;
        if out.send(item(event(this_second(ctx)))).await.is_err() {
            return;
        }
    }
}

fn item(payload: Bytes) -> SourceItem {
    SourceItem::Event { payload, event_at: None, checkpoint: None }
}

fn this_second(ctx: &StageContext) -> DateTime<Utc> {
    let now = ctx.clock.now();
    now.duration_trunc(TimeDelta::seconds(1)).unwrap_or(now)
}
