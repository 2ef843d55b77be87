//! Whole cases, told as they would happen.

mod credit;
mod demo;
mod disclosure;
mod friday;
mod marketing;
mod packs;
mod review_environment;
mod transfer;
mod years;
