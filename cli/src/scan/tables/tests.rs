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

#[test]
fn json_lines_with_too_much_in_them_are_refused() {
    let file = File::new("jsonl");
    let told = |text: String| file.read(text.as_bytes(), Form::JsonLines).unwrap_err().to_string();
    // A million members, one after the other or within one another's lists.
    let members: Vec<String> = (0..300_000).map(|n| format!("\"k{n}\":1")).collect();
    assert!(told(format!("{{{}}}", members.join(","))).contains("more than 200000 values"));
    assert!(told(format!("{{\"a\":[{}]}}", vec!["{}"; 300_000].join(","))).contains("more than 200000 values"));
    let members: Vec<String> = (0..6_000).map(|n| format!("\"k{n}\":1")).collect();
    assert!(told(format!("{{{}}}", members.join(","))).contains("more than 5000 different members"));
    // A megabyte of name, above thousands of members: each of these would have it.
    let below: Vec<String> = (0..4_000).map(|n| format!("\"k{n}\":1")).collect();
    assert!(
        told(format!("{{\"{}\":{{{}}}}}", "x".repeat(1 << 20), below.join(",")))
            .contains("no name that can be registered")
    );
    // What stands in a text divides nothing.
    let long = format!("{{\"a\":\"{}\"}}", ",:[{\\\"".repeat(300_000));
    assert_eq!(file.read(long.as_bytes(), Form::JsonLines).unwrap().rows, 1);
}

#[test]
fn nested_names_are_held_to_what_names_are() {
    let file = File::new("jsonl");
    for name in ["jane.doe@example.com", "06.12.34.56.78", "10.0.0.1", "69003.5", "2024-01-01"] {
        let columns = |path: &str| Table { columns: vec![Column::new(path, None)], ..Table::default() };
        for path in [name.to_owned(), format!("a.{name}"), format!("a.{name}.b"), format!("a.b.c.{name}")] {
            assert!(named(&file.0, &columns(&path)).is_err(), "{path}");
        }
    }
    let two = |one: &str, other: &str| Table {
        columns: vec![Column::new(one, None), Column::new(other, None)],
        ..Table::default()
    };
    assert!(named(&file.0, &two("people.Jean", "people.Marie")).is_err());
    assert!(named(&file.0, &two("people.city", "people.name")).is_ok());
}

#[test]
fn names_are_kept_only_so_long() {
    let long = "x".repeat(10 << 20);
    assert_eq!(joined(&joined(&long, &long), "y").len(), LONGEST_NAME);
    assert_eq!((joined("", "a"), joined("a", "b")), ("a".to_owned(), "a.b".to_owned()));
}

#[cfg(feature = "parquet")]
#[test]
fn what_parquet_claims_to_count_is_held_against_what_it_has() {
    use ::parquet::data_type::Int64Type;
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;

    let file = File::new("parquet");
    let schema = std::sync::Arc::new(parse_message_type("message m { required int64 n; }").unwrap());
    let mut writer = SerializedFileWriter::new(
        std::fs::File::create(&file.0).unwrap(),
        schema,
        std::sync::Arc::new(WriterProperties::builder().build()),
    )
    .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[7, 7, 7, 8], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let good = std::fs::read(&file.0).unwrap();
    assert_eq!(read(&file.0, Form::Parquet, 100).unwrap().rows, 4);
    // The head of the dictionary: its number of values, two, becomes millions, as many bytes long as before is not needed by a reader.
    let head = [0x15, 0x04, 0x15, 0x20, 0x15, 0x20];
    let at = good.windows(head.len()).position(|window| window == head);
    let at = at.unwrap_or_else(|| panic!("{:x?}", &good[..40]));
    let inner = at + good[at..].iter().position(|byte| *byte == 0x4c).unwrap();
    let mut bytes = good.clone();
    // 0x15 and the number; 0x7e stands for 63.
    bytes[inner + 2] = 0x7e;
    let table = file.read(&bytes, Form::Parquet).unwrap();
    assert!(table.warnings.iter().any(|w| w.contains("claim to be more than they are")), "{:?}", table.warnings);
    assert_eq!(table.columns[0].tally.looked_at(), 0);
    // Rows of the file and of its group, each alone, then both: four of them become five.
    let footer = good.len() - 8 - u32::from_le_bytes(good[good.len() - 8..good.len() - 4].try_into().unwrap()) as usize;
    let places: Vec<usize> = (footer..good.len() - 9).filter(|at| good[*at..*at + 2] == [0x16, 0x08]).collect();
    let mut told = Vec::new();
    for some in 1..1_u32 << places.len().min(4) {
        let mut bytes = good.clone();
        for (bit, at) in places.iter().enumerate().filter(|(bit, _)| some >> bit & 1 == 1) {
            let _ = bit;
            bytes[at + 1] = 0x0a;
        }
        match file.read(&bytes, Form::Parquet) {
            Ok(table) => told.push(table.rows == 4 || table.claimed),
            Err(_) => told.push(true),
        }
    }
    assert!(!told.is_empty() && told.iter().all(|told| *told), "{told:?}");
}

#[cfg(feature = "arrow")]
#[test]
fn what_arrow_claims_to_count_is_held_against_what_it_has() {
    let file = File::new("arrows");
    let good = include_bytes!("../../../../tests/fixtures/scan/people.arrows");
    // Wherever a number stands that may be how many rows a batch has.
    let number = |at: &usize| (1..=12).contains(&i64::from_le_bytes(good[*at..*at + 8].try_into().unwrap()));
    let places: Vec<usize> = (0..good.len() - 8).filter(number).collect();
    let mut claimed = 0;
    for at in places {
        let mut bytes = good.to_vec();
        bytes[at..at + 8].copy_from_slice(&(1_i64 << 50).to_le_bytes());
        if let Ok(table) = file.read(&bytes, Form::Arrow) {
            assert!(table.rows == 12 || table.claimed, "{table:?}");
            claimed += u32::from(table.claimed && table.warnings.iter().any(|w| w == CLAIMED));
        }
    }
    assert!(claimed > 0);
}
