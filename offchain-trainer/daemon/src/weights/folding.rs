//! A version that isn't confirmed yet, made of its base and the accepted updates.
//!
//! The updates stay on disk: a range of each is in memory. What comes of it is in memory only, never on disk.

use std::sync::Arc;

use hydra_primitives::{BlobRef, H256, duty::VersionRecipe, model::ModelSpec};
use hydra_update::{FoldFilesError, UpdateFile, fold_files};

use super::{Named, TRIES, Weights, WeightsError};
use crate::{
    depot::{Depot, DepotError},
    lock,
    models::Model,
    stage::{Stage, StageCell},
};

const UPDATE: &str = "an accepted update";

/// What one try at folding comes to.
#[derive(Debug)]
enum Folded {
    /// The version.
    Version(Named),
    /// Nothing: these updates are damaged on disk, or gone.
    Damaged(Vec<H256>),
}

impl Weights {
    pub(super) async fn fold(
        &self,
        genesis: H256,
        model: &Model,
        recipe: &VersionRecipe,
        stage: &StageCell,
    ) -> Result<Named, WeightsError> {
        let base = self.named(genesis, model, recipe.base, stage).await?;
        let updates = self.samples_of(model, recipe).await?;
        let mut lost = H256::zero();
        for _ in 0..TRIES {
            let fetched = self.fetch_updates(genesis, model, recipe, stage).await;
            fetched.map_err(missing)?;
            stage.set(Stage::Folding, format!("version {}", recipe.version));
            let damaged = match self.fold_once((model, recipe.id()), &base, &updates).await? {
                Folded::Version(version) => return Ok(version),
                Folded::Damaged(damaged) => damaged,
            };
            lost = damaged.first().copied().unwrap_or_default();
            self.depot.look_again(damaged).await.map_err(missing)?;
        }
        Err(missing(DepotError::Damaged { hash: lost }))
    }

    async fn fold_once(
        &self,
        (model, recipe): (&Model, H256),
        base: &Named,
        updates: &[(BlobRef, u32)],
    ) -> Result<Folded, WeightsError> {
        let id = (model.duties.model, recipe);
        // Held by the work itself, which goes on when nobody waits for it any more.
        let place = self.one_fold.clone().acquire_owned().await;
        // Perhaps that was the one before.
        if let Some(known) = lock(&self.cache).known(id) {
            return Ok(Folded::Version(known));
        }
        let (spec, base, updates) = (model.spec().clone(), base.clone(), updates.to_vec());
        let cache = self.cache.clone();
        let folded = self.depot.blocking(move |depot| {
            let _place = place;
            let folded = fold_now(depot, &spec, &base, &updates);
            if let Ok(Folded::Version(version)) = &folded {
                lock(&cache).keep(id, version);
            }
            Ok(folded)
        });
        let what = "the new version";
        folded
            .await
            .map_err(|source| WeightsError::Blob { what, source })?
    }
}

fn missing(source: DepotError) -> WeightsError {
    WeightsError::Blob { what: UPDATE, source }
}

/// Blocks: for as long as reading all updates takes.
fn fold_now(
    depot: &Depot,
    spec: &ModelSpec,
    base: &Named,
    updates: &[(BlobRef, u32)],
) -> Result<Folded, WeightsError> {
    // A bit that flipped since would make this PC find what nobody else does.
    if !base.is_intact(spec) {
        return Err(WeightsError::Damaged);
    }
    let (mut files, mut gone) = (Vec::with_capacity(updates.len()), Vec::new());
    for (blob, samples) in updates {
        match depot.open_unverified(blob.hash).map_err(missing)? {
            Some(file) => files.push(UpdateFile {
                blob: *blob,
                samples: *samples,
                file,
            }),
            None => gone.push(blob.hash),
        }
    }
    if !gone.is_empty() {
        return Ok(Folded::Damaged(gone));
    }
    let name = |index: usize| updates.get(index).map(|(blob, _)| blob.hash).unwrap_or_default();
    match fold_files(spec, &base.state, files) {
        // Reading takes long: the base may have changed since it was looked at.
        Ok(_) if !base.is_intact(spec) => Err(WeightsError::Damaged),
        Ok(state) => Ok(Folded::Version(Named {
            hash: state.hash(spec),
            state: Arc::new(state),
        })),
        Err(FoldFilesError::Damaged { which }) => Ok(Folded::Damaged(which.into_iter().map(name).collect())),
        Err(FoldFilesError::Read { index, source }) => Err(missing(depot.cant_read(name(index), source))),
        Err(error @ FoldFilesError::Update { .. }) => Err(WeightsError::Undecodable {
            what: UPDATE,
            detail: error.to_string(),
        }),
        Err(error @ FoldFilesError::Fold(_)) => Err(WeightsError::Undecodable {
            what: "the new version",
            detail: error.to_string(),
        }),
    }
}

#[cfg(test)]
#[path = "folding_tests.rs"]
mod tests;
