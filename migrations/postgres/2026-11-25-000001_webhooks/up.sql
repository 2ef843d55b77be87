-- Not facts: where events are posted and what signs them (erasable), how far each receiver is, and what failed.
CREATE TABLE webhook (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    url TEXT COLLATE "C" NOT NULL,
    secret TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP NOT NULL,
    position BIGINT NOT NULL,
    claimed_until TIMESTAMP NOT NULL
);

CREATE TABLE webhook_delivery (
    webhook TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempts INTEGER NOT NULL,
    next_at TIMESTAMP NOT NULL,
    status INTEGER NOT NULL,
    error TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (webhook, seq)
);
CREATE INDEX webhook_delivery_next ON webhook_delivery (state, next_at);
