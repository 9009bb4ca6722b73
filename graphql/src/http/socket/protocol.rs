//! The messages of graphql-transport-ws, and the codes that close a connection
//! (github.com/enisdenjo/graphql-ws, PROTOCOL.md).

use crate::http::request::Wire;
use async_graphql::{Response as Answer, ServerError};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use tokio_tungstenite::tungstenite::Error as SocketError;

/// The subprotocol's name.
pub(in crate::http) const PROTOCOL: &str = "graphql-transport-ws";

/// The longest name of an operation; it is in each of its answers.
const MAX_ID_BYTES: usize = 256;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    /// Introduces itself.
    ConnectionInit {
        /// What is said besides.
        #[serde(rename = "payload")]
        _payload: Said,
    },
    /// Asks whether we are there.
    Ping {
        /// What is said besides.
        #[serde(rename = "payload")]
        _payload: Said,
    },
    /// Is there.
    Pong {
        /// What is said besides.
        #[serde(rename = "payload")]
        _payload: Said,
    },
    /// Begins an operation.
    Subscribe {
        /// Its name.
        id: String,
        /// The request.
        #[serde(deserialize_with = "wire")]
        payload: Wire,
    },
    /// Ends an operation.
    Complete {
        /// Its name.
        id: String,
    },
}

/// An object, which means nothing here; anything else is no message of the protocol.
type Said = Option<Map<String, Value>>;

/// A request, which is an object: an array would be read as its fields in order.
fn wire<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Wire, D::Error> {
    let object = Map::deserialize(deserializer)?;
    Wire::deserialize(Value::Object(object)).map_err(D::Error::custom)
}

/// What a client hears.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToClient<'a> {
    /// The introduction is accepted.
    ConnectionAck,
    /// We are there.
    Pong,
    /// An answer.
    Next {
        /// The operation.
        id: &'a str,
        /// The answer.
        payload: &'a Answer,
    },
    /// The operation was not executed.
    Error {
        /// The operation.
        id: &'a str,
        /// Why.
        payload: &'a [ServerError],
    },
    /// The operation has ended.
    Complete {
        /// The operation.
        id: &'a str,
    },
}

/// The text of [`ToClient::Next`] around an answer that is JSON already.
pub(super) fn next(id: &str, payload: &str) -> String {
    let id = serde_json::to_string(id).expect("text is JSON");
    format!(r#"{{"type":"next","id":{id},"payload":{payload}}}"#)
}

/// Why a connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The client left.
    Gone,
    /// The client answers nothing, or takes nothing.
    Silent,
    /// The server stops.
    GoingAway,
    /// Not a message of the protocol.
    BadMessage(String),
    /// Bytes that are no frames of a WebSocket.
    NoFrames,
    /// Text that is not UTF-8.
    NoText,
    /// A message larger than any that is read.
    TooLarge,
    /// An operation before the introduction.
    Unauthorized,
    /// No introduction in time.
    InitTimeout,
    /// An operation's name is in use.
    Duplicate(String),
    /// A second introduction.
    SecondInit,
    /// More operations than one connection may have.
    TooManyOperations,
}

impl Close {
    /// The code of the close frame.
    pub(super) fn code(&self) -> u16 {
        match self {
            Self::Gone => 1000,
            // Not 1000: a client that is there after all knows that it was not what ended it.
            Self::GoingAway | Self::Silent => 1001,
            Self::NoFrames => 1002,
            Self::NoText => 1007,
            Self::TooLarge => 1009,
            Self::BadMessage(_) => 4400,
            Self::Unauthorized => 4401,
            Self::InitTimeout => 4408,
            Self::Duplicate(_) => 4409,
            Self::SecondInit | Self::TooManyOperations => 4429,
        }
    }

    /// The reason of the close frame: at most 123 bytes.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Gone => String::new(),
            Self::GoingAway => "the server stops".into(),
            Self::Silent => "nothing was heard for a minute".into(),
            Self::NoFrames => "not a frame of a WebSocket".into(),
            Self::NoText => "text is UTF-8".into(),
            Self::TooLarge => "the message is too large".into(),
            Self::BadMessage(why) => short(why),
            Self::Unauthorized => "Unauthorized".into(),
            Self::InitTimeout => "Connection initialisation timeout".into(),
            Self::Duplicate(id) => short(&format!("Subscriber for {id} already exists")),
            Self::SecondInit => "Too many initialisation requests".into(),
            Self::TooManyOperations => "Too many operations".into(),
        }
    }
}

/// Of what the WebSocket itself cannot read: its standard has the codes (RFC 6455, section 7.4.1).
impl From<axum::Error> for Close {
    fn from(error: axum::Error) -> Self {
        match error.into_inner().downcast_ref() {
            Some(SocketError::Capacity(_)) => Self::TooLarge,
            Some(SocketError::Utf8(_)) => Self::NoText,
            Some(SocketError::Protocol(_)) => Self::NoFrames,
            _ => Self::Gone,
        }
    }
}

fn short(text: &str) -> String {
    text[..text.floor_char_boundary(120)].into()
}

/// A client's message.
pub(super) fn parse(text: &str) -> Result<FromClient, Close> {
    let is_object = text.trim_start().starts_with('{');
    let parsed = if is_object { serde_json::from_str(text).ok() } else { None };
    let is_named = |message: &FromClient| match message {
        FromClient::Subscribe { id, .. } => (1..=MAX_ID_BYTES).contains(&id.len()),
        _ => true,
    };
    parsed.filter(is_named).ok_or_else(|| Close::BadMessage("not a message of graphql-transport-ws".into()))
}
