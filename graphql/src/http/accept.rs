//! Which of the two media types of GraphQL over HTTP an answer has, by the `Accept` header.

use axum::http::{HeaderMap, header};

/// The media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells of errors in the request.
    GraphqlResponse,
    /// `application/json`: the older one, 200 for every well-formed request.
    Json,
}

impl Media {
    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// Whether the client names `text/event-stream` among what it accepts.
pub(super) fn accepts_events(headers: &HeaderMap) -> bool {
    ranges(headers).iter().any(|range| range.media == "text/event-stream" && range.quality > 0)
}

/// The media type that the client likes best; none when it accepts neither. Without preference it is JSON.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Media> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return Some(Media::Json);
    }
    let new = quality(&ranges, "application/graphql-response+json");
    let json = quality(&ranges, "application/json");
    let prefers_new = new.quality > json.quality || (new.quality == json.quality && new.specific > json.specific);
    let is_named_first = new == json && new.specific == 2 && first_named(&ranges) == Some(Media::GraphqlResponse);
    match (new.quality > 0, json.quality > 0) {
        (true, _) if prefers_new || is_named_first => Some(Media::GraphqlResponse),
        (_, true) => Some(Media::Json),
        (true, false) => Some(Media::GraphqlResponse),
        (false, false) => None,
    }
}

/// One entry of the header.
struct Range {
    media: String,
    /// In thousandths.
    quality: u16,
}

/// How much a media type is liked, and by how specific an entry: 2 by name, 1 by `application/*`, 0 by `*/*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Liked {
    quality: u16,
    specific: u8,
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(parse_range).collect()
}

fn parse_range(text: &str) -> Option<Range> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().filter(|media| media.contains('/'))?.to_ascii_lowercase();
    let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality = q.map_or(Some(1_000), thousandths)?;
    Some(Range { media, quality })
}

/// `0.5` is 500; none for what is no weight.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u16 = format!("{whole}{part:0<3}").parse().ok()?;
    (number <= 1_000).then_some(number)
}

fn quality(ranges: &[Range], media: &str) -> Liked {
    let by = |name: &str, specific| {
        ranges.iter().find(|range| range.media == name).map(|range| Liked { quality: range.quality, specific })
    };
    by(media, 2).or_else(|| by("application/*", 1)).or_else(|| by("*/*", 0)).unwrap_or_default()
}

fn first_named(ranges: &[Range]) -> Option<Media> {
    ranges.iter().find_map(|range| match range.media.as_str() {
        "application/graphql-response+json" => Some(Media::GraphqlResponse),
        "application/json" => Some(Media::Json),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_media_type_is_answered() {
        let check = |accept: &str, media| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(negotiate(&headers), media, "{accept}");
        };
        let (new, json) = (Some(Media::GraphqlResponse), Some(Media::Json));
        assert_eq!(negotiate(&HeaderMap::new()), json);
        check("*/*", json);
        check("application/*", json);
        check("application/json", json);
        check("application/graphql-response+json", new);
        check("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", new);
        check("application/json, application/graphql-response+json", json);
        check("application/json;q=0.9, application/graphql-response+json", new);
        check("application/graphql-response+json;q=0.1, */*;q=0.9", json);
        check("application/graphql-response+json, */*", new);
        check("application/json;q=0, application/graphql-response+json;q=0.001", new);
        check("text/html", None);
        check("application/json;q=0", None);
    }
}
