//! Colours. They are always written and taken out again where nobody sees them (`anstream`: no terminal, `NO_COLOR`).

macro_rules! styles {
    ($($name:ident = $constant:ident, $code:literal;)*) => {
        $(
            /// Code of the style of that name.
            pub(crate) const $constant: &str = $code;

            pub(crate) fn $name(text: &str) -> String {
                format!(concat!("\x1b[", $code, "m{}\x1b[0m"), text)
            }
        )*
    };
}

styles! {
    bold = BOLD, "1";
    dim = DIM, "2";
    red = RED, "1;31";
    green = GREEN, "1;32";
    yellow = YELLOW, "33";
}

/// Code of the first style in a text.
pub(crate) fn code(text: &str) -> Option<&str> {
    let (_, styled) = text.split_once("\x1b[")?;
    styled.split_once('m').map(|(code, _)| code)
}
