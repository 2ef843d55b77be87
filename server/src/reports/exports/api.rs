//! Exports over HTTP: read page by page at a fixed position, written into the answer as they come.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use licit_schemas::exports::{ExportFormat, ExportQuery};
use licit_schemas::known::KnownAt;
use licit_schemas::time::Timestamp;
use tokio::sync::mpsc::{Sender, channel};

use super::{Item, Place, Selection, Written, head, items, sections, stated, tail, written};
use crate::db::{Conn, Projection, listing};
use crate::error::{Error, Result};
use crate::facts::Db;
use crate::http::{Ctx, Reply, off_thread};
use crate::lineage::graph::{NodeId, NodeKind};
use crate::resolve::node;

/// How long a reader may leave what it got unread, at once and beyond what it may for what it took.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that a reader takes in a second at least, on the whole: others wait for its turn.
const RATE: u32 = 256 << 10;
/// How long an export may take whatever its reader does.
const LONGEST: Duration = Duration::from_secs(3600);

/// How much longer a reader may keep an export waiting.
struct Patience(Duration);

impl Patience {
    /// What is left when so many bytes were taken after so long: what was taken gives time for what follows, but never more than there was
    /// at the start.
    fn taken(&mut self, bytes: usize, after: Duration) {
        let earned = Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / RATE;
        self.0 = (self.0.saturating_sub(after) + earned).min(PATIENCE);
    }
}

/// Export everything, or one thing with all that is behind it.
pub async fn export(ctx: Ctx) -> Result<Reply> {
    let query: ExportQuery = ctx.query()?;
    let turn = ctx.app.exports.take()?;
    let world = ctx.app.db.known(query.known_at).await?;
    let root = query.of.as_deref().map(|of| node(&world, of, "/of")).transpose()?;
    if let Some(root) = root.filter(|root| world.lineage.graph().node(*root).kind == NodeKind::Party) {
        let name = world.lineage.name(root);
        return Err(Error::invalid("/of", format!("`{name}` is a party: name what it received")));
    }
    // Rows are read as of the world's position: whatever is recorded meanwhile is not seen.
    let moment = match world.position() {
        // Before the first entry there is no time, and yet the same bytes.
        0 => Timestamp::from_naive(chrono::NaiveDateTime::default()),
        position => ctx.app.db.moment(KnownAt::Position(position), ctx.now).await?.1,
    };
    let db = ctx.app.db.clone();
    // Walking everything behind a thing is not for a thread that answers others.
    let selection = db.read(move |_| Ok(Arc::new(Selection::new(world, moment, root)))).await?;
    let (sender, receiver) = channel(4);
    let format = query.format;
    tokio::task::spawn_local(async move {
        let _turn = turn;
        // What was sent ends without its last line then, and no reader takes it for whole.
        match tokio::time::timeout(LONGEST, tell(&db, &sender, selection, format)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "an export ended early"),
            Err(_) => tracing::warn!("an export ended early: it took too long"),
        }
    });
    Ok(Reply::stream("application/json", receiver))
}

async fn tell(db: &Db, sender: &Sender<Vec<u8>>, selection: Arc<Selection>, format: ExportFormat) -> Result<()> {
    let mut patience = Patience(PATIENCE);
    let (own, root) = (selection.clone(), selection.root);
    let begin = db.read(move |conn| {
        let page: Vec<NodeId> = root.into_iter().collect();
        let items = read(conn, &own, &page)?;
        Ok(head(format, &own, items.first()))
    });
    if !said(sender, &mut patience, begin.await?).await {
        return Ok(());
    }
    for section in sections(format) {
        if !said(sender, &mut patience, section.open.to_owned()).await {
            return Ok(());
        }
        let (mut so_far, mut from) = (Written::default(), Some(0));
        while let Some(start) = from {
            let own = selection.clone();
            let page = db.read(move |conn| {
                let (page, next) = own.page(start);
                Ok((Arc::new(read(conn, &own, &page)?), next))
            });
            let (items, next) = page.await?;
            from = next;
            // What follows of a page is more than is held at once: a little of it is made while the last goes out.
            let mut place = Some(Place::default());
            while let Some(at) = place {
                let (own, items) = (selection.clone(), items.clone());
                let some = off_thread(move || {
                    let (text, next) = written(section, &own, &items, at, &mut so_far);
                    Ok((text, next, so_far))
                });
                let (text, next, after) = some.await?;
                (so_far, place) = (after, next);
                if !text.is_empty() && !said(sender, &mut patience, text).await {
                    return Ok(());
                }
            }
        }
        if !said(sender, &mut patience, section.close.to_owned()).await {
            return Ok(());
        }
    }
    said(sender, &mut patience, tail(format).to_owned()).await;
    Ok(())
}

/// The things of a page with what was stated of them.
fn read(conn: &mut Conn, selection: &Selection, page: &[NodeId]) -> Result<Vec<Item>> {
    let mut rows = HashMap::new();
    let names = stated(selection, page);
    for kind in ["dataset_version", "model_version", "run"] {
        let begins = match kind {
            "dataset_version" => "dataset:",
            "model_version" => "model:",
            _ => "run:",
        };
        let own: Vec<String> = names.iter().filter(|name| name.starts_with(begins)).cloned().collect();
        if !own.is_empty() {
            let found = listing::by_references(conn, kind, &own, selection.world.position())?;
            rows.extend(found.into_iter().map(|row| (row.reference.clone(), row)));
        }
    }
    Ok(items(selection, page, rows))
}

/// Whether the reader took it.
async fn said(sender: &Sender<Vec<u8>>, patience: &mut Patience, text: String) -> bool {
    if text.is_empty() {
        return true;
    }
    let (bytes, begun) = (text.len(), tokio::time::Instant::now());
    let took = matches!(tokio::time::timeout(patience.0, sender.send(text.into_bytes())).await, Ok(Ok(())));
    patience.taken(bytes, begun.elapsed());
    took
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_slowly_on_the_whole_gives_its_turn_back() {
        let chunk = 256 << 10;
        let mut slow = Patience(PATIENCE);
        for _ in 0..4 {
            slow.taken(chunk, Duration::from_secs(10));
        }
        assert!(slow.0 < Duration::from_secs(10), "each chunk within thirty seconds is not enough: {:?}", slow.0);
        let mut steady = Patience(PATIENCE);
        for _ in 0..1000 {
            steady.taken(chunk, Duration::from_millis(900));
        }
        assert_eq!(steady.0, PATIENCE, "and what was read fast is no credit without end");
    }
}
