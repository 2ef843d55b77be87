//! A column of a Parquet file, row by row; the other columns are not read.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::reader::RowIter;
use ::parquet::record::{Field, Row};
use ::parquet::schema::types::Type;

use super::column::{Column, Value, no_column};
use crate::error::{Failure, Result};

/// Open it.
pub(super) fn open(path: &Path, column: &str) -> Result<Column> {
    let failed = |what: &dyn std::fmt::Display| Failure::plain(format!("`{}` cannot be read: {what}", path.display()));
    let file = File::open(path).map_err(|e| Failure::file("read", path, &e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| failed(&e))?;
    let metadata = reader.metadata().file_metadata();
    let whole = u64::try_from(metadata.num_rows()).unwrap_or(0);
    let schema = metadata.schema();
    let field = schema.get_fields().iter().find(|field| field.name() == column).cloned();
    let field = field.filter(|field| field.is_primitive()).ok_or_else(|| no_column(path, column))?;
    let projection = Type::group_type_builder(schema.name()).with_fields(vec![Arc::clone(&field)]).build();
    let rows = RowIter::from_file_into(Box::new(reader)).project(Some(projection.map_err(|e| failed(&e))?));
    let path = path.to_owned();
    let values = rows.map_err(|e| failed_at(&path, None, &e.to_string()))?.zip(1..).map(move |(row, line)| match row {
        Ok(row) => Ok((line, Value { line, text: text(&row) })),
        Err(e) => Err(failed_at(&path, Some(line), &e.to_string())),
    });
    Ok(Column { whole, values: Box::new(values) })
}

/// The library speaks of codecs and pages; zstd is one that it was built without.
fn failed_at(path: &Path, line: Option<u64>, what: &str) -> Failure {
    let line = line.map(|line| format!(" from row {line} on")).unwrap_or_default();
    Failure::plain(format!("`{}` cannot be read{line}: {what}", path.display()))
}

/// A value as text; numbers are written out, since telephone numbers and ids are often kept as such.
fn text(row: &Row) -> Option<String> {
    match row.get_column_iter().next()?.1 {
        Field::Null => Some(String::new()),
        Field::Str(text) => Some(text.clone()),
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec()).ok(),
        Field::Byte(n) => Some(n.to_string()),
        Field::Short(n) => Some(n.to_string()),
        Field::Int(n) => Some(n.to_string()),
        Field::Long(n) => Some(n.to_string()),
        Field::UByte(n) => Some(n.to_string()),
        Field::UShort(n) => Some(n.to_string()),
        Field::UInt(n) => Some(n.to_string()),
        Field::ULong(n) => Some(n.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;

    #[test]
    fn texts_and_numbers_are_read_row_by_row() {
        let path = std::env::temp_dir().join(format!("licit-{}.parquet", uuid::Uuid::now_v7()));
        let schema = "message m { required int64 phone; optional binary mail (UTF8); }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut phones = group.next_column().unwrap().unwrap();
        phones.typed::<Int64Type>().write_batch(&[33_612_345_678, 7], None, None).unwrap();
        phones.close().unwrap();
        let mut mails = group.next_column().unwrap().unwrap();
        mails.typed::<ByteArrayType>().write_batch(&[ByteArray::from("a@b.example")], Some(&[1, 0]), None).unwrap();
        mails.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        let read = |column: &str| -> Vec<(u64, Option<String>)> {
            let column = open(&path, column).unwrap();
            assert_eq!(column.whole, 2);
            column.values.map(|value| value.map(|(_, value)| (value.line, value.text)).unwrap()).collect()
        };
        assert_eq!(read("phone"), [(1, Some("33612345678".to_owned())), (2, Some("7".to_owned()))]);
        assert_eq!(read("mail"), [(1, Some("a@b.example".to_owned())), (2, Some(String::new()))]);
        assert!(open(&path, "name").is_err());
        std::fs::write(&path, "mail\na@b.example\n").unwrap();
        let told = open(&path, "mail").err().unwrap().to_string();
        assert!(!told.contains("a@b"), "{told}");
        std::fs::remove_file(&path).unwrap();
    }
}
