//! Compiles the operators in C++, against the headers of the LibTorch that torch-sys takes, and tells programs where LibTorch is at run time.

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    for file in ["src/operators.cpp", "src/kernels.h"] {
        println!("cargo:rerun-if-changed={file}");
    }
    let libtorch = std::env::var("LIBTORCH").ok();
    // Where torch-sys looks without it.
    let root = libtorch.as_deref().unwrap_or("/usr");
    cc::Build::new()
        .cpp(true)
        .pic(true)
        // Of LibTorch's headers there are many.
        .warnings(false)
        .include(format!("{root}/include"))
        .include(format!("{root}/include/torch/csrc/api/include"))
        .flag("-std=c++17")
        // As torch-sys is told by default, and LibTorch is built.
        .flag("-D_GLIBCXX_USE_CXX11_ABI=1")
        // No value is computed there; none ever shall be in a way that the page doesn't say.
        .flag("-ffp-contract=off")
        .file("src/operators.cpp")
        .compile("hydra_operators");
    if let Some(libtorch) = libtorch {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{libtorch}/lib");
        // RPATH, not RUNPATH: the latter is looked at only after LD_LIBRARY_PATH, which may name another LibTorch.
        println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags");
    }
}
