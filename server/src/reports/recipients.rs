//! Who received what came of something: the list that people are told (GDPR Art. 15(1)(c)), and whom to tell of a correction or an
//! erasure (Art. 19). Pure.

use licit_schemas::reference::Ref;
use licit_schemas::reports::{Recipient, Recipients};

use super::impact::{arriving, nodes, ways};
use crate::db::Projection;
use crate::facts::World;
use crate::gate::envelope::reach;
use crate::lineage::exposure::CONTAINED;
use crate::lineage::walk::{Direction, PathTree, closure};

/// Every disclosure of something downstream, over or not; none when nothing of that name is known. No assessment cuts here: whom to
/// tell is asked of what was handed over, whatever is believed of it today.
pub fn recipients(world: &World, reference: &Ref) -> Option<Recipients> {
    let name = reference.to_string();
    let seeds = nodes(world, &name);
    if seeds.is_empty() {
        return None;
    }
    let (graph, lineage) = (world.lineage.graph(), &world.lineage);
    let reached: Vec<_> = closure(graph, &seeds, Direction::Downstream).iter().map(|r| r.node).collect();
    let paths = PathTree::new(graph, &seeds, Direction::Downstream, |_| true);
    let ways = ways(graph, &seeds, &reached);
    let mut items = Vec::new();
    for disclosed in world.registry.disclosed() {
        let Some(release) = lineage.find(&disclosed.release) else { continue };
        let Some(mut path) = paths.path_to(release) else { continue };
        path.extend(lineage.find(&disclosed.to));
        let modes = ways.get(&release).map_or(0, |ways| arriving(*ways, CONTAINED));
        let party = world.registry.parties.latest(&disclosed.to).map(|party| &party.spec);
        items.push(Recipient {
            party: disclosed.to.to_string(),
            name: party.map(|party| party.name.to_string()).unwrap_or_default(),
            region: party.and_then(|party| party.region.clone()),
            how: reach(modes).into_iter().map(str::to_owned).collect(),
            since: disclosed.since,
            until: disclosed.until,
            release: disclosed.release.to_string(),
            purpose: disclosed.purpose.clone(),
            bases: disclosed.bases.clone(),
            controller: disclosed.controller.clone(),
            path: path.into_iter().map(|node| lineage.name(node).to_string()).collect(),
        });
    }
    items.sort_by(|one, other| (&one.party, one.since, &one.release).cmp(&(&other.party, other.since, &other.release)));
    Some(Recipients { r#ref: name, position: world.position(), items })
}
