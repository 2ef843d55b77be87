//! The server's program.

fn main() -> std::process::ExitCode {
    licit_server::cli::main()
}
