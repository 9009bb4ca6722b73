//! Following a topic for as long as a process runs: a bus that is away for a while is waited for.

use super::BusError;
use std::convert::Infallible;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Runs `listen` until `shutdown`, and again whenever the bus was unavailable. `what` is for the log.
///
/// # Errors
/// What waiting does not mend.
pub async fn keep_following<F>(
    what: &'static str,
    shutdown: &CancellationToken,
    mut listen: impl FnMut() -> F,
) -> Result<(), BusError>
where
    F: Future<Output = Result<Infallible, BusError>>,
{
    loop {
        match shutdown.run_until_cancelled(listen()).await {
            None => return Ok(()),
            Some(Err(BusError::Unavailable(why))) => tracing::warn!(why, "{what} cannot be heard; trying again"),
            Some(Err(error)) => return Err(error),
        }
        if shutdown.run_until_cancelled(tokio::time::sleep(AGAIN_AFTER)).await.is_none() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_waited_for_and_a_fault_is_not() {
        let tries = Cell::new(0);
        let listen = async || {
            tries.set(tries.get() + 1);
            if tries.get() < 5 { Err(BusError::Unavailable("away".into())) } else { Err(BusError::Closed) }
        };
        let ended = keep_following("a topic", &CancellationToken::new(), || Box::pin(listen())).await;
        assert!(matches!(ended, Err(BusError::Closed)));
        assert_eq!(tries.get(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_ends_it_while_the_bus_is_away() {
        let shutdown = CancellationToken::new();
        let listen = async || {
            shutdown.cancel();
            Err(BusError::Unavailable("away".into()))
        };
        assert!(keep_following("a topic", &shutdown, || Box::pin(listen())).await.is_ok());
    }
}
