//! The reads of a running API whose time must not grow with what is stored.

use crate::fill::Pages;
use crate::table::percentile;
use anyhow::Context;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;
use std::time::Instant;

/// Requests of each kind, behind as many that warm up.
const REQUESTS: usize = 200;
/// Of those whose 99th percentiles are compared: of fewer two outliers decide.
const COMPARED_REQUESTS: usize = 1_000;
/// Of those that take long, behind so few that warm up: each reads as much as many others.
const LONG_REQUESTS: usize = 20;
const WARM_BY: usize = 5;
/// What the sample has most pages of.
const LARGEST: &str = "www.wikidata.org";

/// One kind of read, and what is wanted of its 99th percentile: milliseconds on the embedded store and on Cassandra, and
/// how many times as long it may take on the large store.
pub(crate) struct Read {
    pub(crate) what: &'static str,
    pub(crate) wanted: (f64, f64),
    pub(crate) growth: Option<f64>,
    request: Request,
    /// What an answer that is not empty has.
    holds: &'static str,
    requests: usize,
    /// How many before them warm up the server, and the node's compiler.
    warming: usize,
}

enum Request {
    Rest(String),
    GraphQl(String),
}

/// All kinds.
pub(crate) fn reads(pages: Pages) -> Vec<Read> {
    let read = |what, wanted, growth: Option<f64>, request, holds| {
        let requests = if growth.is_some() { COMPARED_REQUESTS } else { REQUESTS };
        Read { what, wanted, growth, request, holds, requests, warming: requests }
    };
    let list = |arguments: String| {
        Request::GraphQl(format!(
            "{{ domain(name: \"{LARGEST}\") {{ pages(first: 50{arguments}) {{ nodes {{ pageId pageTitle userName createdAt }} }} }} }}"
        ))
    };
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let middle = list(format!(", during: {{ to: \"{}\" }}", time(pages.middle())));
    // A store that an earlier run filled ends when that began.
    let at = time(pages.now);
    let report = |path, hours| Request::Rest(format!("/reports/{path}/?hours={hours}&at={at}"));
    let hour = |time: DateTime<Utc>| time.format("%Y-%m-%d-%H");
    let (from, to) = (hour(pages.now - TimeDelta::hours(743)), hour(pages.now));
    let month = Request::Rest(format!("/stats/time-range/?from_hour={from}&to_hour={to}"));
    let rest = |path: &str| Request::Rest(path.to_owned());
    let (list_holds, long) = ("pageTitle", (2_000.0, 2_000.0));
    let few = |read: Read| Read { requests: LONG_REQUESTS, warming: WARM_BY, ..read };
    vec![
        read("count of the largest wiki", (10.0, 10.0), Some(1.5), rest("/pages/domain/www.wikidata.org"), "count"),
        read("newest 50 of the largest wiki", (10.0, 15.0), Some(1.5), list(String::new()), list_holds),
        read("50 from its middle", (10.0, 15.0), Some(1.5), middle, list_holds),
        read("R1, wikis by hour", (50.0, 50.0), None, report("domains-by-hour", 6), "\"statistics\":[{"),
        read("R2, bots by wiki", (50.0, 50.0), None, report("bots-by-domain", 6), "created_by_bots"),
        read("R3, top users with titles", (100.0, 100.0), None, report("top-users", 6), "user_name"),
        few(read("R1 over 168 hours", long, None, report("domains-by-hour", 168), "\"statistics\":[{")),
        few(read("R2 over 168 hours", long, None, report("bots-by-domain", 168), "created_by_bots")),
        few(read("R3 over 168 hours", long, None, report("top-users", 168), "user_name")),
        few(read("`/stats/time-range/` over 744 hours", long, None, month, "user_id")),
        read("`/domains/`, 1,000 wikis", (20.0, 20.0), None, rest("/domains/"), LARGEST),
    ]
}

impl Read {
    /// The 99th percentile in milliseconds, asked one after the other.
    pub(crate) async fn measure(&self, client: &reqwest::Client, base: &str) -> anyhow::Result<f64> {
        let mut times = Vec::with_capacity(self.requests);
        for n in 0..self.warming + self.requests {
            let begun = Instant::now();
            self.ask(client, base).await.with_context(|| self.what)?;
            if n >= self.warming {
                times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        Ok(percentile(&mut times, 99))
    }

    async fn ask(&self, client: &reqwest::Client, base: &str) -> anyhow::Result<()> {
        let answer = match &self.request {
            Request::Rest(path) => client.get(format!("{base}{path}")).send().await?,
            Request::GraphQl(query) => {
                client.post(format!("{base}/graphql")).json(&json!({ "query": query })).send().await?
            }
        };
        anyhow::ensure!(answer.status().is_success(), "answered {}", answer.status());
        let text = answer.text().await?;
        anyhow::ensure!(text.contains(self.holds) && !text.contains("\"errors\""), "answered {text}");
        Ok(())
    }
}
