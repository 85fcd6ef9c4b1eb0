//! Compiles the operators in C++, against the headers of the LibTorch that torch-sys takes, and tells programs where LibTorch is at run time.

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    for file in ["src/operators.cpp", "src/kernels.h"] {
        println!("cargo:rerun-if-changed={file}");
    }
    // torch-sys would take another LibTorch than the one whose headers are read here.
    for name in [
        "LIBTORCH_USE_PYTORCH",
        "LIBTORCH_INCLUDE",
        "LIBTORCH_LIB",
        "LIBTORCH_CXX11_ABI",
    ] {
        println!("cargo:rerun-if-env-changed={name}");
        if std::env::var_os(name).is_some() {
            panic!(
                "{name} is set, and the operators are compiled against the LibTorch of LIBTORCH alone: unset it"
            );
        }
    }
    let libtorch = std::env::var("LIBTORCH").ok();
    // Where torch-sys looks without it.
    let root = libtorch.as_deref().unwrap_or("/usr");
    let version = format!("{root}/include/torch/csrc/api/include/torch/version.h");
    println!("cargo:rerun-if-changed={version}");
    if !std::path::Path::new(&version).exists() {
        panic!(
            "there is no {version}: run scripts/setup, and build with scripts/cargo, or set LIBTORCH to a folder with LibTorch 2.11.0"
        );
    }
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
