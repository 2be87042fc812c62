#!/usr/bin/env bash
# Rust's vcard4 makes a part of the family name the given one, and lets a patient be born in the year 0.
#
# Package    vcard4 0.7.3 (crates.io), vCard 4.0 in Rust
# Expected   \; and \, within a part are letters of its text (RFC 6350, §3.4), and are written so again; a comma that is not
#            escaped parts two nicknames or two middle names (§6.2.2, §6.2.3). BDAY:--0412 is 12 April of a year that
#            nobody knows (§6.2.5, §4.3.1). A card that is read and written says what it said
# Seen       the family name `Wong\;Lee` with the given name Mia is written as `Wong;Lee;Mia`: family Wong, given Lee. The
#            middle names Ann and Bo become one, `Ann\,Bo`, and so do two nicknames. BDAY:--0412 is written as
#            00000412, a whole date of the year 0. A unit `Lab\;East` becomes two units. ADR is right. No error
# So         keep the lines of a card that you do not change
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "seen"
version = "0.1.0"
edition = "2021"

[dependencies]
vcard4 = "=0.7.3"
TOML
cat >src/main.rs <<'RUST'
const CARD: &str = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Mia Wong\r\nN:Wong\\;Lee;Mia;Ann,Bo;;\r\n\
NICKNAME:Mimi,Mi\r\nBDAY:--0412\r\nADR:;;1 Main St\\, 2;Boston;MA;02115;USA\r\nORG:Clinic;Lab\\;East\r\nEND:VCARD\r\n";

fn main() {
    let cards = vcard4::parse(CARD).expect("the card is valid");
    let written = cards[0].to_string();
    for expected in [
        "N:Wong;Lee;Mia;Ann\\,Bo;;",
        "NICKNAME:Mimi\\,Mi",
        "BDAY:00000412",
        "ADR:;;1 Main St\\, 2;Boston;MA;02115;USA",
        "ORG:Clinic;Lab;East",
    ] {
        assert!(written.lines().any(|line| line == expected), "{expected} is not in\n{written}");
        println!("{expected}");
    }
}
RUST
cargo run -q
