//! Whole cases, told as they would happen.

mod credit;
mod transfer;
