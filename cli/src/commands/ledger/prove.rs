//! Proofs of the ledger, verified here: what the server says of its tree follows from the hashes, or does not hold.

use clap::Args;
use licit_schemas::digest::Digest;
use licit_schemas::ledger::{ConsistencyProof, InclusionProof};
use licit_schemas::merkle::{verify_consistency, verify_inclusion};
use serde_json::json;

use super::verify;
use crate::client::{Client, typed};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::output::{style, table};

/// Which entry, in which tree.
#[derive(Debug, Args)]
#[command(
    after_help = "The entry is read and hashed from its data, where the token may read it; then the path of hashes from it must \
lead to the root (RFC 9162 section 2.1.3). Exit code 4 where it does not, or where the root is not the one you kept.

Examples:
  licit ledger prove 1200
  licit ledger prove 1200 --size 1350 --root DIGEST"
)]
pub(crate) struct ProveArgs {
    /// Position of the entry
    seq: u64,
    /// Size of the tree; default: the present one
    #[arg(long, value_name = "ENTRIES")]
    size: Option<u64>,
    /// The root you kept of the tree of that size
    #[arg(long, value_name = "DIGEST", requires = "size")]
    root: Option<Digest>,
}

/// Which trees.
#[derive(Debug, Args)]
#[command(
    after_help = "A head kept elsewhere (`licit ledger head`) and this proof say that nothing before it was changed or taken out since \
(RFC 9162 section 2.1.4). Exit code 4 where that does not hold.

Examples:
  licit ledger consistency --from 1200
  licit ledger consistency --from 1200 --root DIGEST"
)]
pub(crate) struct ConsistencyArgs {
    /// Size of the earlier tree
    #[arg(long, value_name = "ENTRIES")]
    from: u64,
    /// Size of the later tree; default: the present one
    #[arg(long, value_name = "ENTRIES")]
    to: Option<u64>,
    /// The root you kept of the earlier tree; without it, the server's word for it is taken
    #[arg(long, value_name = "DIGEST")]
    root: Option<Digest>,
}

/// Prove that an entry is in a tree.
pub(super) fn inclusion(context: &Context, client: &Client, args: &ProveArgs) -> Result<()> {
    let (seq, size) = (args.seq.to_string(), args.size.map(|size| size.to_string()));
    let answer = client.get("/ledger/proofs/inclusion", &[("seq", Some(&seq)), ("size", size.as_deref())])?;
    let proof: InclusionProof = typed(&answer)?;
    if proof.seq != args.seq || args.size.is_some_and(|size| size != proof.size) {
        return Err(Failure::LedgerBroken("the server proves another entry or tree than it was asked for".to_owned()));
    }
    kept(args.root, proof.root, proof.size)?;
    // Who may not read entries still sees that the leaf is there, but not of what it is.
    let read = match client.get_as::<verify::Received>(&format!("/ledger/entries/{seq}"), &[]) {
        Ok(received) => Some(verify::one(&received, args.seq)?),
        Err(Failure::Problem(problem)) if problem.status == 403 => None,
        Err(failure) => return Err(failure),
    };
    if let Some(leaf) = read.filter(|leaf| *leaf != proof.leaf_hash) {
        let what = format!("entry {seq} has the leaf hash {leaf}, the proof is about {}", proof.leaf_hash);
        return Err(Failure::LedgerBroken(what));
    }
    verify_inclusion(&proof.leaf_hash, args.seq.saturating_sub(1), proof.size, &proof.path, &proof.root)
        .map_err(|e| Failure::LedgerBroken(format!("the proof of entry {seq} does not hold: {e}")))?;
    let whole = json!({"verified": true, "entry_read": read.is_some(), "proof": answer});
    context.answer(&whole, || {
        let holds = style::green(&format!("entry {seq} is in the tree of {} entries", proof.size));
        let of = if read.is_some() { "" } else { " (the entry was not read: this token may not)" };
        let mut rows = vec![("leaf", format!("{}{of}", proof.leaf_hash)), ("root", proof.root.to_string())];
        rows.extend(proof.path.iter().map(|node| ("path", node.to_string())));
        format!("{holds}\n{}", table::facts(&rows))
    });
    Ok(())
}

/// Prove that a tree continues another.
pub(super) fn consistency(context: &Context, client: &Client, args: &ConsistencyArgs) -> Result<()> {
    let (from, to) = (args.from.to_string(), args.to.map(|to| to.to_string()));
    let answer = client.get("/ledger/proofs/consistency", &[("from", Some(&from)), ("to", to.as_deref())])?;
    let proof: ConsistencyProof = typed(&answer)?;
    if proof.from != args.from || args.to.is_some_and(|to| to != proof.to) {
        return Err(Failure::LedgerBroken("the server proves other trees than it was asked for".to_owned()));
    }
    kept(args.root, proof.from_root, proof.from)?;
    verify_consistency(proof.from, &proof.from_root, proof.to, &proof.to_root, &proof.path).map_err(|e| {
        let trees = format!("the tree of {} entries does not continue that of {}", proof.to, proof.from);
        Failure::LedgerBroken(format!("{trees}: {e}"))
    })?;
    context.answer(&json!({"verified": true, "proof": answer}), || {
        let holds = style::green(&format!("the tree of {} entries continues that of {}", proof.to, proof.from));
        let mut rows = vec![("from", proof.from_root.to_string()), ("to", proof.to_root.to_string())];
        rows.extend(proof.path.iter().map(|node| ("path", node.to_string())));
        format!("{holds}\n{}", table::facts(&rows))
    });
    Ok(())
}

/// The root that was kept is the root the server speaks of.
fn kept(kept: Option<Digest>, said: Digest, size: u64) -> Result<()> {
    match kept {
        Some(kept) if kept != said => {
            Err(Failure::LedgerBroken(format!("the root you kept of {size} entries is {kept}, the server says {said}")))
        }
        _ => Ok(()),
    }
}
