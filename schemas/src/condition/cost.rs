//! What a condition costs at most on one evidence: steps, counted without running it.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};
use serde_json::Value;

use super::EVIDENCE;

/// What an expression may be: parts of the evidence, or something made of so many.
enum Seen<'e> {
    Parts(Vec<&'e Value>),
    Made(u64),
}

impl Seen<'_> {
    /// Parts of the largest it may be.
    fn size(&self) -> u64 {
        match self {
            Self::Parts(parts) => parts.iter().map(|part| size(part)).max().unwrap_or(1),
            Self::Made(size) => *size,
        }
    }
}

fn text(length: usize) -> u64 {
    1 + length as u64 / 16
}

fn size(value: &Value) -> u64 {
    match value {
        Value::String(s) => text(s.len()),
        Value::Array(list) => 1 + list.iter().map(size).sum::<u64>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<u64>(),
        _ => 1,
    }
}

/// What a name stands for.
struct Names<'n, 'e> {
    name: &'n str,
    seen: Vec<&'e Value>,
    outer: Option<&'n Names<'n, 'e>>,
}

impl<'e> Names<'_, 'e> {
    fn find(&self, name: &str) -> Option<&Vec<&'e Value>> {
        if self.name == name { Some(&self.seen) } else { self.outer?.find(name) }
    }
}

/// The steps at most.
pub(super) fn of(expression: &IdedExpr, evidence: &Value) -> Result<u64, String> {
    let mut cost = 0;
    walk(expression, &Names { name: EVIDENCE, seen: vec![evidence], outer: None }, &mut cost)?;
    Ok(cost)
}

fn walk<'e>(expression: &IdedExpr, names: &Names<'_, 'e>, cost: &mut u64) -> Result<Seen<'e>, String> {
    *cost = cost.saturating_add(1);
    Ok(match &expression.expr {
        // What a loop makes bit by bit is appended to, not copied.
        Expr::Ident(name) => names.find(name).map_or(Seen::Made(1), |parts| Seen::Parts(parts.clone())),
        Expr::Select(select) => {
            let operand = walk(&select.operand, names, cost)?;
            match operand {
                _ if select.test => Seen::Made(1),
                Seen::Parts(parts) => Seen::Parts(parts.into_iter().filter_map(|p| p.get(&select.field)).collect()),
                made => made,
            }
        }
        Expr::Literal(LiteralValue::String(s)) => Seen::Made(text(s.inner().len())),
        Expr::List(list) => {
            let mut whole = 1_u64;
            for element in &list.elements {
                whole = whole.saturating_add(walk(element, names, cost)?.size());
            }
            Seen::Made(whole)
        }
        Expr::Call(call) => {
            let operands = call.target.as_deref().into_iter().chain(&call.args);
            let operands = operands.map(|o| walk(o, names, cost)).collect::<Result<Vec<_>, _>>()?;
            called(&call.func_name, operands, cost)
        }
        Expr::Comprehension(each) => {
            let Seen::Parts(ranges) = walk(&each.iter_range, names, cost)? else {
                return Err("goes through something else than a list of the evidence".to_owned());
            };
            let mut items = Vec::new();
            let mut longest = 0;
            for range in ranges {
                // The members of an object have no order that stays.
                let list = range.as_array().ok_or("goes through something that is no list in this evidence")?;
                longest = longest.max(list.len() as u64);
                items.extend(list);
            }
            walk(&each.accu_init, names, cost)?;
            let item = items.iter().map(|item| size(item)).max().unwrap_or(0);
            let inner = Names { name: &each.iter_var, seen: items, outer: Some(names) };
            let mut once = item;
            walk(&each.loop_cond, &inner, &mut once)?;
            let made = walk(&each.loop_step, &inner, &mut once)?.size();
            *cost = cost.saturating_add(longest.saturating_mul(once));
            walk(&each.result, &inner, cost)?;
            Seen::Made(longest.saturating_mul(made).saturating_add(1))
        }
        _ => Seen::Made(1),
    })
}

/// What a call costs beyond its operands, and what it gives.
fn called<'e>(function: &str, mut operands: Vec<Seen<'e>>, cost: &mut u64) -> Seen<'e> {
    let sizes: Vec<u64> = operands.iter().map(Seen::size).collect();
    let whole = sizes.iter().fold(0, |sum: u64, one| sum.saturating_add(*one));
    let (costs, gives) = match function {
        "_[_]" => {
            let parts = match operands.drain(..).next() {
                // Whichever of them it is.
                Some(Seen::Parts(parts)) => Seen::Parts(parts.into_iter().flat_map(children).collect()),
                other => other.unwrap_or(Seen::Made(1)),
            };
            return parts;
        }
        "_?_:_" => (0, sizes.iter().copied().max().unwrap_or(1)),
        "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_" => (sizes.iter().copied().min().unwrap_or(1), 1),
        "_+_" => (whole, whole),
        "@in" | "_-_" | "_*_" | "_/_" | "_%_" | "size" | "contains" | "startsWith" | "endsWith" => (whole, 1),
        _ => (0, 1),
    };
    *cost = cost.saturating_add(costs);
    Seen::Made(gives)
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}
