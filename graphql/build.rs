//! Builds again when the dashboard was built again: the files inside the binary are known by their names only.

fn main() {
    println!("cargo::rerun-if-changed=../web/dist");
}
