//! `licit`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    licit_cli::main()
}
