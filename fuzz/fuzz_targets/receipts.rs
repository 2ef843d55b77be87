#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| licit_fuzz::receipts(bytes));
