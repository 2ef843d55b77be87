//! Whole cases, told as they would happen.

mod credit;
mod disclosure;
mod packs;
mod review_environment;
mod transfer;
