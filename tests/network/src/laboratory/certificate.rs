//! A certificate for a PC that others get to on port 443 only: made by an authority of the laboratory's own, which nobody else trusts.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// It, with what trusts it.
pub(super) struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// One for this IP address.
    pub(super) fn new(address: &str) -> Self {
        let made = Self {
            folder: tempfile::tempdir().expect("a folder for a certificate"),
        };
        let key = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ];
        let name = format!("subjectAltName=IP:{address}");
        openssl(
            made.folder.path(),
            &[
                &[
                    "req",
                    "-x509",
                    "-subj",
                    "/CN=the laboratory",
                    "-keyout",
                    "authority.key",
                    "-out",
                    "authority.pem",
                ],
                &key[..],
            ]
            .concat(),
        );
        openssl(
            made.folder.path(),
            &[
                &[
                    "req",
                    "-x509",
                    "-CA",
                    "authority.pem",
                    "-CAkey",
                    "authority.key",
                    "-subj",
                    "/CN=a public PC",
                    "-addext",
                    "basicConstraints=critical,CA:FALSE",
                    "-addext",
                    &name,
                    "-keyout",
                    "own.key",
                    "-out",
                    "own.pem",
                ],
                &key[..],
            ]
            .concat(),
        );
        made
    }

    /// The certificate.
    pub(super) fn own(&self) -> PathBuf {
        self.folder.path().join("own.pem")
    }

    /// Its key.
    pub(super) fn key(&self) -> PathBuf {
        self.folder.path().join("own.key")
    }

    /// Who signed it: for those who are to trust it.
    pub(super) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }
}

fn openssl(folder: &Path, words: &[&str]) {
    let output = Command::new("openssl")
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("openssl (package openssl): {error}"));
    assert!(
        output.status.success(),
        "openssl: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
