//! Refusals in the words clients of `MLflow` know: some of them match on the text.

use serde_json::Value;

use crate::error::Error;

const SEE: &str = "See the API docs for more information about request parameters.";

/// A parameter that does not do.
pub fn parameter(message: impl Into<String>) -> Error {
    Error::foreign(400, "INVALID_PARAMETER_VALUE", message)
}

/// A parameter that is not there.
pub fn missing(name: &str) -> Error {
    parameter(format!("Missing value for required parameter '{name}'. {SEE}"))
}

/// A parameter of another type.
pub fn mistyped(name: &str, value: &Value) -> Error {
    let kind = match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    // What was sent is shown, and not all of it.
    let shown: String = value.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    parameter(format!(
        "Invalid value {shown} for parameter '{name}' supplied:  Hint: Value was of type '{kind}'. {SEE}"
    ))
}

/// There is no such thing.
pub fn none(message: impl Into<String>) -> Error {
    Error::foreign(404, "RESOURCE_DOES_NOT_EXIST", message)
}

/// There is one already.
pub fn exists(message: impl Into<String>) -> Error {
    Error::foreign(400, "RESOURCE_ALREADY_EXISTS", message)
}

/// It is not allowed. Never a status that clients try again by.
pub fn denied(message: impl Into<String>) -> Error {
    Error::foreign(403, "PERMISSION_DENIED", message)
}

/// It does not go with the state something is in.
pub fn state(message: impl Into<String>) -> Error {
    Error::foreign(400, "INVALID_STATE", message)
}

/// Status, code and text of an error on a route of `MLflow`.
pub fn told(error: &Error) -> (u16, &'static str, String) {
    let code = match error {
        Error::Foreign(foreign) => return (foreign.status, foreign.code, foreign.message.clone()),
        Error::Malformed(..) => "BAD_REQUEST",
        Error::Invalid(_) => return (400, "INVALID_PARAMETER_VALUE", sentence(error)),
        Error::Unauthenticated(_) => "UNAUTHENTICATED",
        Error::Forbidden(_) => "PERMISSION_DENIED",
        Error::NotFound(_) | Error::MethodNotAllowed(_) => return (404, "ENDPOINT_NOT_FOUND", sentence(error)),
        Error::Conflict(..) | Error::Refused(_) => "RESOURCE_CONFLICT",
        Error::TooLarge(_) | Error::UnsupportedMediaType(_) => "INVALID_PARAMETER_VALUE",
        Error::KeyReused | Error::PreconditionFailed(_) | Error::PreconditionRequired(_) => "INVALID_PARAMETER_VALUE",
        Error::Unavailable(_) | Error::Busy(_) => "TEMPORARILY_UNAVAILABLE",
        Error::Internal(_) => return (500, "INTERNAL_ERROR", "something broke on our side".to_owned()),
    };
    (error.status(), code, sentence(error))
}

fn sentence(error: &Error) -> String {
    error.to_string()
}
