//! What a Kafka error means to the caller.

use crate::bus::BusError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Waiting mends all but what [`is_permanent`] names.
pub(super) fn bus_error(error: KafkaError) -> BusError {
    let is_hopeless = error.rdkafka_error_code().is_some_and(is_permanent)
        || matches!(error, KafkaError::ClientConfig(..) | KafkaError::MessageConsumptionFatal(_));
    if is_hopeless { BusError::Unsupported(error.to_string()) } else { BusError::Unavailable(error.to_string()) }
}

/// The same of what was done with `topic`: of missing rights it says which.
pub(super) fn topic_error(topic: &str, error: KafkaError) -> BusError {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::TopicAuthorizationFailed) => no_right(&format!("to use the topic {topic}")),
        Some(Code::GroupAuthorizationFailed) => no_right(&format!("to join the consumer group that reads {topic}")),
        _ => bus_error(error),
    }
}

/// What only the cluster's administrator can mend.
pub(super) fn no_right(to: &str) -> BusError {
    BusError::Unsupported(format!("this user has no right {to} on Kafka: grant it, or correct --bus"))
}

/// Missing rights, a record that no broker takes, a client that gave up.
pub(super) fn is_permanent(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::Fatal
            | Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::MessageSizeTooLarge
            | Code::InvalidMessageSize
            | Code::InvalidTopic
            | Code::PolicyViolation
            | Code::UnsupportedVersion
    )
}
