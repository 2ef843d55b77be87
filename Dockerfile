# syntax=docker/dockerfile:1
# The build stage and the runtime stage must be of the same Debian release: the programs link its libc.
ARG RUST=rust:1-slim-bookworm
ARG RUNTIME=debian:bookworm-slim

FROM ${RUST} AS build
WORKDIR /src
COPY . .
# Downloads and compiled dependencies stay in the builder's caches: a change of our own code compiles our own code.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p licit-server \
    && cargo build --profile slim --locked -p licit-cli \
    && mkdir -p /out/data \
    && cp target/release/licit-server target/slim/licit /out/

FROM ${RUNTIME}
COPY --from=build /out/licit-server /out/licit /usr/local/bin/
COPY LICENSE NOTICE /usr/share/doc/licit/
# An empty directory that the user of the image may write: SQLite's file lives in a volume.
COPY --from=build --chown=65534:65534 /out/data /data
USER 65534:65534
VOLUME /data
WORKDIR /data
EXPOSE 8700
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/usr/local/bin/licit-server", "health"]
ENTRYPOINT ["/usr/local/bin/licit-server"]
# Beyond its own machine the server speaks behind a proxy that has TLS.
ENV LICIT_DATABASE_URL=sqlite:///data/licit.db LICIT_LISTEN=0.0.0.0:8700 LICIT_BEHIND_PROXY=true
