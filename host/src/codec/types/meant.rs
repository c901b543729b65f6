//! Names that are no parameters: what their sender probably meant.

use tarp_schema::nearest::nearest;

use super::signature::Signature;

/// The cure for a wrong name, to follow what is wrong with it; empty where nobody knows one.
pub(super) fn meant(name: &str, signature: &Signature) -> String {
    let names = || signature.parameters.iter().map(|parameter| &*parameter.name);
    if let Some(end) = name.find(['[', '.'])
        && let (bare, within) = name.split_at(end)
        && let Some(parameter) = signature.parameter(bare)
    {
        let index = within.strip_prefix('[').and_then(|within| within.strip_suffix(']'));
        if index.is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit())) {
            let name = &parameter.name;
            return format!("; repeat `{name}` without the brackets, once for each item");
        }
        return format!("; `{}` as a whole is JSON, with its parts in it", parameter.name);
    }
    let plain = |name: &str| name.trim().replace(['-', '.'], "_").to_lowercase();
    let same = names().find(|known| plain(known) == plain(name));
    let near = same.or_else(|| nearest(name, names()));
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
            ("values[0]", "repeat `values` without the brackets"),
            ("values[0][1]", "`values` as a whole is JSON"),
            ("values[x]", "`values` as a whole is JSON"),
            ("n.x", "`n` as a whole is JSON"),
            ("m.x", ""),
            ("value", "`values`"),
            ("max-count", "`max_count`"),
            ("MaxCount", "`max_count`"),
            ("N", "`n`"),
            ("x", ""),
            ("other[]", ""),
        ] {
            let said = meant(name, &signature);
            assert!(said.contains(cure) && said.is_empty() == cure.is_empty(), "{name}: {said}");
        }
    }
}
