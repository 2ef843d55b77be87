//! Numbers that prove themselves: each carries a check digit, so that one which fits was hardly drawn by chance.

/// The characters that people put between groups of digits, left out.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '\u{a0}' | '/')).collect()
}

fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

/// Luhn's sum (ISO/IEC 7812-1).
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ if digit * 2 > 9 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The number of a payment card: the beginning of a known scheme, its length, Luhn's sum.
pub(super) fn is_card(text: &str) -> bool {
    if text.len() > 30 {
        return false;
    }
    let text = bare(text);
    let Some(digits) = digits(&text).filter(|digits| (14..=19).contains(&digits.len())) else { return false };
    let begins = |n: usize| digits[..n].iter().fold(0, |sum, digit| sum * 10 + digit);
    let scheme = match digits.len() {
        14 => matches!(begins(2), 36 | 38 | 39) || (300..=305).contains(&begins(3)),
        15 => matches!(begins(2), 34 | 37),
        16 => {
            digits[0] == 4
                || (51..=55).contains(&begins(2))
                || (2221..=2720).contains(&begins(4))
                || matches!(begins(2), 65 | 35 | 62)
                || begins(4) == 6011
        }
        _ => matches!(begins(2), 62 | 67 | 50) || digits[0] == 4,
    };
    scheme && digits.iter().any(|digit| *digit != digits[0]) && luhn(&digits)
}

/// An international bank account number (ISO 13616): country, check digits, and 97 leaves 1.
pub(super) fn is_iban(text: &str) -> bool {
    if text.len() > 42 {
        return false;
    }
    let text = bare(text).to_ascii_uppercase();
    let bytes = text.as_bytes();
    let form = (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes.iter().all(u8::is_ascii_alphanumeric);
    if !form {
        return false;
    }
    let remainder = bytes[4..].iter().chain(&bytes[..4]).fold(0_u32, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}

/// The French number of registration (NIR, also called number of social security) with its key: 97 less the remainder of the number.
pub(super) fn is_nir(text: &str) -> bool {
    if text.len() > 30 {
        return false;
    }
    let text = bare(text).to_ascii_uppercase();
    if text.len() != 15 || !text.is_ascii() {
        return false;
    }
    let (number, key) = text.split_at(13);
    // Corsica: 2A counts as 19, 2B as 18.
    let number = match &number[5..7] {
        "2A" => format!("{}19{}", &number[..5], &number[7..]),
        "2B" => format!("{}18{}", &number[..5], &number[7..]),
        _ => number.to_owned(),
    };
    let (Ok(number), Ok(key), Some(sex)) = (number.parse::<u64>(), key.parse::<u64>(), number.chars().next()) else {
        return false;
    };
    matches!(sex, '1'..='4' | '7' | '8') && key == 97 - number % 97
}

/// Identifiers that other states give to people, where a check digit, or a form nothing else has, shows them.
pub(super) fn is_national(text: &str) -> Option<&'static str> {
    if text.len() > 30 {
        return None;
    }
    let text = bare(text).to_ascii_uppercase();
    if !text.is_ascii() {
        return None;
    }
    let all = digits(&text);
    match text.len() {
        9 if is_dni(&text) => Some("Spanish identity number (DNI, NIE)"),
        9 if is_nino(&text) => Some("British national insurance number"),
        11 if all.as_deref().is_some_and(is_steuer_id) => Some("German tax number"),
        11 if all.is_some() && is_belgian(&text) => Some("Belgian national number"),
        16 if is_codice_fiscale(&text) => Some("Italian tax code"),
        _ => None,
    }
}

/// Spain: eight digits (or X, Y, Z and seven), and the letter that 23 gives.
fn is_dni(text: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let (number, letter) = text.split_at(8);
    let number = match number.as_bytes()[0] {
        b'X' => format!("0{}", &number[1..]),
        b'Y' => format!("1{}", &number[1..]),
        b'Z' => format!("2{}", &number[1..]),
        _ => number.to_owned(),
    };
    let place = number.parse::<usize>().ok().map(|number| number % 23);
    place.is_some_and(|place| letter.as_bytes()[0] == LETTERS[place])
}

/// The United Kingdom: two letters, six digits, A to D.
fn is_nino(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes[..2].iter().all(|b| b.is_ascii_uppercase() && !b"DFIQUV".contains(b))
        && bytes[2..8].iter().all(u8::is_ascii_digit)
        && (b'A'..=b'D').contains(&bytes[8])
}

/// Germany: ISO/IEC 7064, MOD 11,10.
fn is_steuer_id(digits: &[u32]) -> bool {
    let product = digits[..10].iter().fold(10, |product, digit| {
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        sum * 2 % 11
    });
    digits[0] != 0 && (11 - product) % 10 == digits[10]
}

/// Belgium: 97 less the remainder, with a 2 before the number of who was born since 2000.
fn is_belgian(text: &str) -> bool {
    let (number, key) = text.split_at(9);
    let (Ok(number), Ok(key)) = (number.parse::<u64>(), key.parse::<u64>()) else { return false };
    let month = number / 100_000 % 100;
    month <= 12 && [number, 2_000_000_000 + number].iter().any(|number| key == 97 - number % 97)
}

/// Italy: the letter at the end is made of all before it.
fn is_codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let bytes = text.as_bytes();
    let form = bytes.iter().enumerate().all(|(place, byte)| match place {
        0..=5 | 8 | 11 | 15 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_alphanumeric(),
    });
    if !form {
        return false;
    }
    let value = |byte: &u8| if byte.is_ascii_digit() { u32::from(byte - b'0') } else { u32::from(byte - b'A') };
    let sum: u32 = bytes[..15]
        .iter()
        .enumerate()
        .map(|(place, byte)| if place % 2 == 0 { ODD[value(byte) as usize] } else { value(byte) })
        .sum();
    sum % 26 == u32::from(bytes[15] - b'A')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_known_by_their_check_digits() {
        // Numbers of documentation and of tests, of nobody.
        for card in ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "30569309025904"] {
            assert!(is_card(card), "{card}");
        }
        for none in ["4111 1111 1111 1112", "1234567890123456", "0000000000000000", "73282932000074", "4111"] {
            assert!(!is_card(none), "{none}");
        }
        for iban in ["FR14 2004 1010 0505 0001 3M02 606", "de89370400440532013000", "GB82 WEST 1234 5698 7654 32"] {
            assert!(is_iban(iban), "{iban}");
        }
        for none in
            ["FR14 2004 1010 0505 0001 3M02 607", "FR", "AB12", "DE8937040044053201300\u{e9}", "AA00AAAAAAAAAAAAAAA"]
        {
            assert!(!is_iban(none), "{none}");
        }
        for nir in ["2 55 08 14 168 025 38", "255081416802538", "1 51 02 46 102 043 25"] {
            assert!(is_nir(nir), "{nir}");
        }
        for none in [
            "2 55 08 14 168 025 39",
            "955081416802538",
            "25508141680253",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}a",
        ] {
            assert!(!is_nir(none), "{none}");
        }
        for (number, of) in [
            ("12345678Z", "Spanish"),
            ("X1234567L", "Spanish"),
            ("AB123456C", "British"),
            ("86095742719", "German"),
            ("85073003328", "Belgian"),
            ("RSSMRA85T10A562S", "Italian"),
        ] {
            assert!(is_national(number).is_some_and(|name| name.starts_with(of)), "{number}");
        }
        for none in [
            "12345678A",
            "12345678901",
            "RSSMRA85T10A562T",
            "+33 6 12 34 56 78 9",
            "****************",
            "",
            "\u{20ac}\u{20ac}\u{20ac}",
        ] {
            assert_eq!(is_national(none), None, "{none}");
        }
    }
}
