//! What is said of nodes after they were registered: their life, assessments, retirement.

use std::sync::Arc;

use licit_schemas::registry::Life;

use super::graph::{EdgeKind, Flags, Half, Node, NodeId};
use super::{ASSESSED, State};
use crate::registry::{Held, LifeChanged, What};

impl State {
    /// Fold a change of life in.
    pub fn life(&mut self, fact: &LifeChanged, held: Option<&Arc<Held>>) {
        let Some(id) = self.find(&fact.reference.to_string()) else { return };
        let mut node = self.graph.node(id);
        node.flags = node.flags.without(Flags::ERASED).without(Flags::RESTRICTED);
        // At whatever moment: which life counts is asked where the walk meets the flag.
        if let Some(What::Dataset(facts)) = held.map(|held| &held.what) {
            for (_, life) in &facts.lives {
                node.flags = match life {
                    Life::Held => node.flags,
                    Life::Restricted => node.flags.with(Flags::RESTRICTED),
                    Life::Erased => node.flags.with(Flags::ERASED),
                };
            }
        }
        self.graph.set_node(id, node);
        if let (Some(record), Some(held)) = (self.records.get_mut(id.index()), held) {
            record.held = Some(held.clone());
        }
    }

    /// Fold an assessment of anonymity in.
    pub fn assessed(&mut self, reference: &str) {
        if let Some(id) = self.find(reference) {
            self.flag(id, ASSESSED);
        }
    }

    /// Fold in that the recipe a run followed was assessed: what it made may be anonymous.
    pub fn assessed_made(&mut self, run: &str) {
        let Some(run) = self.find(run) else { return };
        let made: Vec<Half> = self.graph.downstream(run).filter(|half| half.kind == EdgeKind::Generated).collect();
        for half in made {
            self.flag(half.node, ASSESSED);
        }
    }

    pub(super) fn flag(&mut self, id: NodeId, flag: Flags) {
        let node = self.graph.node(id);
        self.graph.set_node(id, Node { flags: node.flags.with(flag), ..node });
    }

    /// Fold a retirement in.
    pub fn retired(&mut self, held: Option<&Arc<Held>>) {
        let Some((id, held)) = held.and_then(|held| Some((self.find(&held.reference)?, held))) else { return };
        let mut node = self.graph.node(id);
        node.flags = node.flags.with(Flags::RETIRED);
        self.graph.set_node(id, node);
        if let Some(record) = self.records.get_mut(id.index()) {
            record.held = Some(held.clone());
        }
    }
}
