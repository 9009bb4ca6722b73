//! Builds again when the dashboard was built again: the files inside the binary are known by their names only.

#![expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=../web/dist");
}
