//! Sending members: batch by batch, each known by number and digest, so that a load that broke off goes on where it was.

use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::subjects::{
    BatchView, LINES, LoadFinish, MemberLoadCreate, MemberLoadView, MembersLoaded, Pseudonym, SubjectKeySpec,
};
use serde_json::Value;

use crate::client::{Client, persistently, typed};
use crate::error::{Failure, Result};

/// A load under way.
pub(crate) struct Load<'a> {
    client: &'a Client,
    path: String,
    had: Vec<BatchView>,
    batches: u32,
    records: u64,
    /// Batches that the server had already.
    pub(crate) resumed: u32,
}

impl<'a> Load<'a> {
    /// Begin, or go on with what broke off.
    pub(crate) fn begin(client: &'a Client, version: &Ref, key: &SubjectKeySpec) -> Result<Self> {
        let create =
            MemberLoadCreate { dataset_version: version.clone(), kid: key.kid.clone(), fingerprint: key.fingerprint };
        let view: MemberLoadView = typed(&persistently(|| client.post("/member-loads", &create))?)?;
        let path = format!("/member-loads/{}", view.id.0);
        Ok(Self { client, path, had: view.batches, batches: 0, records: 0, resumed: 0 })
    }

    /// Send the next batch, unless the server has it.
    pub(crate) fn send(&mut self, members: &[&Pseudonym]) -> Result<()> {
        let mut body = String::with_capacity(members.len() * 64);
        for member in members {
            body.push_str(&format!("\"{member}\"\n"));
        }
        let digest = Digest::of(body.as_bytes());
        self.batches += 1;
        self.records += members.len() as u64;
        match self.had.iter().find(|had| had.number == self.batches) {
            Some(had) if had.digest == digest => {
                self.resumed += 1;
                return Ok(());
            }
            Some(_) => {
                return Err(Failure::plain(
                    "the file is not what it was when the load broke off: `--afresh` gives that load up and begins anew",
                ));
            }
            None => {}
        }
        let (path, digest) = (format!("{}/batches/{}", self.path, self.batches), digest.to_string());
        persistently(|| self.client.send_lines("PUT", &path, &[("digest", Some(&digest))], LINES, body.as_bytes()))?;
        Ok(())
    }

    /// State that all was sent.
    pub(crate) fn finish(self) -> Result<(Value, MembersLoaded)> {
        let stated = LoadFinish { batches: self.batches, records: self.records };
        let answer = persistently(|| self.client.post(&format!("{}/finish", self.path), &stated))?;
        let loaded = typed(&answer)?;
        Ok((answer, loaded))
    }

    /// Give it up with its batches: nothing of it counts.
    pub(crate) fn abandon(&self) -> Result<()> {
        self.client.delete(&self.path).map(|_| ())
    }
}
