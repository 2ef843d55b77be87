//! Parquet: schema and row count from the footer; values of the first rows of a few row groups, column by column, so that one that
//! cannot be read does not hide the others.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use ::parquet::basic::{Compression, ConvertedType, LogicalType};
use ::parquet::file::metadata::ColumnChunkMetaData;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::record::Field;
use ::parquet::record::reader::RowIter;
use ::parquet::schema::types::{Type, TypePtr};

use super::super::values::Tally;
use super::{CLAIMED, Column, MOST_COLUMNS, Table, joined, rows_of, thrift};
use crate::error::{Failure, Result};
use crate::scan::{shown, unreadable};

/// Row groups that are looked at: the first, the last, and some between them.
const GROUPS: usize = 4;
/// Bytes a footer may have.
const FOOTER: u64 = 16 << 20;
/// Groups within one another that a schema may have: decoders go through them by recursion.
const SCHEMA: usize = 200;
/// Bytes a page may have, unfolded.
const UNFOLDED: i64 = 64 << 20;
/// Bytes a page may have that is compressed a thousandfold at worst.
const GZIPPED: i64 = 256 << 10;
/// Values that a page may have.
const VALUES: i64 = 100_000_000;
/// Bytes of the head of a page.
const HEAD: u64 = 64 << 10;
/// Pages of a column in a row group.
const PAGES: usize = 10_000;
/// Groups within one another that are taken apart.
const DEEPEST: usize = 16;
/// Elements of a list that are looked at.
const OF_A_LIST: usize = 20;

/// Read it.
pub(super) fn read(path: &Path, sample: u64) -> Result<Table> {
    let failed = |what: &dyn std::fmt::Display| {
        Failure::plain(format!("`{}` is no Parquet file that can be read: {what}", shown(path)))
    };
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    believable(&file).map_err(|what| failed(&what))?;
    let pages = file.try_clone().map_err(|e| unreadable(path, &e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| failed(&e))?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema();
    let rows = metadata.row_groups().iter().try_fold(0_i64, |all, group| all.checked_add(group.num_rows().max(0)));
    let stated = metadata.file_metadata().num_rows();
    if rows != Some(stated) {
        return Err(failed(&format!("it claims {stated} rows, and its groups do not have as many")));
    }
    let mut table = Table { rows: u64::try_from(stated).unwrap_or(0), ..Table::default() };
    for field in schema.get_fields() {
        columns(field, "", 1, &mut table.columns);
        if table.columns.len() > MOST_COLUMNS {
            return Err(failed(&format!("it has more than {MOST_COLUMNS} columns")));
        }
    }
    let all = metadata.num_row_groups();
    let groups = all.min(GROUPS);
    let rows = usize::try_from(rows_of(sample, table.columns.len())).unwrap_or(usize::MAX);
    let each = rows.div_ceil(groups.max(1));
    let mut unread = Vec::new();
    for place in 0..groups {
        let number = place * all.saturating_sub(1) / groups.saturating_sub(1).max(1);
        let group = reader.get_row_group(number).map_err(|e| failed(&e))?;
        table.claimed |= !holds(&pages, &*group);
        for field in schema.get_fields() {
            let read = values(&pages, &*group, schema, field, each, &mut table.columns);
            if let Err(why) = read
                && !unread.iter().any(|(name, _)| name == field.name())
            {
                unread.push((field.name().to_owned(), why));
            }
        }
    }
    if table.claimed {
        table.warnings.push(CLAIMED.to_owned());
    }
    for (name, why) in unread {
        table.warnings.push(format!("values of the column `{name}` were not looked at: {why}"));
    }
    Ok(table)
}

/// Whether a footer can be given to a decoder: it is no longer than it may be, and its schema no deeper.
fn believable(mut file: &File) -> std::result::Result<(), String> {
    let unreadable = |e: std::io::Error| format!("it ends too early ({e})");
    let mut end = [0; 8];
    let after = file.seek(SeekFrom::End(-8)).map_err(unreadable)?;
    file.read_exact(&mut end).map_err(unreadable)?;
    let length = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    if length > FOOTER {
        return Err(format!("its footer claims to have {length} bytes, and {FOOTER} are read at most"));
    }
    let begin = after.checked_sub(length).ok_or("its footer is longer than the file")?;
    file.seek(SeekFrom::Start(begin)).map_err(unreadable)?;
    let mut footer = Vec::new();
    file.take(length).read_to_end(&mut footer).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    match thrift::schema(&footer) {
        Ok((deep, _)) if deep > SCHEMA => {
            Err(format!("its schema is {deep} levels deep, and {SCHEMA} are read at most"))
        }
        Ok((_, count)) if count > 10 * MOST_COLUMNS as u64 => Err("its schema has too many elements".to_owned()),
        Ok(_) => Ok(()),
        Err(thrift::Broken) => Err("its footer is broken".to_owned()),
    }
}

/// Whether the pages of a row group have as many values as it says to have rows. Lists have more, and what cannot be gone through is not
/// held against it.
fn holds(pages: &File, group: &dyn RowGroupReader) -> bool {
    let rows = u64::try_from(group.metadata().num_rows()).unwrap_or(u64::MAX);
    let mut columns = group.metadata().columns().iter();
    let flat = columns.find(|chunk| chunk.column_descr().max_rep_level() == 0);
    flat.is_none_or(|chunk| unfolds(pages, chunk).map_or(true, |values| values == rows))
}

/// Whether every page of a column in a row group unfolds to what memory holds; how many values these say to have.
fn unfolds(mut file: &File, chunk: &ColumnChunkMetaData) -> std::result::Result<u64, String> {
    let (begin, length) = (chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()), chunk.compressed_size());
    let begin = begin.min(chunk.data_page_offset());
    let (Ok(mut place), Ok(length)) = (u64::try_from(begin), u64::try_from(length)) else {
        return Err("they lie outside the file".to_owned());
    };
    let end = place.saturating_add(length);
    let gzipped = matches!(chunk.compression(), Compression::GZIP(_));
    let mut values: u64 = 0;
    for _ in 0..PAGES {
        if place >= end {
            return Ok(values);
        }
        let mut head = Vec::new();
        let read = file.seek(SeekFrom::Start(place)).and_then(|_| file.take(HEAD).read_to_end(&mut head));
        let page = read.ok().and_then(|_| thrift::page(&head).ok()).ok_or("they cannot be decoded")?;
        if page.unfolded > UNFOLDED || gzipped && page.folded > GZIPPED {
            return Err("they are too many to unfold".to_owned());
        }
        // A decoder makes room for as many as it is told, before it looks: each value of a dictionary has a byte at least.
        let most = if page.dictionary { page.unfolded } else { VALUES };
        if !(0..=most).contains(&page.values) {
            return Err("they claim to be more than they are".to_owned());
        }
        if !page.dictionary {
            values = values.saturating_add(page.values.unsigned_abs());
        }
        place = place.saturating_add(page.head as u64).saturating_add(page.folded.unsigned_abs());
    }
    Err("they lie in too many pages".to_owned())
}

/// A group that is a list or a map; its one child stands between.
fn is_of(kind: &Type, converted: ConvertedType, logical: fn(&LogicalType) -> bool) -> bool {
    let info = kind.get_basic_info();
    info.converted_type() == converted || info.logical_type_ref().is_some_and(logical)
}

fn is_list(kind: &Type) -> bool {
    is_of(kind, ConvertedType::LIST, |logical| matches!(logical, LogicalType::List))
}

fn is_map(kind: &Type) -> bool {
    is_of(kind, ConvertedType::MAP, |logical| matches!(logical, LogicalType::Map))
}

/// The columns of a field: structs are taken apart, lists are their elements, maps one column.
fn columns(field: &TypePtr, above: &str, depth: usize, found: &mut Vec<Column>) {
    let path = joined(above, field.name());
    if field.is_primitive() {
        let converted = field.get_basic_info().converted_type();
        let kind = match converted {
            ConvertedType::NONE => field.get_physical_type().to_string(),
            converted => converted.to_string(),
        };
        found.push(Column::new(path, Some(kind.to_ascii_lowercase())));
        return;
    }
    if is_map(field) || depth >= DEEPEST {
        found.push(Column::new(path, Some("map".to_owned())));
        return;
    }
    if is_list(field) {
        match element(field) {
            Some(element) if element.is_primitive() => found.push(Column::new(path, Some("list".to_owned()))),
            Some(element) => {
                for inner in element.get_fields() {
                    columns(inner, &path, depth + 1, found);
                }
            }
            None => found.push(Column::new(path, Some("list".to_owned()))),
        }
        return;
    }
    for inner in field.get_fields() {
        columns(inner, &path, depth + 1, found);
    }
}

/// What a list is of.
fn element(list: &Type) -> Option<&TypePtr> {
    let between = list.get_fields().first()?;
    match between.is_group() && between.get_fields().len() == 1 {
        true => between.get_fields().first(),
        false => Some(between),
    }
}

/// Look at the values of a field in a row group.
fn values(
    pages: &File,
    group: &dyn RowGroupReader,
    schema: &Type,
    field: &TypePtr,
    most: usize,
    found: &mut [Column],
) -> std::result::Result<(), String> {
    let own =
        |chunk: &&ColumnChunkMetaData| chunk.column_path().parts().first().is_some_and(|first| first == field.name());
    for chunk in group.metadata().columns().iter().filter(own) {
        unfolds(pages, chunk)?;
    }
    let projection = Type::group_type_builder(schema.name()).with_fields(vec![Arc::clone(field)]).build();
    let projection = projection.map_err(|_| "its type is not understood".to_owned())?;
    let rows = RowIter::from_row_group(Some(projection), group).map_err(|e| readable(&e))?;
    for row in rows.take(most) {
        let row = row.map_err(|e| readable(&e))?;
        if let Some((name, value)) = row.get_column_iter().next() {
            look(name, value, found);
        }
    }
    Ok(())
}

/// What the library says of a file: a codec that is missing has a name, other faults could quote bytes.
fn readable(error: &::parquet::errors::ParquetError) -> String {
    match error {
        ::parquet::errors::ParquetError::NYI(_) => {
            "they are compressed in a way this licit cannot undo, such as zstd".to_owned()
        }
        other if other.to_string().contains("Disabled feature") => {
            "they are compressed in a way this licit cannot undo, such as zstd".to_owned()
        }
        _ => "they cannot be decoded".to_owned(),
    }
}

fn look(path: &str, value: &Field, found: &mut [Column]) {
    match value {
        Field::Group(row) => {
            for (name, value) in row.get_column_iter() {
                look(&joined(path, name), value, found);
            }
        }
        Field::ListInternal(list) => {
            for value in list.elements().iter().take(OF_A_LIST) {
                look(path, value, found);
            }
        }
        // Keys of a map are data.
        Field::MapInternal(map) => {
            for (key, _) in map.entries().iter().take(OF_A_LIST) {
                if let (Some(tally), Some(text)) = (tally(path, found), text(key)) {
                    tally.add(&text);
                }
            }
        }
        value => {
            if let (Some(tally), Some(text)) = (tally(path, found), text(value)) {
                tally.add(&text);
            }
        }
    }
}

fn tally<'a>(path: &str, found: &'a mut [Column]) -> Option<&'a mut Tally> {
    found.iter_mut().find(|column| column.name == path).map(|column| &mut column.tally)
}

fn text(value: &Field) -> Option<String> {
    match value {
        Field::Str(text) => Some(text.clone()),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).ok().map(str::to_owned),
        Field::Byte(_)
        | Field::Short(_)
        | Field::Int(_)
        | Field::Long(_)
        | Field::UByte(_)
        | Field::UShort(_)
        | Field::UInt(_)
        | Field::ULong(_)
        | Field::Float(_)
        | Field::Double(_)
        | Field::Date(_)
        | Field::TimestampMillis(_)
        | Field::TimestampMicros(_) => Some(value.to_string()),
        _ => None,
    }
}
