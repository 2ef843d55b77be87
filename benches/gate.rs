//! The gate beside a bare breadth-first search on the same graph, and beside our closure alone: closure, rules and reasons, in memory,
//! without serialising or appending. Ratios to both, taken in one run; nothing is asserted.
//!
//! `cargo bench --workspace --bench gate [-- EDGES [ROUNDS]] [plain|mixed] [dense]`. A layered registry: collected data, seven layers of
//! datasets made of them (each with its run), models with their training runs, deployments. Domains of a few hundred nodes, as in a
//! company's departments, with a few edges between them. Twice: where every run derives, which is the walk alone; and where they do
//! what pipelines do, some stating their columns, some assessed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation, reason = "a bench fails loudly")]

use std::time::{Duration, Instant};

use licit_schemas::digest::Digest;
use licit_schemas::gate::Intent;
use licit_schemas::reference::Ref;
use licit_server::catalogue::Stated;
use licit_server::db::{At, Projection, Rows};
use licit_server::facts::{Fact, World};
use licit_server::gate::decide;
use licit_server::gate::evidence::{Ask, gather};
use licit_server::gate::policy::Policy;
use licit_server::lineage::exposure::{CONTAINED, Exposure, NO_CUTS, expose_into};
use licit_server::lineage::graph::NodeId;
use licit_server::lineage::walk::{Direction, closure};
use serde_json::{Value, json};
use uuid::Uuid;

const SEED: u64 = 0x5eed;
/// Datasets of one domain in one layer.
const DOMAIN: usize = 60;
/// Layers of datasets: collected, raw, three of staging, two of features, training sets. Models and deployments stand above.
const LAYERS: usize = 8;
/// Up to here fields still say something of people.
const PERSONAL_LAYERS: usize = 5;
/// Of ten tables in these layers, so many are about people: then some three hundred of a walk are. The rest are about products,
/// places, machines. With `dense`, all are.
const PERSONAL: usize = 3;
/// Models, each in a deployment of its own, of one domain.
const MODELS: usize = 4;

/// What runs do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mix {
    /// They derive, all of them.
    Plain,
    /// Mostly they derive, filter and copy; some join, aggregate, infer, pseudonymise or anonymise; one in ten states its columns, and
    /// half of what was anonymised was assessed.
    Mixed,
}

/// Operations and their shares, of a hundred.
const SHARES: [(&str, usize); 8] = [
    ("derive", 42),
    ("filter", 20),
    ("copy", 12),
    ("combine", 10),
    ("aggregate", 6),
    ("infer", 5),
    ("pseudonymise", 3),
    ("anonymise", 2),
];

struct Builder {
    mix: Mix,
    dense: bool,
    world: World,
    rows: Rows,
    n: u128,
    seed: u64,
}

impl Builder {
    /// Whether a table is about people, by its layer and place.
    fn personal(&self, layer: usize, place: usize) -> bool {
        layer < PERSONAL_LAYERS && (self.dense || place % 10 < PERSONAL)
    }

    fn random(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed % below as u64) as usize
    }

    /// Normally distributed, near enough: twelve evenly distributed ones less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.random(1 << 20) as f64 / f64::from(1 << 20)).sum::<f64>() - 6.0
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

/// Datasets are numbered by domain, layer and place. Fan-in is log-normal, exp(1.1 + 0.75 N); four of five parents stand in the
/// layer just below, 97 of 100 in the same domain.
fn build(edges: usize, mix: Mix) -> (World, Vec<String>) {
    let dense = std::env::args().any(|argument| argument == "dense");
    let mut b = Builder { mix, dense, world: World::default(), rows: Rows::discarding(), n: 0, seed: SEED };
    let three = json!({"what_we_do": "x", "what_you_get": "x", "what_we_never_do": "x"});
    b.add(Fact::PartyRegistered, 1, json!({"key": "acme", "name": "ACME", "region": "FR"}));
    b.add(Fact::EnvironmentRevised, 1, json!({"key": "production", "mode": "enforce", "class": "production"}));
    let answers: serde_json::Map<String, Value> = ["a", "b", "ba", "bb", "c", "d", "e", "f", "g", "h"]
        .iter()
        .map(|k| ((*k).to_owned(), json!({"applies": false})))
        .collect();
    let system = json!({"key": "scorer", "name": "S", "intended_purpose": "x", "risk_class": "minimal", "risk_reason": "x", "role": "deployer",
        "effect": "minor", "reliance": "weak", "owner": "ml", "practices": {"version": "2026-12-02", "answers": answers}});
    b.add(Fact::SystemRevised, 1, system);
    b.approve("system:scorer@1", None);
    b.add(Fact::ModelRegistered, 1, json!({"name": "m"}));

    // A derived dataset, and a model, brings one `generated` edge and on average 4.0 `used` ones.
    let domains = (edges / 5 / (DOMAIN * LAYERS)).max(1);
    for domain in 0..domains {
        purpose(&mut b, domain, &three);
    }
    told(&mut b, domains);
    // Layer by layer over all domains, as time brings them: the nodes of one domain lie far apart.
    for layer in 0..LAYERS {
        for domain in 0..domains {
            for n in 0..DOMAIN {
                let name = format!("dataset:d{domain}/l{layer}-{n}");
                let mut spec =
                    json!({"dataset": name, "version": "1", "fields": [{"name": "id", "identifiability": "none"}]});
                if layer == 0 {
                    spec["origin"] = json!("collected");
                    spec["retention"] = json!({"until": "2099-12-31"});
                    let all: Vec<String> = (0..domains).map(|d| format!("purpose:scoring-{d}@1")).collect();
                    spec["collected_for"] = json!(all);
                    spec["notices"] = json!(["notice:everybody@1"]);
                }
                if b.personal(layer, n) {
                    spec["controllers"] = json!(["party:acme"]);
                    spec["subjects"] = json!(["https://w3id.org/dpv#Adult"]);
                    spec["fields"] = json!([{"name": "age", "categories": ["https://w3id.org/dpv/pd#Age"], "identifiability": "quasi"}]);
                }
                b.add(Fact::DatasetVersionRegistered, 1, spec);
                if layer > 0 {
                    let mut inputs = parents(&mut b, domain, domains, layer, None);
                    if b.personal(layer, n) && !b.dense {
                        // Nobody appears from nowhere: at least one of what it was made of is about people.
                        let (tens, place) = (b.random(DOMAIN / 10), b.random(PERSONAL));
                        let whose = format!("dataset:d{domain}/l{}-{}@1", layer - 1, tens * 10 + place);
                        if inputs.iter().all(|known| known["ref"] != whose.as_str()) {
                            inputs.push(json!({"ref": whose}));
                        }
                    }
                    made(&mut b, &name, (layer, n), domain, &inputs);
                }
            }
        }
    }
    for n in 0..domains * MODELS {
        model(&mut b, n, domains);
    }
    for domain in 0..domains {
        basis(&mut b, domain, domains);
    }
    let deployments = (0..domains * MODELS).map(|n| deploy(&mut b, n, domains)).collect();
    (b.world, deployments)
}

/// The run that made a table, by the mix.
fn made(b: &mut Builder, name: &str, (layer, place): (usize, usize), domain: usize, inputs: &[Value]) {
    let operation = operation(b);
    let output = format!("{name}@1");
    let mut run = json!({"operation": operation, "purpose": format!("purpose:scoring-{domain}@1"), "inputs": inputs,
        "outputs": [output], "started_at": "2026-01-01", "controller": "party:acme"});
    if b.mix == Mix::Mixed && b.random(10) == 0 {
        let field = |layer: usize, place: usize| if b.personal(layer, place) { "age" } else { "id" };
        let of = |input: &Value| {
            let input = input["ref"].as_str().unwrap();
            let (_, rest) = input.trim_end_matches("@1").split_once("/l").unwrap();
            let (from, place) = rest.split_once('-').unwrap();
            json!({"input": input, "field": field(from.parse().unwrap(), place.parse().unwrap())})
        };
        let from: Vec<Value> = run["inputs"].as_array().unwrap().iter().map(of).collect();
        run["columns"] = json!([{"output": output, "field": field(layer, place), "from": from}]);
    }
    b.add(Fact::RunRecorded, 1, run);
    if operation == "anonymise" && b.random(2) == 0 {
        let key = format!("anonymous-{}", b.n);
        let evidence = json!({"uri": "https://x.example/e", "digest": format!("sha256:{:064}", 0)});
        let assessment = json!({"key": key, "kind": "anonymity", "of": output, "holder": "party:acme", "statement": "x",
            "evidence": [evidence], "valid_from": "2020-01-01", "valid_to": "2030-01-01"});
        b.add(Fact::AssessmentRevised, 1, assessment);
        b.approve(&format!("assessment:{key}@1"), None);
    }
}

fn operation(b: &mut Builder) -> &'static str {
    if b.mix == Mix::Plain {
        return "derive";
    }
    let mut place = b.random(100);
    for (operation, share) in SHARES {
        if place < share {
            return operation;
        }
        place -= share;
    }
    "derive"
}

/// One notice for everybody, with promises that are kept.
fn told(b: &mut Builder, domains: usize) {
    let both = |text: &str| json!({"en": text, "fr": text});
    let purposes: Vec<String> = (0..domains).map(|d| format!("purpose:scoring-{d}")).collect();
    let promises: Vec<Value> = ["never_sold", "human_review", "not_for:resale", "deleted_after:P90Y"]
        .iter()
        .map(|commitment| json!({"commitment": commitment, "words": both("We promise.")}))
        .collect();
    let notice = json!({"key": "everybody", "controller": "party:acme", "purposes": purposes, "valid_from": "2020-01-01",
        "wording": {"en": {"title": "x", "text": "x"}, "fr": {"title": "x", "text": "x"}},
        "categories": [{"iri": "https://w3id.org/dpv#PersonalData"}], "promises": promises});
    b.add(Fact::NoticeRevised, 1, notice);
}

fn parents(b: &mut Builder, domain: usize, domains: usize, layer: usize, role: Option<&str>) -> Vec<Value> {
    let fan = (1.1 + 0.75 * b.normal()).exp().round().clamp(1.0, 60.0) as usize;
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..fan {
        let from = if b.random(5) > 0 { layer - 1 } else { b.random(layer) };
        let (domain, at) = (if b.random(100) < 97 { domain } else { b.random(domains) }, b.random(DOMAIN));
        names.insert(format!("dataset:d{domain}/l{from}-{at}@1"));
    }
    names
        .into_iter()
        .map(|name| match role {
            Some(role) => json!({"ref": name, "role": role}),
            None => json!({"ref": name}),
        })
        .collect()
}

/// One purpose per domain.
fn purpose(b: &mut Builder, domain: usize, three: &Value) {
    let key = format!("scoring-{domain}");
    let purpose = json!({"key": key, "name": "S", "iri": "https://w3id.org/dpv#ServiceProvision", "regulated_as": [],
        "sentences": {"en": three, "fr": three}, "valid_from": "2020-01-01"});
    b.add(Fact::PurposeRevised, 1, purpose);
    b.approve(&format!("purpose:{key}@1"), None);
}

/// A model trained in a domain, and where it runs.
fn model(b: &mut Builder, n: usize, domains: usize) {
    let domain = n % domains;
    let version = json!({"model": "model:m", "version": format!("v{n}"), "kind": "built",
        "files": [{"path": "m", "digest": Digest::of(&n.to_be_bytes())}]});
    b.add(Fact::ModelVersionRegistered, 1, version);
    let inputs = parents(b, domain, domains, LAYERS, Some("training"));
    let run = json!({"operation": "train", "purpose": format!("purpose:scoring-{domain}@1"), "inputs": inputs,
        "outputs": [format!("model:m@v{n}")], "started_at": "2026-01-01", "controller": "party:acme"});
    b.add(Fact::RunRecorded, 1, run);
}

/// One basis per domain: what was collected of all that reaches its models, in whatever domain.
fn basis(b: &mut Builder, domain: usize, domains: usize) {
    let lineage = &b.world.lineage;
    let models = (0..MODELS).map(|m| domain + m * domains);
    let seeds: Vec<_> = models.map(|n| (lineage.find(&format!("model:m@v{n}")).unwrap(), 1)).collect();
    let reached = licit_server::lineage::exposure::expose(lineage.graph(), &seeds);
    let names = reached.nodes.iter().map(|(id, _)| lineage.name(*id));
    let collected: Vec<String> =
        names.filter(|n| n.contains("/l0-")).map(|n| n.trim_end_matches("@1").to_owned()).collect();
    let evidence = json!({"uri": "https://x.example/e", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000"});
    let basis = json!({"key": format!("b{domain}"), "name": "B", "legal_basis": "art6_1_b", "valid_from": "2020-01-01", "evidence": [evidence],
        "letter": {"contract": evidence, "necessity": "x"},
        "covers": {"purposes": [format!("purpose:scoring-{domain}")], "datasets": collected, "categories": ["https://w3id.org/dpv#PersonalData"],
            "subjects": ["https://w3id.org/dpv#HumanSubject"], "controllers": ["party:acme"], "stages": ["training", "deployment"]}});
    b.add(Fact::BasisRevised, 1, basis);
    b.approve(&format!("basis:b{domain}@1"), None);
}

fn deploy(b: &mut Builder, n: usize, domains: usize) -> String {
    let domain = n % domains;
    let name = format!("dep-{n}");
    let deployment = json!({"name": name, "system": "system:scorer@1", "environment": "environment:production",
        "purpose": format!("purpose:scoring-{domain}@1"), "bases": [format!("basis:b{domain}@1")], "controller": "party:acme",
        "owner": "ml", "region": "FR", "reads": {"nobody": "x"}, "writes": {"nobody": "x"}});
    b.add(Fact::DeploymentRevised, 1, deployment);
    let release = json!({"deployment": format!("deployment:{name}"), "composition": [{"part": "base", "model": format!("model:m@v{n}")}]});
    b.add(Fact::ReleaseProposed, 1, release);
    let name = format!("deployment:{name}");
    let envelope = serde_json::to_value(licit_server::gate::envelope::of(&gather(&b.world, ask(&name)))).unwrap();
    b.approve(&name, Some(envelope));
    name
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

    fn walk(&mut self, root: u32) -> (usize, usize) {
        self.epoch += 1;
        self.queue.clear();
        self.queue.push(root);
        self.marks[root as usize] = self.epoch;
        let (mut next, mut edges) = (0, 0);
        while next < self.queue.len() {
            let at = self.queue[next] as usize;
            for edge in self.offsets[at]..self.offsets[at + 1] {
                let node = self.to[edge as usize];
                if self.marks[node as usize] != self.epoch {
                    self.marks[node as usize] = self.epoch;
                    self.queue.push(node);
                }
            }
            edges += (self.offsets[at + 1] - self.offsets[at]) as usize;
            next += 1;
        }
        (self.queue.len(), edges)
    }
}

fn quantile(times: &mut [Duration], q: f64) -> f64 {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e6
}

fn main() {
    let mut numbers = std::env::args().filter_map(|a| a.parse().ok());
    let edges: usize = numbers.next().unwrap_or(1_000_000);
    let rounds: usize = numbers.next().unwrap_or(3000);
    let only = |name: &str| std::env::args().any(|argument| argument == name);
    let wanted = [(Mix::Plain, "mixed"), (Mix::Mixed, "plain")].into_iter().filter(|(_, other)| !only(other));
    for (mix, _) in wanted {
        measure(mix, edges, rounds);
    }
}

fn measure(mix: Mix, edges: usize, rounds: usize) {
    let started = Instant::now();
    let (world, deployments) = build(edges, mix);
    let graph = world.lineage.graph();
    println!(
        "{mix:?}: {} nodes, {} edges, {} deployments, built in {:.1} s",
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
    let (mut floor, mut closed, mut walked) = (Vec::new(), Vec::new(), Vec::new());
    let (mut gathered, mut judged) = (Vec::new(), Vec::new());
    let (mut nodes, mut edges, mut people, mut found) = (0, 0, 0, 0);
    let mut exposure = Exposure::default();
    let mut seed = SEED;
    // Each is asked of a deployment of its own: what one walk brought into the processor's cache does not serve the next.
    let mut draw = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        &roots[(seed >> 33) as usize % roots.len()]
    };
    for _ in 0..rounds {
        let (_, root) = draw();
        let begin = Instant::now();
        let (some, passed) = bare.walk(*root);
        floor.push(begin.elapsed());
        (nodes, edges) = (nodes + some, edges + passed);
        let (_, root) = draw();
        let begin = Instant::now();
        std::hint::black_box(closure(graph, &[NodeId(*root)], Direction::Upstream).len());
        closed.push(begin.elapsed());
        let (_, root) = draw();
        let begin = Instant::now();
        expose_into(graph, &[(NodeId(*root), CONTAINED)], NO_CUTS, &mut exposure);
        walked.push(begin.elapsed());
        let (deployment, _) = draw();
        let begin = Instant::now();
        let evidence = gather(&world, ask(deployment));
        gathered.push(begin.elapsed());
        people += evidence.sources.len();
        found += decide::judge(&evidence, &policy).findings.len();
        judged.push(begin.elapsed());
    }
    println!(
        "on average {} nodes and {} edges a walk, {} dataset versions with personal data; {found} findings in all",
        nodes / rounds,
        edges / rounds,
        people / rounds
    );
    for q in [0.5, 0.99] {
        let (floor, closed) = (quantile(&mut floor, q), quantile(&mut closed, q));
        print!("p{:<3} bare walk {floor:.1} us   closure {closed:.1} us", q * 100.0);
        for (what, times) in
            [("exposure", &mut walked), ("evidence", &mut gathered), ("verdict and findings", &mut judged)]
        {
            let time = quantile(times, q);
            print!("   {what} {time:.1} us ({:.2}x, {:.2}x)", time / floor, time / closed);
        }
        println!();
    }
}
