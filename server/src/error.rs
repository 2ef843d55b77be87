//! What can go wrong, and the one table from that to HTTP.

use licit_schemas::gate::Decision;
use licit_schemas::problem::{Fault, Problem};

/// Result of an operation.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in an operation.
#[derive(Clone, Debug)]
pub enum Error {
    /// Not JSON, or not a request we understand.
    Malformed(String, Vec<Fault>),
    /// No or no valid token.
    Unauthenticated(String),
    /// A valid token that does not allow this.
    Forbidden(String),
    /// No such thing.
    NotFound(String),
    /// The method is not offered here.
    MethodNotAllowed(String),
    /// It contradicts what is there.
    Conflict(String, Vec<Fault>),
    /// The gate refused.
    Refused(Box<Decision>),
    /// `If-Match` names another state.
    PreconditionFailed(String),
    /// The body exceeds the limit of its route.
    TooLarge(String),
    /// The body is not JSON by its content type.
    UnsupportedMediaType(String),
    /// Understood, but wrong: each fault by pointer.
    Invalid(Vec<Fault>),
    /// The key was used for another request.
    KeyReused,
    /// `If-Match` is needed here.
    PreconditionRequired(String),
    /// The server cannot answer now.
    Unavailable(String),
    /// The server chose not to answer now: it has enough to do, or is stopping.
    Busy(String),
    /// What a foreign protocol says in its own words.
    Foreign(Box<Foreign>),
    /// Our fault; the text stays in the log.
    Internal(String),
}

/// An error of a foreign protocol.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// HTTP status.
    pub status: u16,
    /// Its code there.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

impl Error {
    /// One fault at a JSON pointer.
    pub fn invalid(pointer: &str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(pointer, detail)])
    }

    /// A conflict without pointers.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::Conflict(detail.into(), Vec::new())
    }

    /// What a foreign protocol says.
    pub fn foreign(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self::Foreign(Box::new(Foreign { status, code, message: message.into() }))
    }

    /// Put a prefix before the pointers, for items of a larger document.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        let shift = |faults: Vec<Fault>| {
            faults
                .into_iter()
                .map(|f| Fault { pointer: format!("#{prefix}{}", f.pointer.trim_start_matches('#')), ..f })
                .collect()
        };
        match self {
            Self::Invalid(faults) => Self::Invalid(shift(faults)),
            Self::Conflict(detail, faults) => Self::Conflict(detail, shift(faults)),
            other => other,
        }
    }

    /// The same error, owned: actix keeps its own behind a reference.
    #[must_use]
    pub fn copy(&self) -> Self {
        self.clone()
    }

    /// HTTP status, kind and title: the whole table.
    fn row(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Malformed(..) => (400, "malformed", "the request is malformed"),
            Self::Unauthenticated(_) => (401, "unauthenticated", "a valid token is needed"),
            Self::Forbidden(_) => (403, "forbidden", "the token does not allow this"),
            Self::NotFound(_) => (404, "not-found", "there is no such thing"),
            Self::MethodNotAllowed(_) => (405, "method-not-allowed", "the method is not offered here"),
            Self::Conflict(..) => (409, "conflict", "it contradicts what is registered"),
            Self::Refused(_) => (409, "refused", "the gate refused"),
            Self::PreconditionFailed(_) => (412, "precondition-failed", "it changed in the meantime"),
            Self::TooLarge(_) => (413, "too-large", "the body is too large"),
            Self::UnsupportedMediaType(_) => (415, "unsupported-media-type", "the body is of another content type"),
            Self::Invalid(_) => (422, "invalid", "the document has faults"),
            Self::KeyReused => (422, "idempotency-key-reused", "the idempotency key was used for another request"),
            Self::PreconditionRequired(_) => (428, "precondition-required", "a precondition is needed"),
            Self::Unavailable(_) | Self::Busy(_) => (503, "unavailable", "the registry cannot answer now"),
            Self::Foreign(foreign) => (foreign.status, "foreign", "a foreign protocol says so"),
            Self::Internal(_) => (500, "internal", "something broke on our side"),
        }
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.row().0
    }

    /// The problem document (RFC 9457).
    pub fn problem(self, instance: Option<String>) -> Problem {
        let (status, kind, title) = self.row();
        let mut problem = Problem {
            r#type: format!("urn:licit:problem:{kind}"),
            title: title.to_owned(),
            status,
            detail: None,
            instance,
            errors: Vec::new(),
            decision: None,
        };
        match self {
            Self::Malformed(detail, errors) | Self::Conflict(detail, errors) => {
                problem.detail = Some(detail);
                problem.errors = errors;
            }
            Self::Unauthenticated(detail)
            | Self::Forbidden(detail)
            | Self::NotFound(detail)
            | Self::MethodNotAllowed(detail)
            | Self::PreconditionFailed(detail)
            | Self::TooLarge(detail)
            | Self::UnsupportedMediaType(detail)
            | Self::PreconditionRequired(detail)
            | Self::Unavailable(detail)
            | Self::Busy(detail) => problem.detail = Some(detail),
            Self::Invalid(errors) => {
                problem.detail = errors.first().map(|f| format!("{}: {}", f.pointer, f.detail));
                problem.errors = errors;
            }
            Self::Refused(decision) => {
                let blocking = decision.findings.iter().filter(|f| f.blocking).count();
                problem.detail = Some(format!(
                    "{blocking} finding(s) refuse `{}`; each names who can clear it and how",
                    decision.release.as_deref().unwrap_or(&decision.deployment)
                ));
                problem.decision = Some(decision);
            }
            Self::KeyReused => {
                problem.detail = Some("use a new Idempotency-Key for a new request".to_owned());
            }
            Self::Foreign(foreign) => problem.detail = Some(foreign.message),
            Self::Internal(_) => {}
        }
        problem
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Internal(detail) => write!(f, "internal error: {detail}"),
            Self::Invalid(faults) => {
                let list: Vec<String> = faults.iter().map(|x| format!("{}: {}", x.pointer, x.detail)).collect();
                write!(f, "invalid: {}", list.join("; "))
            }
            Self::Malformed(d, _) | Self::Conflict(d, _) => f.write_str(d),
            Self::Unauthenticated(d)
            | Self::Forbidden(d)
            | Self::NotFound(d)
            | Self::MethodNotAllowed(d)
            | Self::PreconditionFailed(d)
            | Self::TooLarge(d)
            | Self::UnsupportedMediaType(d)
            | Self::PreconditionRequired(d)
            | Self::Unavailable(d)
            | Self::Busy(d) => f.write_str(d),
            Self::Foreign(foreign) => f.write_str(&foreign.message),
            Self::Refused(_) | Self::KeyReused => f.write_str(self.row().2),
        }
    }
}

impl std::error::Error for Error {}

impl From<diesel::result::Error> for Error {
    /// A lost connection is nobody's fault, and the next request gets another. What else a caller did not foresee is our fault:
    /// the text goes to the log, not to the client.
    fn from(e: diesel::result::Error) -> Self {
        use diesel::result::DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
        use diesel::result::Error::{BrokenTransactionManager, DatabaseError};
        match e {
            DatabaseError(ClosedConnection | UnableToSendCommand, _) | BrokenTransactionManager => {
                Self::Unavailable("the connection to the database was lost, try again in a moment".to_owned())
            }
            other => Self::Internal(format!("database: {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_each_error() {
        let s = String::new;
        let table = [
            (Error::Malformed(s(), vec![]), 400),
            (Error::Unauthenticated(s()), 401),
            (Error::Forbidden(s()), 403),
            (Error::NotFound(s()), 404),
            (Error::MethodNotAllowed(s()), 405),
            (Error::Conflict(s(), vec![]), 409),
            (Error::PreconditionFailed(s()), 412),
            (Error::TooLarge(s()), 413),
            (Error::UnsupportedMediaType(s()), 415),
            (Error::Invalid(vec![]), 422),
            (Error::KeyReused, 422),
            (Error::PreconditionRequired(s()), 428),
            (Error::Internal("secret".into()), 500),
            (Error::Unavailable(s()), 503),
            (Error::Busy(s()), 503),
        ];
        for (error, status) in table {
            assert_eq!(error.status(), status);
            assert_eq!(error.problem(None).status, status);
        }
    }

    #[test]
    fn internal_text_stays_inside() {
        let problem = Error::Internal("password=hunter2".into()).problem(None);
        assert!(!serde_json::to_string(&problem).unwrap().contains("hunter2"));
    }
}
