//! Recording runs and late edges, and the one call that registers all a pipeline made.

use std::collections::HashSet;

use licit_schemas::lineage::{EdgeCreate, EdgeName};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registration::{Registration, RegistrationResult};
use licit_schemas::registry::{ColumnInput, InputRole, RunSpec};
use licit_schemas::resource::Registered;
use licit_schemas::text::Name;

use super::graph::{Direction, EdgeKind, Half, NodeId};
use super::walk::shortest_path;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World};
use crate::registry::What;
use crate::registry::columns::place;
use crate::registry::life;
use crate::registry::operations::{self as registry, Existing, immutable};
use crate::resolve::{expect, pin, pin_all};

/// Record a run.
///
/// # Errors
/// Unknown purpose or party; an input or output that cannot be pinned; an end before the start; a cycle; other content under the
/// same id.
pub fn run(tx: &mut Tx<'_>, mut spec: RunSpec) -> Result<Registered> {
    let now = tx.now();
    expect(&spec.purpose, &[Kind::Purpose], "/purpose")?;
    spec.purpose = pin(tx.world(), &spec.purpose, now, "/purpose")?;
    let forms = spec.operation.trains() || spec.outputs.iter().any(|output| output.kind() == Kind::Model);
    for (place, input) in spec.inputs.iter_mut().enumerate() {
        let at = format!("/inputs/{place}/ref");
        expect(&input.r#ref, &[Kind::Dataset, Kind::Model], &at)?;
        input.r#ref = pin(tx.world(), &input.r#ref, now, &at)?;
        if input.role == Some(InputRole::Training) && !forms {
            let at = format!("/inputs/{place}/role");
            let says = "only what writes a model, and `train`, `fine_tune`, `distil` and `embed`, read for training";
            return Err(Error::invalid(&at, says));
        }
    }
    for (place, output) in spec.outputs.iter_mut().enumerate() {
        let at = format!("/outputs/{place}");
        expect(output, &[Kind::Dataset, Kind::Model], &at)?;
        *output = pin(tx.world(), output, now, &at)?;
    }
    columns(tx, &mut spec)?;
    if let Some(controller) = &spec.controller {
        expect(controller, &[Kind::Party], "/controller")?;
        pin(tx.world(), controller, now, "/controller")?;
    }
    pin_all(tx.world(), &mut spec.processors, Kind::Party, now, "/processors")?;
    // Judged by what held when it began: by what will hold then nothing can be judged. Clocks differ a little.
    let latest = now.plus(chrono::Duration::seconds(CLOCKS_DIFFER));
    for (moment, at) in [(Some(spec.started_at), "/started_at"), (spec.ended_at, "/ended_at")] {
        if moment.is_some_and(|moment| moment > latest) {
            return Err(Error::invalid(at, "lies ahead: a run is recorded when it has begun"));
        }
    }
    if spec.ended_at.is_some_and(|end| end < spec.started_at) {
        return Err(Error::invalid("/ended_at", "lies before `started_at`"));
    }
    let id = spec.id.map_or_else(|| tx.new_id(), |id| id.0);
    let reference = Ref::run(id);
    // The id is in the reference; the content is the same with or without it said.
    spec.id = None;
    refuse_cycle(tx, &reference, &spec)?;
    immutable(tx, "run", reference, Some(id), spec, Fact::RunRecorded)
}

/// Pin what a run says of its columns, and hold it against what it read and wrote, and against the fields known of them.
fn columns(tx: &Tx<'_>, spec: &mut RunSpec) -> Result<()> {
    let (world, now) = (tx.world(), tx.now());
    let datasets: Vec<String> = spec
        .inputs
        .iter()
        .filter(|input| input.r#ref.kind() == Kind::Dataset)
        .map(|input| input.r#ref.to_string())
        .collect();
    let inputs: HashSet<&str> = datasets.iter().map(String::as_str).collect();
    let outputs: HashSet<String> = spec.outputs.iter().map(ToString::to_string).collect();
    let mut seen = HashSet::new();
    for (place, column) in spec.columns.iter_mut().enumerate() {
        let at = format!("/columns/{place}");
        let output_at = format!("{at}/output");
        expect(&column.output, &[Kind::Dataset, Kind::Model], &output_at)?;
        column.output = pin(world, &column.output, now, &output_at)?;
        let output = column.output.to_string();
        if !outputs.contains(&output) {
            return Err(Error::invalid(&output_at, format!("`{output}` is no output of this run")));
        }
        let field_at = format!("{at}/field");
        match (&column.field, column.output.kind() == Kind::Model) {
            (None, false) => return Err(Error::invalid(&field_at, format!("which field of `{output}` is it?"))),
            (Some(_), true) => {
                return Err(Error::invalid(
                    &field_at,
                    format!(
                        "`{output}` is a model, which has no fields: leave it out, and list all that was read for it"
                    ),
                ));
            }
            (Some(field), false) => known_field(world, &output, field, &field_at)?,
            (None, true) => {}
        }
        if !seen.insert((output.clone(), column.field.clone())) {
            return Err(Error::invalid(&at, "the same output stands twice: list all it was made of at once"));
        }
        let mut named = HashSet::new();
        for (place, from) in column.from.iter_mut().enumerate() {
            let input_at = format!("{at}/from/{place}/input");
            expect(&from.input, &[Kind::Dataset], &input_at)?;
            from.input = pin(world, &from.input, now, &input_at)?;
            let input = from.input.to_string();
            if !inputs.contains(input.as_str()) {
                return Err(Error::invalid(&input_at, format!("`{input}` is no input of this run")));
            }
            known_field(world, &input, &from.field, &format!("{at}/from/{place}/field"))?;
            named.insert(input);
        }
        // A model learns of all it reads: an input of which no column was read was not read.
        let silent = datasets.iter().find(|input| !named.contains(*input));
        if let (true, Some(input)) = (column.field.is_none(), silent) {
            return Err(Error::invalid(
                &format!("{at}/from"),
                format!(
                    "`{input}` is an input, and none of its columns is listed: list those that were read, or leave the input out"
                ),
            ));
        }
    }
    Ok(())
}

/// A field that a registered version lacks was mistyped. What nobody registered yet, or listed no field of, may have any.
fn known_field(world: &World, reference: &str, field: &Name, at: &str) -> Result<()> {
    match world.registry.held(reference).map(|held| &held.what) {
        _ if field.as_str() == ColumnInput::WHOLE => Ok(()),
        Some(What::Dataset(facts)) if !facts.fields.is_empty() && place(&facts.fields, field.as_str()).is_none() => {
            Err(Error::invalid(at, format!("`{reference}` has no field `{field}`")))
        }
        _ => Ok(()),
    }
}

/// A new run closes a cycle when something it reads came from something it writes.
fn refuse_cycle(tx: &Tx<'_>, reference: &Ref, spec: &RunSpec) -> Result<()> {
    let lineage = &tx.world().lineage;
    let own = lineage.find(&reference.to_string());
    for (place, output) in spec.outputs.iter().enumerate() {
        let Some(effect) = lineage.find(&output.to_string()) else {
            if spec.inputs.iter().any(|i| i.r#ref == *output) {
                return Err(cycle(&format!("/outputs/{place}"), output, output));
            }
            continue;
        };
        for input in &spec.inputs {
            let Some(cause) = lineage.find(&input.r#ref.to_string()) else { continue };
            if came_from(lineage, cause, effect) {
                return Err(cycle(&format!("/outputs/{place}"), output, &input.r#ref));
            }
        }
        // A run that was named before it was recorded may have edges already.
        if let Some(own) = own
            && came_from(lineage, own, effect)
        {
            return Err(cycle(&format!("/outputs/{place}"), output, reference));
        }
    }
    Ok(())
}

/// Whether `later` came from `earlier` by executions. A deployment is a lasting thing, not an execution: that it reads what was
/// made of its own scores is feedback, not a cycle.
fn came_from(lineage: &super::State, later: NodeId, earlier: NodeId) -> bool {
    let graph = lineage.graph();
    // Nothing came of it yet: what nearly every new output finds.
    if later != earlier && graph.is_end(earlier, Direction::Downstream) {
        return false;
    }
    let execution = |half: &Half| matches!(half.kind, EdgeKind::Used | EdgeKind::Generated);
    later == earlier || shortest_path(graph, later, earlier, Direction::Upstream, execution).is_some()
}

fn cycle(at: &str, effect: &Ref, cause: &Ref) -> Error {
    Error::Conflict(
        format!("`{effect}` would come from itself: lineage has no cycles"),
        vec![licit_schemas::problem::Fault::new(at, format!("`{cause}` already came from `{effect}`"))],
    )
}

/// Record an edge that became known late. The same edge again changes nothing.
///
/// # Errors
/// Ends that do not fit the kind, cannot be pinned, or would close a cycle; a moment to come.
pub fn edge(tx: &mut Tx<'_>, mut edge: EdgeCreate) -> Result<u64> {
    let (from, to): (&[Kind], &[Kind]) = match edge.kind {
        EdgeName::Used => (&[Kind::Run], &[Kind::Dataset, Kind::Model]),
        EdgeName::Generated => (&[Kind::Dataset, Kind::Model], &[Kind::Run]),
        EdgeName::ServesOn => (&[Kind::Deployment], &[Kind::Dataset]),
        EdgeName::Emits => (&[Kind::Dataset], &[Kind::Deployment]),
    };
    expect(&edge.from, from, "/from")?;
    expect(&edge.to, to, "/to")?;
    if edge.role.is_some() && edge.kind != EdgeName::Used {
        return Err(Error::invalid("/role", "only `used` has a role"));
    }
    if edge.valid_from.is_some() && !matches!(edge.kind, EdgeName::ServesOn | EdgeName::Emits) {
        return Err(Error::invalid("/valid_from", "what a run read and wrote has the time of the run"));
    }
    life::ahead(tx, edge.valid_from)?;
    let now = tx.now();
    edge.from = pin(tx.world(), &edge.from, now, "/from")?;
    edge.to = pin(tx.world(), &edge.to, now, "/to")?;
    let lineage = &tx.world().lineage;
    if let (Some(effect), Some(cause)) = (lineage.find(&edge.from.to_string()), lineage.find(&edge.to.to_string())) {
        if super::has(lineage, effect, cause, &edge) {
            return Ok(tx.world().position());
        }
        let execution = matches!(edge.kind, EdgeName::Used | EdgeName::Generated);
        if effect == cause || execution && came_from(lineage, cause, effect) {
            return Err(cycle("/to", &edge.from, &edge.to));
        }
    }
    tx.record(Fact::EdgeRecorded(edge))
}

use crate::db::Projection;

/// By how many seconds the clock of who reports a run may be ahead of ours.
const CLOCKS_DIFFER: i64 = 300;

/// Register all of it, or nothing.
///
/// # Errors
/// The first item that cannot be, its pointer within the whole document.
pub fn register(tx: &mut Tx<'_>, registration: Registration) -> Result<RegistrationResult> {
    let mut items = Vec::new();
    macro_rules! each {
        ($list:ident, $operation:expr) => {
            for (place, spec) in registration.$list.into_iter().enumerate() {
                let prefix = format!("/{}/{place}", stringify!($list));
                items.push($operation(tx, spec).map_err(|e: Error| e.under(&prefix))?);
            }
        };
    }
    each!(parties, |tx: &mut Tx<'_>, spec| registry::party(tx, spec, Existing::Refuse));
    // A pipeline states names and tags as it knows them today: they may change, versions may not.
    each!(datasets, |tx: &mut Tx<'_>, spec| registry::dataset(tx, spec, Existing::Revise));
    each!(dataset_versions, registry::dataset_version);
    each!(models, |tx: &mut Tx<'_>, spec| registry::model(tx, spec, Existing::Revise));
    each!(model_versions, registry::model_version);
    each!(runs, run);
    Ok(RegistrationResult { items })
}
