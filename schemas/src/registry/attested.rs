//! What was observed of a provider's service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::reference::Ref;
use crate::text::{Country, Name};
use crate::time::Timestamp;

/// What answered when an endpoint was called. It has no bytes to hash: that it still is what was admitted must be observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestationSpec {
    /// The model version of kind `endpoint`; without `@version` the latest registered, stored pinned.
    pub model: Ref,
    /// Dated snapshot the service said it answers with.
    pub snapshot: Name,
    /// Where it computed.
    pub region: Country,
    /// Digest of the configuration sent with the call.
    pub configuration_digest: Digest,
    /// When it was observed; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}
