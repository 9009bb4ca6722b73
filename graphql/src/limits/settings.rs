//! The limits of requests: their defaults, how they are set, and how they are told.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use clap::value_parser;
use serde::Serialize;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Where `--help` lists them.
const HEADING: &str = "Limits of requests";

/// What holds where nothing is set.
const DEFAULT: Limits = Limits {
    document_bytes: 20 * 1024,
    tokens: 2_000,
    directives: 20,
    nesting: 40,
    fragments: 50,
    depth: 10,
    aliases: 30,
    root_fields: 20,
    selections: 5_000,
    cost: 5_000,
    concurrent_cost: 50_000,
    event_cost: 40,
    introspection_cost: 1_000_000,
    introspection_depth: 20,
    list: 100,
    errors: 20,
    seconds: 10,
    body_bytes: 128 * 1024,
    listeners: 2_000,
    operations: 50,
};

/// The limits of requests, as settings. All of GraphQL but `seconds`, which REST answers have, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Bytes of a GraphQL document.
    #[arg(long = "limit-document-bytes", env = "PAGETRACK_LIMIT_DOCUMENT_BYTES", value_name = "100-1000000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.document_bytes, value_parser = within(100..=1_000_000))]
    pub document_bytes: u64,
    /// Tokens of a document.
    #[arg(long = "limit-tokens", env = "PAGETRACK_LIMIT_TOKENS", value_name = "10-100000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.tokens, value_parser = within(10..=100_000))]
    pub tokens: u64,
    /// Directives in a document.
    #[arg(long = "limit-directives", env = "PAGETRACK_LIMIT_DIRECTIVES", value_name = "0-1000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.directives, value_parser = within(0..=1_000))]
    pub directives: u64,
    /// Brackets of any kind within each other.
    #[arg(long = "limit-nesting", env = "PAGETRACK_LIMIT_NESTING", value_name = "5-60", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.nesting, value_parser = within(5..=60))]
    pub nesting: u64,
    /// Fragments that are defined.
    #[arg(long = "limit-fragments", env = "PAGETRACK_LIMIT_FRAGMENTS", value_name = "0-1000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.fragments, value_parser = within(0..=1_000))]
    pub fragments: u64,
    /// Fields within each other.
    #[arg(long = "limit-depth", env = "PAGETRACK_LIMIT_DEPTH", value_name = "1-50", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.depth, value_parser = within(1..=50))]
    pub depth: u64,
    /// Aliases, fragments written out.
    #[arg(long = "limit-aliases", env = "PAGETRACK_LIMIT_ALIASES", value_name = "0-10000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.aliases, value_parser = within(0..=10_000))]
    pub aliases: u64,
    /// Fields of the root, fragments written out.
    #[arg(long = "limit-root-fields", env = "PAGETRACK_LIMIT_ROOT_FIELDS", value_name = "1-1000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.root_fields, value_parser = within(1..=1_000))]
    pub root_fields: u64,
    /// Fields and spreads, fragments written out.
    #[arg(long = "limit-selections", env = "PAGETRACK_LIMIT_SELECTIONS", value_name = "10-100000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.selections, value_parser = within(10..=100_000))]
    pub selections: u64,
    /// Estimated objects and reads of a query; a list costs its first or last times what is below it.
    #[arg(long = "limit-cost", env = "PAGETRACK_LIMIT_COST", value_name = "1-1000000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.cost, value_parser = within(1..=1_000_000))]
    pub cost: u64,
    /// The same of all queries that are executed at one time, and of those that cost 200 at most a fifth as much, 200 at
    /// least; more wait two seconds, and are then told to come again. Bounds what is read at one time.
    #[arg(long = "limit-concurrent-cost", env = "PAGETRACK_LIMIT_CONCURRENT_COST", value_name = "1-100000000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.concurrent_cost, value_parser = within(1..=100_000_000))]
    pub concurrent_cost: u64,
    /// The same of each event of a subscription, which is executed once for all who ask the same.
    #[arg(long = "limit-event-cost", env = "PAGETRACK_LIMIT_EVENT_COST", value_name = "1-10000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.event_cost, value_parser = within(1..=10_000))]
    pub event_cost: u64,
    /// Estimated objects of an introspection, which has a budget of its own: playgrounds and code generators ask for
    /// everything, deeply, and cost no read.
    #[arg(long = "limit-introspection-cost", env = "PAGETRACK_LIMIT_INTROSPECTION_COST", value_name = "0-100000000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.introspection_cost, value_parser = within(0..=100_000_000))]
    pub introspection_cost: u64,
    /// Fields within each other below `__schema` and `__type`.
    #[arg(long = "limit-introspection-depth", env = "PAGETRACK_LIMIT_INTROSPECTION_DEPTH", value_name = "1-50", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.introspection_depth, value_parser = within(1..=50))]
    pub introspection_depth: u64,
    /// Items that first or last may ask for.
    #[arg(long = "limit-list", env = "PAGETRACK_LIMIT_LIST", value_name = "1-1000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.list, value_parser = within(1..=1_000))]
    pub list: u64,
    /// Errors that an answer tells; it says how many more there were.
    #[arg(long = "limit-errors", env = "PAGETRACK_LIMIT_ERRORS", value_name = "1-1000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.errors, value_parser = within(1..=1_000))]
    pub errors: u64,
    /// Seconds that an answer may take; of a REST list, that the store may be silent.
    #[arg(long = "limit-seconds", env = "PAGETRACK_LIMIT_SECONDS", value_name = "1-600", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.seconds, value_parser = within(1..=600))]
    pub seconds: u64,
    /// Bytes of a request's body, and of a WebSocket's message.
    #[arg(long = "limit-body-bytes", env = "PAGETRACK_LIMIT_BODY_BYTES", value_name = "1000-10000000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.body_bytes, value_parser = within(1_000..=10_000_000))]
    pub body_bytes: u64,
    /// Connections that listen at one time: WebSockets, and server-sent events.
    #[arg(long = "limit-listeners", env = "PAGETRACK_LIMIT_LISTENERS", value_name = "0-100000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.listeners, value_parser = within(0..=100_000))]
    pub listeners: u64,
    /// Operations that one WebSocket has open.
    #[arg(long = "limit-operations", env = "PAGETRACK_LIMIT_OPERATIONS", value_name = "1-1000", help_heading = HEADING)]
    #[arg(default_value_t = DEFAULT.operations, value_parser = within(1..=1_000))]
    pub operations: u64,
}

impl Default for Limits {
    fn default() -> Self {
        DEFAULT
    }
}

impl Limits {
    /// How long one execution may take: of a query, or of one event of a subscription.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// These limits, of which each can be reached.
    ///
    /// # Errors
    /// Setting, value and remedy where one has no room for another.
    pub fn validate(self) -> Result<Self, (&'static str, String, &'static str)> {
        if self.concurrent_cost < self.cost {
            let remedy = "the queries of one time must have room for one of --limit-cost";
            return Err(("--limit-concurrent-cost", self.concurrent_cost.to_string(), remedy));
        }
        if self.body_bytes < self.document_bytes {
            let remedy = "a body must have room for a document of --limit-document-bytes";
            return Err(("--limit-body-bytes", self.body_bytes.to_string(), remedy));
        }
        Ok(self)
    }
}

fn within(range: RangeInclusive<u64>) -> RangedU64ValueParser {
    value_parser!(u64).range(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};

    fn takes(flag: &str, value: u64) -> bool {
        let command = Limits::augment_args(Command::new("program").no_binary_name(true));
        let parsed = command.try_get_matches_from([format!("--{flag}"), value.to_string()]);
        parsed.is_ok_and(|matches| Limits::from_arg_matches(&matches).is_ok())
    }

    #[test]
    fn help_shows_each_limits_bounds() {
        let command = Limits::augment_args(Command::new("program"));
        let mut seen = 0;
        for argument in command.get_arguments().filter(|argument| argument.get_help_heading() == Some(HEADING)) {
            let flag = argument.get_long().expect("a flag");
            let shown = argument.get_value_names().expect("a value")[0].as_str();
            let (least, most) = shown.split_once('-').expect("from and to");
            let (least, most): (u64, u64) = (least.parse().expect("a number"), most.parse().expect("a number"));
            assert!(takes(flag, least) && takes(flag, most), "--{flag} {shown}");
            assert!(!takes(flag, most + 1) && (least == 0 || !takes(flag, least - 1)), "--{flag} {shown}");
            seen += 1;
        }
        assert_eq!(seen, 20);
    }
}
