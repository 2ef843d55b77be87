//! What may stand in a condition, whatever the evidence.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};

use super::EVIDENCE;
use crate::text::quoted;

/// How deep an expression may nest once read.
const MAX_DEPTH: usize = 40;
/// Parts an expression may have once read.
const MAX_PARTS: usize = 400;
/// Loops within one another.
const MAX_LOOPS: usize = 2;

/// Operators and functions that take no longer than their operands are large.
pub(super) const FUNCTIONS: [&str; 23] = [
    "_&&_",
    "_||_",
    "!_",
    "_?_:_",
    "@not_strictly_false",
    "_==_",
    "_!=_",
    "_<_",
    "_<=_",
    "_>_",
    "_>=_",
    "@in",
    "_[_]",
    "_+_",
    "_-_",
    "_*_",
    "_/_",
    "_%_",
    "-_",
    "size",
    "contains",
    "startsWith",
    "endsWith",
];

/// What a name stands for.
struct Names<'e> {
    name: &'e str,
    outer: Option<&'e Names<'e>>,
}

impl Names<'_> {
    fn knows(&self, name: &str) -> bool {
        self.name == name || self.outer.is_some_and(|outer| outer.knows(name))
    }
}

/// The first thing that may not stand there.
pub(super) fn check(expression: &IdedExpr) -> Result<(), String> {
    let mut parts = 0;
    walk(expression, &Names { name: EVIDENCE, outer: None }, 1, 0, &mut parts)
}

fn walk(expression: &IdedExpr, names: &Names<'_>, depth: usize, loops: usize, parts: &mut usize) -> Result<(), String> {
    *parts += 1;
    if depth > MAX_DEPTH {
        return Err(format!("nests deeper than {MAX_DEPTH} levels"));
    }
    if *parts > MAX_PARTS {
        return Err(format!("has more than {MAX_PARTS} parts"));
    }
    let mut inner = |part: &IdedExpr| walk(part, names, depth + 1, loops, parts);
    match &expression.expr {
        Expr::Ident(name) if names.knows(name) => Ok(()),
        Expr::Ident(name) => Err(format!("names {}: a condition begins at `{EVIDENCE}`", quoted(name))),
        Expr::Select(select) => inner(&select.operand),
        Expr::Literal(LiteralValue::Bytes(_)) => Err("has bytes, which no evidence holds".to_owned()),
        Expr::Literal(_) => Ok(()),
        Expr::List(list) if list.optional_indices.is_empty() => list.elements.iter().try_for_each(inner),
        Expr::Call(call) if FUNCTIONS.contains(&call.func_name.as_str()) => {
            call.target.as_deref().into_iter().chain(&call.args).try_for_each(inner)
        }
        Expr::Call(call) => Err(format!(
            "calls {}: there are `size`, `contains`, `startsWith`, `endsWith`, `has`, `exists`, `all`, `exists_one`, `map`, \
             `filter` and the operators",
            quoted(&call.func_name)
        )),
        Expr::Comprehension(each) => {
            if each.iter_var2.is_some() || !is_path(&each.iter_range) {
                return Err("goes through something else than a list of the evidence".to_owned());
            }
            if loops == MAX_LOOPS {
                return Err(format!("has more than {MAX_LOOPS} loops within one another"));
            }
            if names.knows(&each.iter_var) {
                return Err(format!("names {} twice", quoted(&each.iter_var)));
            }
            inner(&each.iter_range)?;
            inner(&each.accu_init)?;
            let item = Names { name: &each.iter_var, outer: Some(names) };
            let both = Names { name: &each.accu_var, outer: Some(&item) };
            for part in [&each.loop_cond, &each.loop_step, &each.result] {
                walk(part, &both, depth + 1, loops + 1, parts)?;
            }
            Ok(())
        }
        Expr::List(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
            Err("has a map, a message or an optional value: compare with texts, numbers and lists".to_owned())
        }
    }
}

/// Whether it is a name and what stands in it.
fn is_path(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Ident(_) => true,
        Expr::Select(select) => !select.test && is_path(&select.operand),
        Expr::Call(call) => call.func_name == "_[_]" && call.target.is_none() && call.args.first().is_some_and(is_path),
        _ => false,
    }
}
