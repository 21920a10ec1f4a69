//! Certificate authorities that live as long as a test.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

const CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
[leaf]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:127.0.0.1, DNS:localhost
";

/// An authority, and one certificate of it for the loopback address, which servers and clients share.
pub(crate) struct Authority(TempDir);

impl Authority {
    pub(crate) fn new() -> Self {
        let this = Self(TempDir::new().unwrap());
        fs::write(this.path("openssl.cnf"), CONFIG).unwrap();
        this.issue("ca", &[]);
        this.issue("leaf", &["-CA", "ca.pem", "-CAkey", "ca.key"]);
        this
    }

    fn issue(&self, name: &str, signed: &[&str]) {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(self.0.path()).args(["req", "-x509", "-config", "openssl.cnf"]);
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-subj", &format!("/CN={name}"), "-extensions", name, "-days", "2"]);
        openssl.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]);
        let done = openssl.args(signed).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub(crate) fn pem(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap()
    }
}
