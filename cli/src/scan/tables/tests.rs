//! Readers of tables against files that are cut short, turned bit by bit, or never end.

use std::path::PathBuf;

use super::*;

struct File(PathBuf);

impl File {
    fn new(ending: &str) -> Self {
        Self(std::env::temp_dir().join(format!("licit-scan-{}.{ending}", uuid::Uuid::now_v7())))
    }

    fn read(&self, bytes: &[u8], form: Form) -> Result<Table> {
        std::fs::write(&self.0, bytes).unwrap();
        read(&self.0, form, 100)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Cut short at every seventeenth byte, and with one bit of every third turned: any answer is one.
fn survives(ending: &str, good: &[u8], form: Form) {
    let file = File::new(ending);
    let table = file.read(good, form).unwrap();
    assert_eq!((table.rows, table.columns.len()), (12, 7), "{table:?}");
    for end in (0..good.len()).step_by(17) {
        let _ = file.read(&good[..end], form);
    }
    let mut bytes = good.to_vec();
    for place in (0..good.len()).step_by(3) {
        bytes[place] ^= 1 << (place % 8);
        let _ = file.read(&bytes, form);
        bytes[place] = good[place];
    }
}

#[cfg(feature = "parquet")]
#[test]
fn broken_parquet_is_answered() {
    survives("parquet", include_bytes!("../../../../tests/fixtures/scan/people.parquet"), Form::Parquet);
}

#[cfg(feature = "parquet")]
#[test]
fn what_parquet_claims_is_held_against_bounds() {
    let file = File::new("parquet");
    let good = include_bytes!("../../../../tests/fixtures/scan/people.parquet");
    let told = |bytes: &[u8]| file.read(bytes, Form::Parquet).unwrap_err().to_string();
    // A schema that goes down for ever: whoever follows it runs out of stack.
    let footer = thrift::tests::chain(200_000);
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    assert!(told(&[&b"PAR1"[..], &footer, &length, b"PAR1"].concat()).contains("levels deep"));
    assert!(told(&[&good[..good.len() - 8], &u32::MAX.to_le_bytes(), b"PAR1"].concat()).contains("claims to have"));
}

#[cfg(feature = "parquet")]
#[test]
fn a_page_that_unfolds_to_much_is_not_unfolded() {
    use ::parquet::basic::Compression;
    use ::parquet::data_type::{ByteArray, ByteArrayType};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;

    let file = File::new("parquet");
    let schema = std::sync::Arc::new(parse_message_type("message m { required binary note (UTF8); }").unwrap());
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).set_dictionary_enabled(false);
    let target = std::fs::File::create(&file.0).unwrap();
    let mut writer = SerializedFileWriter::new(target, schema, properties.build().into()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let value = ByteArray::from(vec![b'a'; 70 << 20]);
    column.typed::<ByteArrayType>().write_batch(&[value], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    assert!(std::fs::metadata(&file.0).unwrap().len() < 8 << 20);
    let table = read(&file.0, Form::Parquet, 100).unwrap();
    assert_eq!((table.rows, table.columns[0].tally.looked_at()), (1, 0));
    assert!(table.warnings[0].contains("too many to unfold"), "{:?}", table.warnings);
}

#[cfg(feature = "arrow")]
#[test]
fn broken_arrow_is_answered() {
    survives("arrow", include_bytes!("../../../../tests/fixtures/scan/people.arrow"), Form::Arrow);
    survives("arrows", include_bytes!("../../../../tests/fixtures/scan/people.arrows"), Form::Arrow);
}

#[test]
fn a_csv_of_any_separator_and_marks_is_read() {
    let file = File::new("csv");
    for text in [
        "\u{feff}mail,n\na@example.com,1\n",
        "mail;n\r\na@example.com;1\r\n",
        "mail\tn\na@example.com\t1\n",
        "\"ma;il\",n\n\"a\nb\",1",
    ] {
        let table = file.read(text.as_bytes(), Form::Csv).unwrap();
        assert_eq!((table.rows, table.columns.len()), (1, 2), "{text:?}");
    }
    let uneven = file.read(b"a,b\n1\n1,2,3\n", Form::Csv).unwrap();
    assert_eq!((uneven.rows, uneven.warnings.len()), (2, 1), "{uneven:?}");
    let latin = file.read(b"nom,b\nRen\xe9,2\n", Form::Csv).unwrap();
    assert!(latin.warnings[0].contains("not UTF-8"), "{latin:?}");
}

#[test]
fn names_that_are_data_are_refused() {
    assert!(is_figure("18.2") && is_figure("69003") && is_figure("-1234"));
    assert!(!is_figure("0") && !is_figure("12") && !is_figure("2024") && !is_figure("x1"));
}
