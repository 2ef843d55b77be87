//! Bad input: each a problem that names the fault; nothing written, nothing broken.
