# The recipes people use every day. `just` alone lists them.

_default:
    @just --list

# Format and lints
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Every test, on SQLite
test *ARGS:
    cargo test --workspace {{ARGS}}

# The integration tests on a throwaway PostgreSQL cluster
test-postgres *ARGS:
    tests/run --postgres cargo test --workspace --test it {{ARGS}}

# Write the generated files anew; the second run holds them against the code. Look at the difference, then commit it
accept:
    -UPDATE=1 cargo test --workspace --test it contract
    UPDATE=1 cargo test --workspace --test it contract
    git status --short tests/golden schemas

# The server on a local SQLite file
run *ARGS:
    cargo run -p licit-server -- --database-url sqlite://licit.db {{ARGS}}

# Write the API's description anew
openapi:
    cargo run -q -p licit-server -- openapi > target/openapi.json
    mv target/openapi.json schemas/openapi.json

# Make the derived files of the demo again
demo:
    python3 -m venv target/demo-venv
    target/demo-venv/bin/pip install -q -r demo/requirements.txt
    target/demo-venv/bin/python demo/train.py
