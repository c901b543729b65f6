//! Moves [`Typed`] values into and out of a guest by the canonical ABI, rows of numbers as blocks.
//!
//! wasmtime's own dynamic values box every number of a list (a list of a million `f64` takes some
//! 50 ms; here it takes 2 ms). So this module implements the traits behind `TypedFunc` for values
//! whose type is known only at run time. Those traits are public but hidden: wasmtime is pinned to
//! one exact version. The way in is in `lower`, the way out in `lift`, what both need in `shape`.
//!
//! The layout follows the component model's
//! [canonical ABI](https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md),
//! for 32-bit memories.
#![expect(
    unsafe_code,
    reason = "the traits are unsafe to implement; each impl says why it is sound"
)]

mod error;
mod lift;
mod lower;
mod shape;

use std::mem::{self, MaybeUninit};
use std::sync::{Mutex, PoisonError};

use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext,
};
use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower};
use wasmtime::error::{Context as _, bail};
use wasmtime::{Result, ValRaw};

use crate::budget::Charge;
use crate::codec::types::Typed;
pub(super) use error::{RepeatedKey, ResultTooLarge};
use lift::{load, slice, unflat};
use lower::{Slots, flat, store};

#[cfg(target_endian = "big")]
compile_error!("lists are copied as they lie in memory, which must be little-endian like wasm's");

/// The canonical ABI passes up to this many core values directly, more through memory.
const MAX_FLAT_PARAMETERS: usize = 16;

/// The arguments of one call, in the order of the parameters. wasmtime keeps them until the call has
/// ended; each is given up as soon as the guest has it, since it may be large.
pub(super) struct Parameters(Mutex<(Vec<Typed>, Option<Charge>)>);

impl Parameters {
    /// `held` is given back with the arguments.
    pub(super) fn new(arguments: Vec<Typed>, held: Option<Charge>) -> Self {
        Self(Mutex::new((arguments, held)))
    }
}

/// The result of one call, which occupies `FLAT` core values: 1 for a function that is lifted
/// synchronously (the value, or a pointer to it), up to 16 for one that is lifted asynchronously.
pub(super) struct Returned<const FLAT: usize>(pub(super) Option<Typed>);

// SAFETY: a list of parameters is what this is; the trait has no items.
unsafe impl ComponentNamedList for Parameters {}

// SAFETY: `Lower` is an array of `ValRaw` as the trait demands. `ABI` is only used for types with
// more than 16 flat values, which `[ValRaw; 16]` is not.
unsafe impl ComponentType for Parameters {
    type Lower = [ValRaw; MAX_FLAT_PARAMETERS];
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        typecheck(ty, types)
    }
}

// SAFETY: `linear_lower_to_flat` initialises every value of `dst`, and writes each argument as the
// type that wasmtime hands it demands, refusing one that does not fit; see `flat` and `store`.
unsafe impl Lower for Parameters {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<Self::Lower>,
    ) -> Result<()> {
        let slots = dst.write([ValRaw::u64(0); MAX_FLAT_PARAMETERS]);
        let InterfaceType::Tuple(index) = ty else { bail!("the parameters are not a tuple") };
        let types = cx.types;
        let parameters = &types[index];
        let (arguments, _held) =
            mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if parameters.types.len() != arguments.len() {
            bail!("{} arguments for {} parameters", arguments.len(), parameters.types.len());
        }
        if parameters.abi.flat_count(MAX_FLAT_PARAMETERS).is_some() {
            let mut slots = Slots(slots.iter_mut());
            for (value, ty) in arguments.into_iter().zip(&parameters.types) {
                flat(&value, cx, *ty, &mut slots)?;
            }
        } else {
            let address =
                cx.realloc(0, 0, parameters.abi.align32, parameters.abi.size32 as usize)?;
            let mut offset = address;
            for (value, ty) in arguments.into_iter().zip(&parameters.types) {
                let field = types.canonical_abi(ty).next_field32_size(&mut offset);
                store(&value, cx, *ty, field)?;
            }
            slots[0] = ValRaw::i64(address as i64);
        }
        Ok(())
    }

    fn linear_lower_to_memory<T>(
        &self,
        _: &mut LowerContext<'_, T>,
        _: InterfaceType,
        _: usize,
    ) -> Result<()> {
        bail!("parameters are lowered flat")
    }
}

// SAFETY: a list of at most one result is what this is; the trait has no items.
unsafe impl<const FLAT: usize> ComponentNamedList for Returned<FLAT> {}

// SAFETY: as for `Parameters`.
unsafe impl<const FLAT: usize> ComponentType for Returned<FLAT> {
    type Lower = [ValRaw; FLAT];
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        typecheck(ty, types)
    }
}

// SAFETY: every value is read as the type that wasmtime hands us, memory through checked slices;
// `src` is only read as far as that type reaches.
unsafe impl<const FLAT: usize> Lift for Returned<FLAT> {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &[ValRaw; FLAT],
    ) -> Result<Self> {
        let InterfaceType::Tuple(index) = ty else { bail!("the results are not a tuple") };
        let types = cx.types.clone();
        let Some(&ty) = types[index].types.first() else { return Ok(Self(None)) };
        let abi = types.canonical_abi(&ty);
        if abi.flat_count(FLAT).is_some() {
            return unflat(cx, &types, ty, &mut src.iter()).map(|value| Self(Some(value)));
        }
        let address = src.first().context("no pointer to the result")?.get_u32() as usize;
        if !address.is_multiple_of(abi.align32 as usize) {
            bail!("the pointer to the result is not aligned");
        }
        let bytes = slice(cx, address, abi.size32 as usize)?;
        load(cx, &types, ty, bytes).map(|value| Self(Some(value)))
    }

    fn linear_lift_from_memory(
        _: &mut LiftContext<'_>,
        _: InterfaceType,
        _: &[u8],
    ) -> Result<Self> {
        bail!("results are lifted flat")
    }
}

/// Which types a function has is known only at run time, so each value is checked against the type
/// that wasmtime hands over while it is lowered or lifted; all that is fixed is the tuple.
fn typecheck(ty: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
    match ty {
        InterfaceType::Tuple(_) => Ok(()),
        other => bail!("expected a tuple, found {other:?}"),
    }
}
