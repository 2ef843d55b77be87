//! The one integration-test binary: scenarios over HTTP against the real programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod gate;
