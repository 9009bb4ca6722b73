//! The program `pagetrack`.
fn main() {}
