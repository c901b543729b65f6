//! Names that are no parameters: what their sender probably meant.

use super::signature::Signature;
use crate::error::excerpt;

/// The cure for a wrong name, to follow what is wrong with it; empty where nobody knows one.
pub(super) fn meant(name: &str, signature: &Signature) -> String {
    let names = || signature.parameters.iter().map(|parameter| &*parameter.name);
    if let Some(bare) = name.strip_suffix("[]")
        && names().any(|name| name == bare)
    {
        return format!("; repeat `{bare}` without the brackets, once for each item");
    }
    let plain = |name: &str| name.trim().replace(['-', '.'], "_").to_lowercase();
    let near = names().find(|known| plain(known) == plain(name)).or_else(|| {
        let name = excerpt(name);
        let distance = |known: &str| strsim::damerau_levenshtein(known, &name);
        let nearest = names().min_by_key(|known| distance(known))?;
        let is_near = distance(nearest) <= 2 && distance(nearest) < nearest.chars().count();
        is_near.then_some(nearest)
    });
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::types::{Parameter, Type};

    #[test]
    fn what_is_near_is_named() {
        let parameter = |name: &str| Parameter { name: name.into(), ty: Type::S32, default: None };
        let parameters = vec![parameter("values"), parameter("max_count"), parameter("n")];
        let signature = Signature { parameters, result: None, is_async: false };
        for (name, cure) in [
            ("values[]", "repeat `values` without the brackets"),
            ("value", "`values`"),
            ("max-count", "`max_count`"),
            ("MaxCount", ""),
            ("N", "`n`"),
            ("x", ""),
            ("other[]", ""),
        ] {
            let said = meant(name, &signature);
            assert!(said.contains(cure) && said.is_empty() == cure.is_empty(), "{name}: {said}");
        }
    }
}
