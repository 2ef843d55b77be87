-- Not facts: where events are posted and what signs them (erasable), how far each receiver is, and what failed.
CREATE TABLE webhook (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    description TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    position BIGINT NOT NULL,
    claimed_until TIMESTAMP NOT NULL
);

CREATE TABLE webhook_delivery (
    webhook TEXT NOT NULL,
    seq BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at TIMESTAMP NOT NULL,
    status INTEGER NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (webhook, seq)
);
CREATE INDEX webhook_delivery_next ON webhook_delivery (state, next_at);
