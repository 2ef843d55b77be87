//! The gate beside a bare breadth-first search on the same graph: closure, rules and reasons, in memory, without serialising or
//! appending. Ratios taken in one run; nothing is asserted.
//!
//! `cargo bench -p tests --bench gate [-- EDGES]`. A layered registry: sources, seven layers of derived datasets (each with its
//! run), a training run and a model version per release. Domains of a few hundred nodes, as in a company's departments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation, reason = "a bench fails loudly")]

use std::time::{Duration, Instant};

use licit_schemas::gate::Intent;
use licit_schemas::reference::Ref;
use licit_server::catalogue::Stated;
use licit_server::db::{At, Projection, Rows};
use licit_server::facts::{Fact, World};
use licit_server::gate::decide;
use licit_server::gate::evidence::{Ask, gather};
use licit_server::gate::policy::Policy;
use licit_server::lineage::graph::NodeId;
use serde_json::{Value, json};
use uuid::Uuid;

const SEED: u64 = 0x5eed;
const LAYERS: usize = 8;
const DOMAIN: usize = 300;

struct Builder {
    world: World,
    rows: Rows,
    n: u128,
    seed: u64,
}

impl Builder {
    fn random(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed % below as u64) as usize
    }

    fn add<T: serde::de::DeserializeOwned>(&mut self, fact: impl Fn(Stated<T>) -> Fact, rev: u32, spec: Value) -> Uuid {
        self.n += 1;
        let id = Uuid::from_u128(self.n);
        let at =
            At { seq: self.world.position() + 1, time: "2026-01-01T00:00:00Z".parse().unwrap(), actor: Uuid::nil() };
        let fact = fact(Stated { id, rev, spec: serde_json::from_value(spec).unwrap() });
        self.world.apply(&at, &fact, &mut self.rows);
        id
    }

    fn approve(&mut self, reference: &str, envelope: Option<Value>) {
        let digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
        let mut subject = json!({"ref": reference, "digest": digest});
        if let Some(envelope) = envelope {
            subject["envelope"] = envelope;
        }
        let spec = json!({"review": Uuid::nil(), "subject": subject, "valid_from": "2020-01-01", "valid_to": "2030-01-01", "voters": []});
        self.add(Fact::ApprovalGranted, 1, spec);
    }
}

/// Datasets are numbered; a domain holds `LAYERS` layers of them.
fn build(edges: usize) -> (World, Vec<String>) {
    let mut b = Builder { world: World::default(), rows: Rows::discarding(), n: 0, seed: SEED };
    let three = json!({"what_we_do": "x", "what_you_get": "x", "what_we_never_do": "x"});
    b.add(Fact::PartyRegistered, 1, json!({"key": "acme", "name": "ACME"}));
    b.add(Fact::EnvironmentRevised, 1, json!({"key": "production", "mode": "enforce", "class": "production"}));
    let purpose = json!({"key": "scoring", "name": "S", "iri": "https://w3id.org/dpv#ServiceProvision", "regulated_as": [],
        "sentences": {"en": three, "fr": three}, "valid_from": "2020-01-01"});
    b.add(Fact::PurposeRevised, 1, purpose);
    b.approve("purpose:scoring@1", None);
    let answers: serde_json::Map<String, Value> = ["a", "b", "ba", "bb", "c", "d", "e", "f", "g", "h"]
        .iter()
        .map(|k| ((*k).to_owned(), json!({"applies": false})))
        .collect();
    let system = json!({"key": "scorer", "name": "S", "intended_purpose": "x", "risk_class": "minimal", "risk_reason": "x", "role": "deployer",
        "effect": "minor", "reliance": "weak", "owner": "ml", "practices": {"version": "2026-12-02", "answers": answers}});
    b.add(Fact::SystemRevised, 1, system);
    b.approve("system:scorer@1", None);
    b.add(Fact::ModelRegistered, 1, json!({"name": "m"}));

    // A derived dataset brings one `generated` and about four `used` edges.
    let domains = (edges / 5 / (DOMAIN * (LAYERS - 1) / LAYERS)).max(1);
    let per_layer = DOMAIN / LAYERS;
    let mut deployments = Vec::new();
    for domain in 0..domains {
        let evidence = json!({"uri": "https://x.example/e", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000"});
        let sources: Vec<String> = (0..per_layer).map(|n| format!("dataset:d{domain}/l0-{n}")).collect();
        let basis = json!({"key": format!("b{domain}"), "name": "B", "legal_basis": "art6_1_b", "valid_from": "2020-01-01", "evidence": [evidence],
            "letter": {"contract": evidence, "necessity": "x"},
            "covers": {"purposes": ["purpose:scoring"], "datasets": sources, "categories": ["https://w3id.org/dpv#PersonalData"],
                "subjects": ["https://w3id.org/dpv#HumanSubject"], "controllers": ["party:acme"], "stages": ["training", "deployment"]}});
        // One purpose per domain keeps the bases of one gate question to those of its domain.
        let key = format!("scoring-{domain}");
        let mut own = json!({"key": key, "name": "S", "iri": "https://w3id.org/dpv#ServiceProvision", "regulated_as": [],
            "sentences": {"en": three, "fr": three}, "valid_from": "2020-01-01"});
        own["name"] = json!("own");
        b.add(Fact::PurposeRevised, 1, own);
        b.approve(&format!("purpose:{key}@1"), None);
        let mut basis = basis;
        basis["covers"]["purposes"] = json!([format!("purpose:{key}")]);
        b.add(Fact::BasisRevised, 1, basis);
        b.approve(&format!("basis:b{domain}@1"), None);
    }
    // Layer by layer over all domains, as time brings them: the nodes of one domain lie far apart.
    for layer in 0..LAYERS {
        for domain in 0..domains {
            let key = format!("scoring-{domain}");
            for n in 0..per_layer {
                let name = format!("dataset:d{domain}/l{layer}-{n}");
                let mut spec = json!({"dataset": name, "version": "1",
                    "fields": [{"name": "id", "identifiability": "none"}]});
                if layer == 0 {
                    spec["origin"] = json!("collected");
                    spec["subjects"] = json!(["https://w3id.org/dpv#Adult"]);
                    spec["controllers"] = json!(["party:acme"]);
                    spec["fields"] = json!([{"name": "age", "categories": ["https://w3id.org/dpv/pd#Age"], "identifiability": "quasi"}]);
                }
                b.add(Fact::DatasetVersionRegistered, 1, spec);
                if layer > 0 {
                    let fan = 1 + b.random(7);
                    let inputs: Vec<Value> = (0..fan)
                        .map(|_| {
                            let from = if b.random(5) > 0 { layer - 1 } else { b.random(layer) };
                            let at = b.random(per_layer);
                            json!({"ref": format!("dataset:d{domain}/l{from}-{at}@1")})
                        })
                        .collect();
                    let run = json!({"operation": "derive", "purpose": format!("purpose:{key}@1"), "inputs": inputs, "outputs": [format!("{name}@1")],
                        "started_at": "2026-01-01"});
                    b.add(Fact::RunRecorded, 1, run);
                }
            }
        }
    }
    for domain in 0..domains {
        let key = format!("scoring-{domain}");
        let digest = format!("sha256:{domain:064x}");
        let version = json!({"model": "model:m", "version": format!("v{domain}"), "kind": "built",
            "files": [{"path": "m", "digest": digest}]});
        b.add(Fact::ModelVersionRegistered, 1, version);
        let inputs: Vec<Value> = (0..6)
            .map(|_| b.random(per_layer))
            .map(|n| json!({"ref": format!("dataset:d{domain}/l{}-{n}@1", LAYERS - 1), "role": "training"}))
            .collect();
        let run = json!({"operation": "train", "purpose": format!("purpose:{key}@1"), "inputs": inputs, "outputs": [format!("model:m@v{domain}")],
            "started_at": "2026-01-01", "controller": "party:acme"});
        b.add(Fact::RunRecorded, 1, run);
        let name = format!("dep-{domain}");
        let deployment = json!({"name": name, "system": "system:scorer@1", "environment": "environment:production", "purpose": format!("purpose:{key}@1"),
            "bases": [format!("basis:b{domain}@1")], "controller": "party:acme", "owner": "ml", "reads": {"nobody": "x"}, "writes": {"nobody": "x"}});
        b.add(Fact::DeploymentRevised, 1, deployment);
        let release = json!({"deployment": format!("deployment:{name}"), "composition": [{"part": "base", "model": format!("model:m@v{domain}")}]});
        b.add(Fact::ReleaseProposed, 1, release);
        let evidence = gather(&b.world, ask(&format!("deployment:{name}")));
        let envelope = serde_json::to_value(licit_server::gate::envelope::of(&evidence)).unwrap();
        drop(evidence);
        b.approve(&format!("deployment:{name}"), Some(envelope));
        deployments.push(format!("deployment:{name}"));
    }
    (b.world, deployments)
}

fn ask(deployment: &str) -> Ask {
    Ask {
        deployment: deployment.to_owned(),
        release: None,
        intent: Intent::Start,
        artifacts: Vec::new(),
        valid_at: "2026-11-23T00:00:00Z".parse().unwrap(),
    }
}

/// The floor: offsets and an epoch array, nothing else.
struct Bare {
    offsets: Vec<u32>,
    to: Vec<u32>,
    marks: Vec<u32>,
    epoch: u32,
    queue: Vec<u32>,
}

impl Bare {
    fn new(world: &World) -> Self {
        let graph = world.lineage.graph();
        let (mut offsets, mut to) = (vec![0u32], Vec::new());
        for node in 0..graph.node_count() {
            to.extend(graph.upstream(NodeId(u32::try_from(node).unwrap())).map(|h| h.node.0));
            offsets.push(u32::try_from(to.len()).unwrap());
        }
        Self { marks: vec![0; graph.node_count()], offsets, to, epoch: 0, queue: Vec::new() }
    }

    fn walk(&mut self, root: u32) -> usize {
        self.epoch += 1;
        self.queue.clear();
        self.queue.push(root);
        self.marks[root as usize] = self.epoch;
        let mut next = 0;
        while next < self.queue.len() {
            let at = self.queue[next] as usize;
            for edge in self.offsets[at]..self.offsets[at + 1] {
                let node = self.to[edge as usize];
                if self.marks[node as usize] != self.epoch {
                    self.marks[node as usize] = self.epoch;
                    self.queue.push(node);
                }
            }
            next += 1;
        }
        self.queue.len()
    }
}

fn quantile(times: &mut [Duration], q: f64) -> f64 {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e6
}

fn main() {
    let edges: usize = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let started = Instant::now();
    let (world, deployments) = build(edges);
    let graph = world.lineage.graph();
    println!(
        "{} nodes, {} edges, {} deployments, built in {:.1} s",
        graph.node_count(),
        graph.edge_count(),
        deployments.len(),
        started.elapsed().as_secs_f64()
    );
    let mut bare = Bare::new(&world);
    let policy = Policy::default();
    let roots: Vec<(String, u32)> = deployments
        .iter()
        .map(|d| {
            let release: Ref = format!("release:{}@1", d.trim_start_matches("deployment:")).parse().unwrap();
            (d.clone(), world.lineage.find(&release.to_string()).unwrap().0)
        })
        .collect();
    let (mut floor, mut gathered, mut judged, mut nodes, mut found) = (Vec::new(), Vec::new(), Vec::new(), 0, 0);
    let mut seed = SEED;
    for _ in 0..3000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let (deployment, root) = &roots[(seed >> 33) as usize % roots.len()];
        let begin = Instant::now();
        nodes += bare.walk(*root);
        floor.push(begin.elapsed());
        let begin = Instant::now();
        let evidence = gather(&world, ask(deployment));
        gathered.push(begin.elapsed());
        found += decide::judge(&evidence, &policy).findings.len();
        judged.push(begin.elapsed());
    }
    println!("{} nodes a walk on average, {found} findings in all", nodes / 3000);
    for q in [0.5, 0.99] {
        let (a, b, c) = (quantile(&mut floor, q), quantile(&mut gathered, q), quantile(&mut judged, q));
        println!(
            "p{:<3} bare walk {a:>7.1} us   evidence {b:>7.1} us ({:.2}x)   verdict and findings {c:>7.1} us ({:.2}x)",
            q * 100.0,
            b / a,
            c / a
        );
    }
}
