//! Colours. They are always written and taken out again where nobody sees them (`anstream`: no terminal, `NO_COLOR`).

macro_rules! styles {
    ($($name:ident = $code:literal;)*) => {
        $(pub(crate) fn $name(text: &str) -> String {
            format!(concat!("\x1b[", $code, "m{}\x1b[0m"), text)
        })*
    };
}

styles! {
    bold = "1";
    dim = "2";
    red = "1;31";
    green = "1;32";
    yellow = "33";
}
