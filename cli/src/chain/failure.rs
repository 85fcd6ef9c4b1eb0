//! Why a transaction that was included failed, in words.

use subxt::error::DispatchError;

/// A failed call in the words of the pallet that refused it.
pub(crate) fn explain(error: &DispatchError) -> String {
    if let DispatchError::Module(error) = error
        && let Ok(details) = error.details()
    {
        let words = details.variant.docs.join(" ");
        if !words.trim().is_empty() {
            return words.trim().into();
        }
        return format!("{} says {}", details.pallet.name(), details.variant.name);
    }
    error.to_string()
}
