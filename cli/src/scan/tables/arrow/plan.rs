//! How the buffers of a batch lie one after the other, by the types of its fields.

use std::collections::HashMap;

use ::arrow_ipc::{DateUnit, Field, Int, Precision, TimeUnit, Type};

use super::super::{Column, MOST_COLUMNS, joined};

/// Structs and lists within one another that are taken apart.
const DEEPEST: usize = 16;

/// What the values of a field are.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Whole numbers of so many bytes.
    Int(usize, bool),
    /// Fractions of so many bytes.
    Float(usize),
    /// Moments in so many bytes, of which so many make a day.
    Moment(usize, i64),
    /// Texts; with offsets of eight bytes where they are large.
    Text { large: bool },
    /// Texts that lie elsewhere when they are long.
    View,
    /// Values that say nothing, in so many buffers.
    Opaque(usize),
    /// Of several fields.
    Struct,
    /// Of one field, several times; with offsets of eight bytes where it is large. A map is one of keys and values.
    List { large: bool },
    /// Of one field, always so many times.
    Repeated(u64),
    /// Nobody can say where the next field begins.
    Unknown,
}

/// A field with what is below it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// The place of its column, where it is one.
    pub(super) column: Option<usize>,
    /// The dictionary its numbers are of.
    pub(super) dictionary: Option<i64>,
    pub(super) below: Vec<Plan>,
}

fn integer(int: Option<Int<'_>>) -> Kind {
    match int.map(|int| (int.bitWidth(), int.is_signed())) {
        Some((bits @ (8 | 16 | 32 | 64), signed)) => Kind::Int(usize::try_from(bits / 8).unwrap_or(8), signed),
        _ => Kind::Unknown,
    }
}

/// The kind of a field, and what people call it.
fn kind(field: &Field<'_>) -> (Kind, &'static str) {
    const DAY: i64 = 86_400;
    match field.type_type() {
        Type::Null => (Kind::Opaque(0), "null"),
        Type::Int => (integer(field.type_as_int()), "int"),
        Type::FloatingPoint => match field.type_as_floating_point().map(|float| float.precision()) {
            Some(Precision::SINGLE) => (Kind::Float(4), "float"),
            Some(Precision::DOUBLE) => (Kind::Float(8), "double"),
            _ => (Kind::Opaque(2), "half"),
        },
        Type::Utf8 => (Kind::Text { large: false }, "utf8"),
        Type::LargeUtf8 => (Kind::Text { large: true }, "utf8"),
        Type::Utf8View => (Kind::View, "utf8"),
        Type::BinaryView => (Kind::View, "binary"),
        Type::Binary | Type::LargeBinary => (Kind::Opaque(3), "binary"),
        Type::Bool => (Kind::Opaque(2), "bool"),
        Type::Decimal => (Kind::Opaque(2), "decimal"),
        Type::Date => match field.type_as_date().map(|date| date.unit()) {
            Some(DateUnit::DAY) => (Kind::Moment(4, 1), "date"),
            _ => (Kind::Moment(8, DAY * 1_000), "date"),
        },
        Type::Timestamp => {
            let each = match field.type_as_timestamp().map(|moment| moment.unit()) {
                Some(TimeUnit::SECOND) => 1,
                Some(TimeUnit::MICROSECOND) => 1_000_000,
                Some(TimeUnit::NANOSECOND) => 1_000_000_000,
                _ => 1_000,
            };
            (Kind::Moment(8, DAY * each), "timestamp")
        }
        Type::Time | Type::Interval | Type::Duration | Type::FixedSizeBinary => (Kind::Opaque(2), "other"),
        Type::Struct_ => (Kind::Struct, "struct"),
        Type::List => (Kind::List { large: false }, "list"),
        Type::LargeList => (Kind::List { large: true }, "list"),
        Type::Map => (Kind::List { large: false }, "map"),
        Type::FixedSizeList => {
            let size = field.type_as_fixed_size_list().and_then(|list| u64::try_from(list.listSize()).ok());
            (size.map_or(Kind::Unknown, Kind::Repeated), "list")
        }
        _ => (Kind::Unknown, "other"),
    }
}

/// The plan of a field, and its columns: structs are taken apart, lists are their elements, maps one column.
pub(super) fn of(
    field: &Field<'_>,
    above: &str,
    depth: usize,
    columns: &mut Vec<Column>,
    values: &mut HashMap<i64, Plan>,
) -> Plan {
    let path = joined(above, field.name().unwrap_or_default());
    let place = |columns: &mut Vec<Column>, name: &str| {
        // One more than there may be says so.
        if columns.len() > MOST_COLUMNS {
            return None;
        }
        columns.push(Column::new(path.clone(), Some(name.to_owned())));
        Some(columns.len() - 1)
    };
    let (kind, name) = kind(field);
    if let Some(dictionary) = field.dictionary() {
        let column = place(columns, name);
        // What nobody states is of four bytes, with a sign.
        let index = dictionary.indexType().map_or(Kind::Int(4, true), |int| integer(Some(int)));
        values.insert(dictionary.id(), Plan { kind, column: None, dictionary: None, below: Vec::new() });
        return Plan { kind: index, column, dictionary: Some(dictionary.id()), below: Vec::new() };
    }
    let fields: Vec<Field<'_>> = field.children().iter().flatten().collect();
    let deep = depth >= DEEPEST;
    match kind {
        _ if deep && !fields.is_empty() => {
            Plan { kind: Kind::Unknown, column: place(columns, name), dictionary: None, below: Vec::new() }
        }
        Kind::Struct => {
            let below = fields.iter().map(|field| of(field, &path, depth + 1, columns, values)).collect();
            Plan { kind, column: None, dictionary: None, below }
        }
        // Keys of a map are data: they are looked at as its column, and values are not.
        Kind::List { .. } if name == "map" => {
            let column = place(columns, name);
            let below = fields.iter().map(|field| silent(field, depth + 1, column)).collect();
            Plan { kind, column: None, dictionary: None, below }
        }
        Kind::List { .. } | Kind::Repeated(_) => {
            let apart = fields.first().is_some_and(|field| field.type_type() == Type::Struct_);
            let below = match apart {
                true => {
                    let inner: Vec<Field<'_>> = fields.iter().flat_map(|field| field.children()).flatten().collect();
                    let below = inner.iter().map(|field| of(field, &path, depth + 2, columns, values)).collect();
                    vec![Plan { kind: Kind::Struct, column: None, dictionary: None, below }]
                }
                false => {
                    let column = place(columns, name);
                    fields.iter().map(|field| silent(field, depth + 1, column)).collect()
                }
            };
            Plan { kind, column: None, dictionary: None, below }
        }
        kind => Plan { kind, column: place(columns, name), dictionary: None, below: Vec::new() },
    }
}

/// The plan of what is below a column and none itself: its first leaves are values of the column.
fn silent(field: &Field<'_>, depth: usize, column: Option<usize>) -> Plan {
    let (kind, _) = kind(field);
    let fields: Vec<Field<'_>> = field.children().iter().flatten().collect();
    if depth >= DEEPEST || field.dictionary().is_some() {
        return Plan { kind: Kind::Unknown, column: None, dictionary: None, below: Vec::new() };
    }
    let below = (0..).zip(&fields).map(|(place, field)| silent(field, depth + 1, column.filter(|_| place == 0)));
    Plan { below: below.collect(), kind, column, dictionary: None }
}
