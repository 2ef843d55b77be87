//! What holds between the parts: generated files, the table of routes, the layers, the migrations, the facts.

mod facts;
mod help;
mod json_schemas;
mod layering;
mod migrations;
mod openapi;
mod routes;
