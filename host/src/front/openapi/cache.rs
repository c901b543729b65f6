//! The documents that were made last.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::auth::Rights;
use crate::catalog::Catalog;
use crate::front::response::Tagged;

/// How many are kept: one for each kind of caller, and each path below which they see the host.
const MAX_KEPT: usize = 16;

/// The documents that were made of the catalog, by the rights of those who asked and where they did.
#[derive(Default)]
pub(super) struct Cache(Mutex<Documents>);

#[derive(Default)]
struct Documents {
    catalog: Weak<Catalog>,
    /// The oldest first.
    made: Vec<(Option<Rights>, String, Tagged)>,
}

impl Cache {
    /// The document of this catalog for a caller with these rights who sees the host there, made if it is not
    /// kept.
    pub(super) fn get(
        &self,
        catalog: &Arc<Catalog>,
        (rights, server): (Option<&Rights>, &str),
        make: impl FnOnce() -> Tagged,
    ) -> Tagged {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // While it is referred to, no other catalog can be at its address.
        if !std::ptr::eq(cache.catalog.as_ptr(), Arc::as_ptr(catalog)) {
            *cache = Documents { catalog: Arc::downgrade(catalog), made: Vec::new() };
        }
        let made = &mut cache.made;
        let is_it = |of: &Option<Rights>, at: &str| of.as_ref() == rights && at == server;
        if let Some((.., document)) = made.iter().find(|(of, at, _)| is_it(of, at)) {
            return document.clone();
        }
        if made.len() == MAX_KEPT {
            made.remove(0);
        }
        let document = make();
        made.push((rights.cloned(), server.into(), document.clone()));
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Right;

    #[test]
    fn a_document_is_made_once_for_each_catalog_and_kind_of_caller() {
        let cache = Cache::default();
        let (first, second) = (Arc::<Catalog>::default(), Arc::<Catalog>::default());
        let [some, all] = [Right::Jobs, Right::Admin].map(|right| Some(Rights::new([right])));
        let mut made = 0;
        for (catalog, rights) in [
            (&first, &None),
            (&first, &None),
            (&first, &some),
            (&first, &all),
            (&first, &some),
            (&second, &some),
            (&second, &some),
            (&first, &some),
        ] {
            cache.get(catalog, (rights.as_ref(), "/"), || {
                made += 1;
                Tagged::new(&made)
            });
        }
        cache.get(&first, (None, "/tarp/"), || {
            made += 1;
            Tagged::new(&made)
        });
        assert_eq!(made, 6);
    }

    #[test]
    fn only_so_many_documents_are_kept() {
        let (cache, catalog) = (Cache::default(), Arc::<Catalog>::default());
        for n in 0..2 * MAX_KEPT {
            let right = format!("call:procedure-{n}").parse().unwrap();
            let rights = Rights::new([right]);
            cache.get(&catalog, (Some(&rights), "/"), || Tagged::new(&n));
        }
        assert_eq!(cache.0.lock().unwrap().made.len(), MAX_KEPT);
    }
}
