//! A GraphQL request from a body or an address, or why it is none.

use crate::limits::{Limits, is_query};
use crate::operation::TellCost;
use async_graphql::{Request, Variables};
use axum::http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why a request is not looked at any further.
#[derive(Debug)]
pub(super) struct Refused {
    /// The status.
    pub(super) status: StatusCode,
    /// What would be right.
    pub(super) message: String,
    /// The methods that are allowed, with 405.
    pub(super) allow: Option<&'static str>,
}

impl Refused {
    /// Refused with `status`.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), allow: None }
    }

    /// Refused since the method does not serve.
    pub(super) fn method(allow: &'static str, message: impl Into<String>) -> Self {
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }
}

/// The request as JSON has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    query: String,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

impl From<Wire> for Request {
    fn from(wire: Wire) -> Self {
        let variables = Variables::from_json(Value::Object(wire.variables.unwrap_or_default()));
        let tells_cost = wire.extensions.is_some_and(|extensions| extensions.get("cost") == Some(&Value::Bool(true)));
        let request = Request::new(wire.query).variables(variables).data(TellCost(tells_cost));
        match wire.operation_name.filter(|name| !name.is_empty()) {
            Some(name) => request.operation_name(name),
            None => request,
        }
    }
}

/// Whether the body is JSON in UTF-8, by `Content-Type`. Forms and plain text are refused: browsers send those to
/// other hosts without asking.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(text)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_media = parts.next().is_some_and(|media| media == "application/json");
    is_media
        && parts.all(|part| {
            !part.starts_with("charset=") || matches!(part.split_at(8).1.trim_matches('"'), "utf-8" | "utf8")
        })
}

/// The request in a POST's body.
pub(super) fn from_json(body: &[u8]) -> Result<Request, Refused> {
    // An array would be read as the fields in order; batches are not served.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "the body must be one JSON object"));
    }
    let wire: Result<Wire, _> = serde_json::from_slice(body);
    wire.map(Request::from)
        .map_err(|error| Refused::new(StatusCode::BAD_REQUEST, format!("the body is wrong: {error}")))
}

/// The request in a GET's address.
pub(super) fn from_address(address: &str) -> Result<Request, Refused> {
    let bad = |text: String| Refused::new(StatusCode::BAD_REQUEST, text);
    let mut wire = Wire { query: String::new(), operation_name: None, variables: None, extensions: None };
    for (name, value) in url::form_urlencoded::parse(address.as_bytes()) {
        match &*name {
            "query" => wire.query = value.into_owned(),
            "operationName" => wire.operation_name = Some(value.into_owned()),
            "variables" | "extensions" => {
                let map: Option<Map<String, Value>> = serde_json::from_str(&value)
                    .map_err(|error| bad(format!("{name} must be a JSON object: {error}")))?;
                *(if name == "variables" { &mut wire.variables } else { &mut wire.extensions }) = map;
            }
            _ => {}
        }
    }
    if wire.query.is_empty() {
        return Err(bad("query is missing".into()));
    }
    Ok(Request::from(wire))
}

/// The request when it is a query; else why it cannot be answered once.
pub(super) fn only_query(
    method: &Method,
    request: Request,
    limits: &Limits,
) -> Result<Request, Box<(Refused, Request)>> {
    if is_query(&request.query, request.operation_name.as_deref(), limits) {
        return Ok(request);
    }
    if !request.query.contains("subscription") && *method == Method::POST {
        return Err(Box::new((Refused::new(StatusCode::BAD_REQUEST, "there are no mutations"), request)));
    }
    let how = "subscribe over a WebSocket (graphql-transport-ws) or server-sent events (Accept: text/event-stream)";
    let refused = match *method {
        Method::POST => Refused::new(StatusCode::BAD_REQUEST, format!("a subscription has many answers: {how}")),
        // A link must never do more than read.
        _ => Refused::method("POST", format!("GET is for queries: {how}")),
    };
    Err(Box::new((refused, request)))
}
