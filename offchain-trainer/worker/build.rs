//! Tells the worker program, and nothing else, where LibTorch is at run time.

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if let Ok(libtorch) = std::env::var("LIBTORCH") {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{libtorch}/lib");
        // RPATH, not RUNPATH: the latter is looked at only after LD_LIBRARY_PATH, which may name another LibTorch.
        println!("cargo:rustc-link-arg-bins=-Wl,--disable-new-dtags");
    }
}
