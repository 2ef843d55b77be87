//! What stays of somebody who is erased where a training began without their consent, or holds what they objected to: a count.
//! Erasing repairs no training: the finding goes when it is done anew, or on a corrected member set (GDPR Art. 5(2), 7(1), 17(1)(c)).

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use licit_schemas::consent::Family;
use licit_schemas::consent::history::{Standing, Word, standing};
use licit_schemas::lawfulness::{Exception, LegalBasis, Stage};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::subjects::Pseudonym;
use licit_schemas::time::Timestamp;

use super::children::{self, Children};
use super::consented::Will;
use super::coverage::Question;
use super::suppression::may_object;
use crate::consent::Trained;
use crate::consent::erase::{Lacked, Objection, Wrong};
use crate::db::people::{Form, How, LaneAt, Wanted};
use crate::error::Result;
use crate::facts::{Tx, World};
use crate::lawfulness::is_marketing;
use crate::lineage::graph::{Flags, NodeKind};
use crate::lineage::walk::{Direction, closure};
use crate::registry::{RunFacts, What};
use crate::resolve::parse;

/// Trainings that began without a person's consent or against their objection, where a basis that may govern asks for that, or while
/// their data were restricted, each with the members they were among.
///
/// # Errors
/// What the database said.
pub fn lacked(tx: &mut Tx<'_>, who: &Pseudonym) -> Result<Vec<Lacked>> {
    let Some(person) = tx.somebody(who)? else { return Ok(Vec::new()) };
    let n = person.n;
    let world = tx.world().clone();
    let own: BTreeSet<String> = world.people.sets_with(n).into_iter().collect();
    let (mut said, mut found) = (HashMap::new(), BTreeSet::new());
    for name in own.iter().filter(|name| parse(name).is_ok_and(|reference| reference.kind() == Kind::Dataset)) {
        for (run, facts) in trainings(&world, name) {
            for form in asked(&world, name, facts) {
                let set = key(&world, name, facts, form);
                let Some(members) = own.get(&set).and_then(|set| world.people.members(set)) else { continue };
                let key = (members.id, run.clone(), Wrong::Unasked(form));
                if found.contains(&key) {
                    continue;
                }
                let at = facts.started_at;
                let wanted = Will::new(&world, &facts.purpose, None, form, at).wanted(&world, at);
                let stood = stood(tx, &mut said, n, &wanted, at)?;
                if !stood.stands || (form.explicit && !stood.explicit) || (form.parental && !stood.parental) {
                    found.insert(key);
                }
            }
            let set = key(&world, name, facts, Form::default());
            let Some(members) = own.get(&set).and_then(|set| world.people.members(set)) else { continue };
            let mut against = |will: &Will| against(tx, &world, &mut said, n, will, facts.started_at);
            if may_be_objected_to(&world, facts) && against(&Will::no_objection(&world, &facts.purpose))? {
                found.insert((members.id, run.clone(), Wrong::Objected));
            }
            if against(&Will::unrestricted(&facts.purpose))? {
                found.insert((members.id, run.clone(), Wrong::Restricted));
            }
        }
    }
    let each = found.into_iter().map(|(members, run, wrong)| {
        let Form { explicit, parental } = if let Wrong::Unasked(form) = wrong { form } else { Form::default() };
        let (objecting, restricted) = (wrong == Wrong::Objected, wrong == Wrong::Restricted);
        Ok(Lacked { members, run: parse(&run)?, explicit, parental, objecting, restricted })
    });
    each.collect()
}

/// What a person objects to, in all that is done with their data: objections to a channel alone are about being contacted.
///
/// # Errors
/// What the database said.
pub fn objected(tx: &mut Tx<'_>, who: &Pseudonym) -> Result<Vec<Objection>> {
    let Some(person) = tx.somebody(who)? else { return Ok(Vec::new()) };
    let (n, now) = (i64::from(person.n), tx.now().micros());
    let lanes = tx.world().consent.lanes.clone();
    let mut found = Vec::new();
    for (lane, whole) in lanes.of(Family::Objection).into_iter().filter(|(lane, _)| lane.channel.is_none()) {
        let words = tx.words(&[n], whole)?.remove(&n).unwrap_or_default();
        let stood = standing(&words, now);
        // Of an objection, *explicit* says that its author did not withdraw it.
        if stood.explicit || stood.stands {
            let purpose = lane.purpose.as_deref().map(parse).transpose()?;
            found.push(Objection { purpose, overridden: !stood.stands });
        }
    }
    Ok(found)
}

/// Trainings that read a dataset version, or what was made of it.
fn trainings<'w>(world: &'w World, name: &str) -> Vec<(String, &'w RunFacts)> {
    let (lineage, graph) = (&world.lineage, world.lineage.graph());
    let Some(node) = lineage.find(name) else { return Vec::new() };
    let trains = |node| {
        let known = graph.node(node);
        known.kind == NodeKind::Run && known.flags.has(Flags::TRAINS)
    };
    let runs = closure(graph, &[node], Direction::Downstream).into_iter().map(|reached| reached.node);
    let facts = runs.filter(|node| trains(*node)).filter_map(|node| {
        let name = lineage.name(node).to_string();
        match world.registry.held(&name).map(|held| &held.what) {
            Some(What::Run(facts)) => Some((name, facts)),
            _ => None,
        }
    });
    facts.collect()
}

/// In which forms people may be asked for a training. In none, where no basis for its purpose is consent.
fn asked(world: &World, name: &str, run: &RunFacts) -> Vec<Form> {
    let controller = run.controller.as_ref().map(Ref::to_string).unwrap_or_default();
    let question = Question::new(world, &run.purpose, Stage::Training, &controller, run.started_at);
    let bases = || question.candidates.iter().map(|candidate| &candidate.revision.spec);
    let explicit = bases().any(|basis| basis.exception == Some(Exception::Art9_2A));
    let consent = bases().any(|basis| basis.legal_basis == LegalBasis::Art6_1A);
    let class = world.lineage.find(name).map(|node| world.lineage.class(node));
    let children = class.is_some_and(|class| children::of(class) == Children::All);
    let kinds = [(consent, false), (explicit, true)].into_iter().filter(|(asks, _)| *asks);
    let each = kinds.flat_map(|(_, explicit)| [false, true].map(|parental| Form { explicit, parental }));
    each.filter(|form| children || !form.parental).collect()
}

/// Whether a training may rest on what people may object to.
fn may_be_objected_to(world: &World, run: &RunFacts) -> bool {
    let controller = run.controller.as_ref().map(Ref::to_string).unwrap_or_default();
    let question = Question::new(world, &run.purpose, Stage::Training, &controller, run.started_at);
    question.candidates.iter().any(|candidate| may_object(&candidate.revision.spec))
        || is_marketing(world, run.purpose.base())
}

/// Whether a person was against something at a moment: had objected, or had their data restricted.
fn against(
    tx: &mut Tx<'_>,
    world: &World,
    said: &mut HashMap<u32, Vec<Word>>,
    n: u32,
    will: &Will,
    at: Timestamp,
) -> Result<bool> {
    let wanted = will.wanted(world, at);
    for lane in wanted.chains.iter().flatten() {
        let stood = standing(words_of(tx, said, n, *lane)?, at.micros());
        // Of an objection, *explicit* says that its author did not withdraw it.
        if if wanted.how == How::Whatever { stood.explicit } else { stood.stands } {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The name of the members a training is asked for: of the corrected set it names, or all of the version.
fn key(world: &World, name: &str, run: &RunFacts, form: Form) -> String {
    let trained = Trained { purpose: &run.purpose, at: run.started_at, form };
    let set = run.member_sets.iter().find_map(|id| world.consent.corrected_set(*id, name, &trained));
    set.unwrap_or_else(|| name.to_owned())
}

/// What of a person stood at a moment: of each chain the nearest word decides, and every chain must allow.
fn stood(
    tx: &mut Tx<'_>,
    said: &mut HashMap<u32, Vec<Word>>,
    n: u32,
    wanted: &Wanted,
    at: Timestamp,
) -> Result<Standing> {
    let mut all = Standing { spoken: true, stands: true, explicit: true, parental: true };
    for chain in &wanted.chains {
        let mut nearest = Standing::default();
        for lane in chain {
            nearest = standing(words_of(tx, said, n, *lane)?, at.micros());
            if nearest.spoken {
                break;
            }
        }
        all.stands &= nearest.stands;
        all.explicit &= nearest.explicit;
        all.parental &= nearest.parental;
    }
    Ok(all)
}

/// What a person said of one thing, looked up once.
fn words_of<'s>(tx: &mut Tx<'_>, said: &'s mut HashMap<u32, Vec<Word>>, n: u32, lane: LaneAt) -> Result<&'s [Word]> {
    Ok(match said.entry(lane.lane) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(free) => {
            // All of it: what was recorded after the version of a moment does not matter at that moment.
            let (n, whole) = (i64::from(n), LaneAt { version: u64::MAX, ..lane });
            free.insert(tx.words(&[n], whole)?.remove(&n).unwrap_or_default())
        }
    })
}
