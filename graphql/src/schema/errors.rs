//! What can go wrong in an answer, with the code that clients see: one type, mapped in one place.

use async_graphql::{Error, ErrorExtensions, Pos, ServerError};
use schema::store::StoreError;
use std::borrow::Cow;

/// An error as a client sees it: never a word of what is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// The request asks for something that cannot be; the text says what and what would be right.
    BadUserInput(String),
    /// A cursor that was not given out for this list.
    BadCursor,
    /// A cursor of the live feed behind which the server does not hold what came, or none of the feed.
    PlaceNotHeld,
    /// The request asks for more than one request may; the text says how much that is.
    LimitExceeded(String),
    /// No answer within the seconds that a request may take.
    Timeout(u64),
    /// Others ask so much just now that there is no room for it.
    Busy,
    /// The store does not answer just now.
    Unavailable,
    /// What brings stored pages to the live feed does not answer just now.
    FeedUnavailable,
    /// Our fault; the log says more.
    Internal,
}

impl ApiError {
    /// The value of `extensions.code`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::BadUserInput(_) => "BAD_USER_INPUT",
            Self::BadCursor | Self::PlaceNotHeld => "BAD_CURSOR",
            Self::LimitExceeded(_) => "LIMIT_EXCEEDED",
            Self::Timeout(_) => "TIMEOUT",
            Self::Busy | Self::Unavailable | Self::FeedUnavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// What a person reads.
    pub(crate) fn message(&self) -> Cow<'_, str> {
        match self {
            Self::BadUserInput(text) | Self::LimitExceeded(text) => text.into(),
            Self::BadCursor => "the cursor does not belong to this list under this range and filter; begin without one".into(),
            Self::PlaceNotHeld => {
                "the server does not hold what came behind this cursor, or it is none of the live feed; go on with since".into()
            }
            Self::Timeout(seconds) => format!("the request took longer than {seconds} s; ask for less").into(),
            Self::Busy => "too much is asked at this moment; try again a little later".into(),
            Self::Unavailable => "the store does not answer just now; try again".into(),
            Self::FeedUnavailable => "the live feed's bus does not answer just now; try again with the same cursor".into(),
            Self::Internal => "something went wrong on our side; the log has it under the request id".into(),
        }
    }

    /// Nobody can listen just now who does not yet.
    pub(crate) fn too_many_listen() -> Self {
        Self::LimitExceeded("too many listen already; try again later".into())
    }

    /// As the error of a whole request: it has no place in the document.
    pub(crate) fn of_request(self) -> ServerError {
        let mut error = Error::from(self).into_server_error(Pos::default());
        error.locations.clear();
        error
    }
}

/// Logged here and nowhere else.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(why) => {
                tracing::warn!(why, "store unavailable");
                Self::Unavailable
            }
            StoreError::Corrupt(why) | StoreError::Unsupported(why) => {
                tracing::error!(why, "store cannot answer");
                Self::Internal
            }
        }
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Error::new(error.message()).extend_with(|_, extensions| extensions.set("code", error.code()))
    }
}

/// The error of a value that is not what its argument wants.
pub(crate) fn bad_input(text: impl Into<String>) -> ApiError {
    ApiError::BadUserInput(text.into())
}
