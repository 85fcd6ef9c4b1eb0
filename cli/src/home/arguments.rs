//! What the programs of a PC in a network with others are started with.

use std::{ffi::OsString, path::PathBuf};

use super::Home;
use crate::spec::Spec;

impl Home {
    /// `hydra-node`'s arguments.
    pub fn node_arguments(&self) -> Vec<OsString> {
        let (node, trainer) = (&self.pc.node, &self.pc.trainer);
        let mut arguments: Vec<OsString> = vec![
            "--chain".into(),
            self.chain_file().into(),
            "--base-path".into(),
            (&node.base_path).into(),
            "--name".into(),
            self.pc.name.clone().into(),
            "--port".into(),
            node.p2p_port.to_string().into(),
            "--rpc-port".into(),
            node.rpc_port.to_string().into(),
            "--trainer-port".into(),
            trainer.http_port.to_string().into(),
            "--trainer-token-file".into(),
            (&trainer.token_file).into(),
            "--no-prometheus".into(),
            "--no-telemetry".into(),
        ];
        if self.joined.validator {
            arguments.push("--validator".into());
        }
        arguments
    }

    /// `hydra-trainer`'s arguments.
    pub fn trainer_arguments(&self, spec: &Spec, datasets: &[PathBuf]) -> Vec<OsString> {
        let (node, trainer) = (&self.pc.node, &self.pc.trainer);
        let mut arguments: Vec<OsString> = vec![
            "--base-path".into(),
            (&trainer.base_path).into(),
            "--http-port".into(),
            trainer.http_port.to_string().into(),
            "--node-rpc-port".into(),
            node.rpc_port.to_string().into(),
            "--token-file".into(),
            (&trainer.token_file).into(),
            "--p2p-port".into(),
            trainer.p2p_port.to_string().into(),
            "--key-file".into(),
            (&trainer.key_file).into(),
            "--network".into(),
            (&spec.id).into(),
        ];
        // Nobody connects to themselves.
        let others = spec
            .trainers
            .iter()
            .filter(|other| !other.ends_with(&trainer.peer_id));
        for other in others {
            arguments.extend([OsString::from("--bootstrap"), other.into()]);
        }
        arguments.extend(self.joined.p2p.trainer_arguments(node.p2p_port));
        for dataset in datasets {
            arguments.extend([OsString::from("--dataset"), dataset.into()]);
        }
        arguments
    }
}
