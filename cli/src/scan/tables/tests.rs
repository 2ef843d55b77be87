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
