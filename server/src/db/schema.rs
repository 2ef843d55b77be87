//! The tables, the same on both databases; `migrations/{sqlite,postgres}` make them, a test holds all three together.

diesel::table! {
    /// Everything that is registered, decided or said, one row per state: nothing is updated in place but `until_seq`.
    resource (kind, id, since_seq) {
        kind -> Text,
        id -> Text,
        reference -> Text,
        state -> Text,
        name -> Text,
        owner -> Text,
        parent -> Text,
        tags -> Text,
        search -> Text,
        digest -> Text,
        doc -> Text,
        actor -> Text,
        recorded_at -> Timestamp,
        since_seq -> BigInt,
        until_seq -> Nullable<BigInt>,
        valid_from -> Nullable<Timestamp>,
        valid_to -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Lineage edges, from effect to cause.
    lineage_edge (seq, ordinal) {
        seq -> BigInt,
        ordinal -> Integer,
        effect -> Text,
        cause -> Text,
        kind -> Text,
        role -> Text,
        origin -> Text,
    }
}

diesel::table! {
    /// The ledger: append-only by trigger. `entry` is the leaf, `data` what it commits to.
    ledger_entry (seq) {
        seq -> BigInt,
        kind -> Text,
        version -> Integer,
        at -> Timestamp,
        actor -> Text,
        entry -> Text,
        data -> Text,
    }
}

diesel::table! {
    /// Merkle nodes by stored index; append-only by trigger.
    ledger_hash (idx) {
        idx -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    /// One row: the tree. Updating it first is the lock of every write.
    ledger_head (id) {
        id -> Integer,
        size -> BigInt,
        root -> Binary,
    }
}

diesel::table! {
    /// What was signed of the tree; a row without note is promised and not signed yet. Size and root are append-only by trigger.
    ledger_checkpoint (size) {
        size -> BigInt,
        root -> Binary,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    /// Canonical evidence of decisions, compressed, by digest.
    evidence (digest) {
        digest -> Text,
        body -> Binary,
    }
}

diesel::table! {
    /// Erasable: comments. The ledger holds their salted digest.
    note (digest) {
        digest -> Text,
        salt -> Binary,
        text -> Text,
    }
}

diesel::table! {
    /// Erasable: names of actors. The ledger holds their salted digest; of those from before it did, the salt is empty.
    actor_name (actor) {
        actor -> Text,
        name -> Text,
        salt -> Binary,
    }
}

diesel::table! {
    /// Not facts: answers to requests that carried an idempotency key, by the digest of who sent it and what it is.
    idempotency (actor, route, key) {
        actor -> Text,
        route -> Text,
        key -> Text,
        fingerprint -> Text,
        answer -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// Not facts, erasable: where events are posted, what signs them, and how far the receiver is.
    webhook (id) {
        id -> Text,
        url -> Text,
        secret -> Text,
        description -> Text,
        actor -> Text,
        created_at -> Timestamp,
        position -> BigInt,
        claimed_until -> Timestamp,
    }
}

diesel::table! {
    /// Not facts: deliveries that failed. `status` is 0 where nobody answered.
    webhook_delivery (webhook, seq) {
        webhook -> Text,
        seq -> BigInt,
        state -> Text,
        attempts -> Integer,
        next_at -> Timestamp,
        status -> Integer,
        error -> Text,
    }
}

diesel::table! {
    /// Erasable: people by pseudonym, with the salt of what the ledger commits to, under the number that bitmaps hold.
    subject (n) {
        n -> BigInt,
        kid -> Text,
        hash -> Binary,
        salt -> Binary,
    }
}

diesel::table! {
    /// Not facts: loads of members. `batches` and `records` are what was stated when it finished; `touched_at` is when a batch last
    /// came.
    member_load (id) {
        id -> Text,
        dataset_version -> Text,
        scope -> Text,
        kid -> Text,
        actor -> Text,
        created_at -> Timestamp,
        state -> Text,
        batches -> BigInt,
        records -> BigInt,
        touched_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Erasable: what came of a load, as bitmaps of subjects.
    member_batch (member_load, number) {
        member_load -> Text,
        number -> BigInt,
        digest -> Text,
        records -> BigInt,
        root -> Binary,
        members -> Binary,
    }
}

diesel::table! {
    /// Erasable: members of dataset versions, as bitmaps of subjects. The ledger holds count and salted root.
    member_set (dataset_version) {
        dataset_version -> Text,
        member_load -> Text,
        seq -> BigInt,
        members -> Binary,
    }
}

diesel::table! {
    /// Erasable: what people said, under the entry that commits to it. Times are microseconds since 1970.
    consent_record (seq, pos) {
        seq -> BigInt,
        pos -> BigInt,
        lane -> BigInt,
        n -> BigInt,
        said -> SmallInt,
        explicit -> Bool,
        parental -> Bool,
        said_at -> BigInt,
        holds_until -> Nullable<BigInt>,
        invalid_from -> Nullable<BigInt>,
        record_id -> Binary,
        doc -> Text,
    }
}

diesel::table! {
    /// Salted commitments of a batch of records, in order.
    consent_batch (seq) {
        seq -> BigInt,
        leaves -> Binary,
    }
}

diesel::table! {
    /// Not facts, erasable: what stood at a moment, as bitmaps of subjects.
    consent_checkpoint (lane, version, moment) {
        lane -> BigInt,
        version -> BigInt,
        moment -> BigInt,
        until -> BigInt,
        spoken -> Binary,
        stands -> Binary,
        explicit -> Binary,
        parental -> Binary,
    }
}

diesel::table! {
    /// Salted commitments to people who were erased from members.
    erased_leaf (owner, part, leaf) {
        owner -> Text,
        part -> BigInt,
        leaf -> Binary,
    }
}

diesel::table! {
    /// Ids of records that were erased: sent again, they are not recorded.
    erased_record (record_id) {
        record_id -> Binary,
    }
}

diesel::table! {
    /// Erasable, restricted: what erased people said of consent.
    consent_proof (id) {
        id -> Text,
        kid -> Text,
        hash -> Binary,
        doc -> Text,
    }
}

diesel::table! {
    /// Erasable: events of OpenLineage as they came, compressed. The ledger holds the salted digest.
    lineage_event (digest) {
        digest -> Text,
        seq -> BigInt,
        salt -> Binary,
        body -> Binary,
    }
}

diesel::table! {
    /// Not facts, erasable: events of OpenLineage that could not be read.
    lineage_quarantine (id) {
        id -> Text,
        digest -> Text,
        actor -> Text,
        received_at -> Timestamp,
        reason -> Text,
        size -> BigInt,
        body -> Binary,
    }
}
