//! Foreign protocols: they are translated into the same graph, tables and words as the native API, and own nothing but what their
//! protocol alone needs.

pub mod mlflow;
pub mod openlineage;
