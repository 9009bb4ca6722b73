//! What the parser says, in one sentence.

use async_graphql::ServerError;
use async_graphql::parser;

/// The parser draws a picture of the place over several lines, and names its own rules; the place is in `locations`.
pub(super) fn in_one_sentence(error: parser::Error) -> ServerError {
    let said = error.to_string();
    let why = said.lines().filter_map(|line| line.trim_start().strip_prefix("= ")).next_back();
    let sentence = match (why, error.positions().next()) {
        (Some(why), Some(at)) => {
            format!("syntax error in line {}, column {}: {}", at.line, at.column, why.replace('_', " "))
        }
        _ => said.trim_end_matches('.').to_owned(),
    };
    ServerError { message: sentence, ..ServerError::from(error) }
}
