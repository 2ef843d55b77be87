//! Conditions of an organisation's own rules: CEL expressions over the canonical evidence, behind a fence.
//!
//! The interpreter knows no limit of steps, and deep expressions exhaust its stack. So everything is bounded before it runs: the
//! text, its nesting, the names and functions in it, and what it would cost on this evidence. Only lists of the evidence are gone
//! through, in their order. Thus the same condition over the same evidence gives the same answer everywhere, soon.

mod cost;
mod fence;

use std::sync::Arc;
use std::thread;

use cel::{Context, ExecutionError, Program, Value as CelValue};
use serde_json::Value;

use crate::text::quoted;

/// The one name a condition begins at.
const EVIDENCE: &str = "evidence";
/// Characters of a text.
const MAX_CHARS: usize = 2000;
/// Brackets and ternaries in a text: reading nests no deeper than there are of them, wherever they stand.
const MAX_OPENINGS: usize = 100;
/// Characters told of what the reader of CEL says: it may quote all of a text.
const MAX_SAID: usize = 200;
/// Enough for that nesting in every build of this program.
const STACK: usize = 64 << 20;
/// Steps that one condition may take, each a fraction of a microsecond.
pub const MAX_COST: u64 = 100_000;

/// A condition that passed the fence.
pub struct Condition(Program);

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Condition")
    }
}

/// Read conditions: each passes the fence, or says why not.
pub fn read(texts: &[&str]) -> Vec<Result<Condition, String>> {
    let all = || texts.iter().map(|text| one(text)).collect();
    apart(all).unwrap_or_else(|| texts.iter().map(|_| Err("cannot be read".to_owned())).collect())
}

fn one(text: &str) -> Result<Condition, String> {
    let characters = text.chars().count();
    if characters > MAX_CHARS {
        return Err(format!("is {characters} characters long, at most {MAX_CHARS} are read"));
    }
    // Closing ones are not subtracted: they could stand in a text.
    let openings = text.bytes().filter(|b| matches!(b, b'(' | b'[' | b'{' | b'?')).count();
    if openings > MAX_OPENINGS {
        return Err(format!("has {openings} brackets and ternaries, at most {MAX_OPENINGS} are read"));
    }
    let program = Program::compile(text).map_err(|errors| {
        let first = errors.errors.first().map(|e| e.msg.as_str()).and_then(|said| said.lines().next());
        let said: String = first.unwrap_or_default().chars().take(MAX_SAID).collect();
        format!("is not a CEL expression: {}", said.trim_end_matches('.'))
    })?;
    fence::check(program.expression())?;
    Ok(Condition(program))
}

/// Whether each condition holds on this evidence; where that cannot be known, why.
pub fn judge(conditions: &[&Condition], evidence: &Value) -> Vec<Result<bool, String>> {
    let all = || {
        // Made for the first condition that is worth running.
        let mut context = None;
        conditions.iter().map(|condition| holds(condition, evidence, &mut context)).collect()
    };
    apart(all).unwrap_or_else(|| conditions.iter().map(|_| Err("cannot be evaluated".to_owned())).collect())
}

fn holds<'c>(condition: &Condition, evidence: &Value, context: &mut Option<Context<'c, 'c>>) -> Result<bool, String> {
    let cost = cost::of(condition.0.expression(), evidence)?;
    if cost > MAX_COST {
        return Err(format!("would take {cost} steps on this evidence, at most {MAX_COST} are taken"));
    }
    let context = context.get_or_insert_with(|| {
        let mut context = Context::default();
        context.add_variable_from_value(EVIDENCE, value(evidence));
        context
    });
    match condition.0.execute(context) {
        Ok(CelValue::Bool(answer)) => Ok(answer),
        Ok(_) => Err("is neither true nor false on this evidence".to_owned()),
        // Other errors print values, whose order is not fixed.
        Err(ExecutionError::NoSuchKey(key)) => Err(format!("asks for {}, which this evidence has not", quoted(&key))),
        Err(_) => Err("fails on this evidence".to_owned()),
    }
}

/// On a stack of known size; nothing if it panics.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let running = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()?;
        running.join().ok()
    })
}

/// Whole numbers are integers: the interpreter's own conversion makes unsigned ones of them, which differ from what people write.
fn value(json: &Value) -> CelValue {
    match json {
        Value::Null => CelValue::Null,
        Value::Bool(b) => CelValue::Bool(*b),
        Value::Number(n) => match n.as_i64() {
            Some(n) => CelValue::Int(n),
            None => CelValue::Float(n.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(s) => CelValue::String(Arc::new(s.clone())),
        Value::Array(list) => CelValue::List(Arc::new(list.iter().map(value).collect())),
        Value::Object(map) => {
            let map: std::collections::HashMap<String, CelValue> =
                map.iter().map(|(name, member)| (name.clone(), value(member))).collect();
            map.into()
        }
    }
}

#[cfg(test)]
mod tests;
