//! How identifiers are spelled before they are hashed, version `n1`: two spellings of one address are one person. What changes
//! here is another version, or everybody becomes somebody else.

use licit_schemas::subjects::IdentifierType;
use phonenumber::Mode;
use phonenumber::country::Id as Region;
use unicode_normalization::UnicodeNormalization;

/// Longer values are no identifiers.
const LONGEST: usize = 1_000;
/// Digits of E.164 at least: the shortest numbers in use have seven with their country's.
const FEWEST_DIGITS: usize = 7;

/// The one spelling of an identifier, or why it is none.
pub(crate) fn normalise(
    kind: IdentifierType,
    text: &str,
    region: Option<Region>,
) -> std::result::Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("there is nothing");
    }
    if text.len() > LONGEST {
        return Err("longer than 1,000 bytes");
    }
    if text.contains(char::is_control) {
        return Err("a control character stands in it");
    }
    match kind {
        IdentifierType::Email => email(text),
        IdentifierType::Phone => phone(text, region),
        IdentifierType::Opaque => Ok(text.nfc().collect()),
    }
}

/// RFC 5321 lets servers tell `Jane` and `jane` apart; none that people use does. Dots and `+tags` stay: what they mean is each
/// provider's own.
fn email(text: &str) -> std::result::Result<String, &'static str> {
    const NONE: &str = "no e-mail address";
    let text: String = text.nfc().collect();
    let (local, domain) = text.rsplit_once('@').ok_or(NONE)?;
    if local.is_empty() || local.contains(char::is_whitespace) || domain.ends_with('.') {
        return Err(NONE);
    }
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| NONE)?;
    if domain.is_empty() {
        return Err(NONE);
    }
    let local: String = local.to_lowercase().nfc().collect();
    Ok(format!("{local}@{}", domain.to_lowercase()))
}

/// E.164. Whether a number is given out is not asked: numbering plans change faster than programs.
fn phone(text: &str, region: Option<Region>) -> std::result::Result<String, &'static str> {
    const NONE: &str = "no telephone number; without `+` and country code, say --region";
    let parsed = phonenumber::parse(region, text).map_err(|_| NONE)?;
    let number = parsed.format().mode(Mode::E164).to_string();
    let digits = number.strip_prefix('+').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())).ok_or(NONE)?;
    if digits.starts_with('0') || !(FEWEST_DIGITS..=15).contains(&digits.len()) {
        return Err(NONE);
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: IdentifierType, text: &str) -> std::result::Result<String, &'static str> {
        normalise(kind, text, Some(Region::FR))
    }

    #[test]
    fn two_spellings_of_an_address_are_one_person() {
        for (text, wanted) in [
            (" Jane.Doe@EXAMPLE.com ", "jane.doe@example.com"),
            ("jane.doe+news@example.com", "jane.doe+news@example.com"),
            ("JANE@BÜCHER.example", "jane@xn--bcher-kva.example"),
            ("jane@xn--bcher-kva.example", "jane@xn--bcher-kva.example"),
            ("rene\u{301}e@example.com", "ren\u{e9}e@example.com"),
            ("\"a@b\"@example.com", "\"a@b\"@example.com"),
        ] {
            assert_eq!(of(IdentifierType::Email, text).as_deref(), Ok(wanted), "{text}");
        }
        for text in [
            "",
            "  ",
            "jane",
            "@example.com",
            "jane@",
            "jane doe@example.com",
            "a@b@",
            "jane@-.example",
            "jane@example.com.",
            "a\0@b.c",
        ] {
            assert!(of(IdentifierType::Email, text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn two_spellings_of_a_number_are_one_person() {
        for (text, wanted) in [
            ("+353 (0)1 555 0142", "+35315550142"),
            ("+353 1 555 0142", "+35315550142"),
            ("06 12 34 56 78", "+33612345678"),
            ("0033 6 12 34 56 78", "+33612345678"),
            ("+33 (0)6.12.34.56.78", "+33612345678"),
            (" +33612345678 ", "+33612345678"),
        ] {
            assert_eq!(of(IdentifierType::Phone, text).as_deref(), Ok(wanted), "{text}");
        }
        assert_eq!(normalise(IdentifierType::Phone, "01 555 0142", Some(Region::IE)).as_deref(), Ok("+35315550142"));
        assert!(normalise(IdentifierType::Phone, "06 12 34 56 78", None).is_err(), "of which country?");
        for text in ["", "12", "jane@example.com", "+", "+0123456789", "0".repeat(40).as_str()] {
            assert!(of(IdentifierType::Phone, text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn other_ids_keep_their_case() {
        assert_eq!(of(IdentifierType::Opaque, " Ab-7\u{e9} ").as_deref(), Ok("Ab-7\u{e9}"));
        assert_eq!(of(IdentifierType::Opaque, "e\u{301}").as_deref(), Ok("\u{e9}"));
        assert!(of(IdentifierType::Opaque, &"x".repeat(1_001)).is_err());
    }
}
