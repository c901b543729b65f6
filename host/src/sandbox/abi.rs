//! Moves [`Typed`] values into and out of a guest by the canonical ABI, rows of numbers as blocks.
//!
//! wasmtime's own dynamic values box every number of a list (a list of a million `f64` takes some
//! 50 ms; here it takes 2 ms). So this module implements the traits behind `TypedFunc` for values
//! whose type is known only at run time. Those traits are public but hidden: wasmtime is pinned to
//! one exact version, and this is the only module of the host that has unsafe code.
//!
//! The layout follows the component model's
//! [canonical ABI](https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md),
//! for 32-bit memories.
#![expect(
    unsafe_code,
    reason = "the traits are unsafe to implement; each impl says why it is sound"
)]

use std::mem::MaybeUninit;

use wasmtime::component::__internal::wasmtime_environ::component::VariantInfo;
use wasmtime::component::__internal::{
    CanonicalAbiInfo, ComponentTypes, InstanceType, InterfaceType, LiftContext, LowerContext,
};
use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower};
use wasmtime::error::{Context as _, bail, format_err};
use wasmtime::{Result, ValRaw};

use crate::codec::types::{ListOf, Typed};
use crate::value::Numbers;

#[cfg(target_endian = "big")]
compile_error!("lists are copied as they lie in memory, which must be little-endian like wasm's");

/// The canonical ABI passes up to this many core values directly, more through memory.
const MAX_FLAT_PARAMETERS: usize = 16;

/// What the lifted result takes in the host is more than the call's limit.
#[derive(Debug, thiserror::Error)]
#[error("the result is over the limit")]
pub(super) struct ResultTooLarge;

/// The arguments of one call, in the order of the parameters.
pub(super) struct Parameters(pub(super) Vec<Typed>);

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
        if parameters.types.len() != self.0.len() {
            bail!("{} arguments for {} parameters", self.0.len(), parameters.types.len());
        }
        if parameters.abi.flat_count(MAX_FLAT_PARAMETERS).is_some() {
            let mut slots = Slots(slots.iter_mut());
            for (value, ty) in self.0.iter().zip(&parameters.types) {
                flat(value, cx, *ty, &mut slots)?;
            }
        } else {
            let address =
                cx.realloc(0, 0, parameters.abi.align32, parameters.abi.size32 as usize)?;
            let mut offset = address;
            for (value, ty) in self.0.iter().zip(&parameters.types) {
                let field = types.canonical_abi(ty).next_field32_size(&mut offset);
                store(value, cx, *ty, field)?;
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

struct Slots<'a>(std::slice::IterMut<'a, ValRaw>);

impl Slots<'_> {
    fn put(&mut self, value: ValRaw) -> Result<()> {
        *self.0.next().context("more flat values than places")? = value;
        Ok(())
    }
}

fn misfit<T>(value: &Typed, ty: InterfaceType) -> Result<T> {
    bail!("a value does not have its type: {value:?} for {ty:?}")
}

/// A case of a variant, enum, option or result: its payload's type, and the layout.
fn case(
    types: &ComponentTypes,
    ty: InterfaceType,
    case: u32,
) -> Result<(Option<InterfaceType>, &VariantInfo)> {
    let unknown = || format_err!("there is no case {case}");
    Ok(match ty {
        InterfaceType::Variant(i) => {
            (*types[i].cases.get_index(case as usize).ok_or_else(unknown)?.1, &types[i].info)
        }
        InterfaceType::Enum(i) if (case as usize) < types[i].names.len() => (None, &types[i].info),
        InterfaceType::Option(i) if case < 2 => {
            ((case == 1).then_some(types[i].ty), &types[i].info)
        }
        InterfaceType::Result(i) if case < 2 => {
            (if case == 0 { types[i].ok } else { types[i].err }, &types[i].info)
        }
        _ => return Err(unknown()),
    })
}

/// The discriminant and the payload of what has cases.
fn split(value: &Typed) -> Option<(u32, Option<&Typed>)> {
    Some(match value {
        Typed::Variant(case, payload) => (*case, payload.as_deref()),
        Typed::Enum(case) => (*case, None),
        Typed::Option(payload) => (u32::from(payload.is_some()), payload.as_deref()),
        Typed::Result(Ok(payload)) => (0, payload.as_deref()),
        Typed::Result(Err(payload)) => (1, payload.as_deref()),
        _ => return None,
    })
}

/// The parts of a record or a tuple, with their types.
fn parts(types: &ComponentTypes, ty: InterfaceType) -> Option<Vec<InterfaceType>> {
    match ty {
        InterfaceType::Record(i) => Some(types[i].fields.iter().map(|field| field.ty).collect()),
        InterfaceType::Tuple(i) => Some(types[i].types.to_vec()),
        _ => None,
    }
}

/// Lowers to core values.
fn flat<T>(
    value: &Typed,
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
    slots: &mut Slots<'_>,
) -> Result<()> {
    let types = cx.types;
    match (value, ty) {
        (Typed::Bool(b), InterfaceType::Bool) => slots.put(ValRaw::u32((*b).into())),
        (Typed::S8(n), InterfaceType::S8) => slots.put(ValRaw::i32((*n).into())),
        (Typed::U8(n), InterfaceType::U8) => slots.put(ValRaw::u32((*n).into())),
        (Typed::S16(n), InterfaceType::S16) => slots.put(ValRaw::i32((*n).into())),
        (Typed::U16(n), InterfaceType::U16) => slots.put(ValRaw::u32((*n).into())),
        (Typed::S32(n), InterfaceType::S32) => slots.put(ValRaw::i32(*n)),
        (Typed::U32(n), InterfaceType::U32) => slots.put(ValRaw::u32(*n)),
        (Typed::S64(n), InterfaceType::S64) => slots.put(ValRaw::i64(*n)),
        (Typed::U64(n), InterfaceType::U64) => slots.put(ValRaw::u64(*n)),
        (Typed::F32(x), InterfaceType::Float32) => slots.put(ValRaw::f32(x.to_bits())),
        (Typed::F64(x), InterfaceType::Float64) => slots.put(ValRaw::f64(x.to_bits())),
        (Typed::Char(c), InterfaceType::Char) => slots.put(ValRaw::u32((*c).into())),
        (Typed::String(text), InterfaceType::String) => {
            let mut pair = MaybeUninit::new([ValRaw::u64(0); 2]);
            <str as Lower>::linear_lower_to_flat(text, cx, ty, &mut pair)?;
            // SAFETY: it was initialised above, and has been written whole since.
            let [address, length] = unsafe { pair.assume_init() };
            slots.put(address)?;
            slots.put(length)
        }
        (Typed::List(list), InterfaceType::List(i)) => {
            let (address, length) = lower_list(list, cx, types[i].element)?;
            slots.put(ValRaw::i64(address as i64))?;
            slots.put(ValRaw::i64(length as i64))
        }
        (Typed::Record(values), InterfaceType::Record(_))
        | (Typed::Tuple(values), InterfaceType::Tuple(_)) => {
            let parts = parts(types, ty).filter(|parts| parts.len() == values.len());
            let Some(parts) = parts else { return misfit(value, ty) };
            values.iter().zip(parts).try_for_each(|(value, ty)| flat(value, cx, ty, slots))
        }
        (Typed::Flags(words), InterfaceType::Flags(_)) => {
            words.iter().try_for_each(|word| slots.put(ValRaw::u32(*word)))
        }
        (
            _,
            InterfaceType::Variant(_)
            | InterfaceType::Enum(_)
            | InterfaceType::Option(_)
            | InterfaceType::Result(_),
        ) => {
            let Some((discriminant, payload)) = split(value) else { return misfit(value, ty) };
            slots.put(ValRaw::u32(discriminant))?;
            let count = |ty: &InterfaceType| {
                types.canonical_abi(ty).flat_count(usize::MAX).context("too many flat values")
            };
            let (payload_type, _) = case(types, ty, discriminant)?;
            let written = match (payload, payload_type) {
                (Some(payload), Some(ty)) => {
                    flat(payload, cx, ty, slots)?;
                    count(&ty)?
                }
                (None, None) => 0,
                _ => return misfit(value, ty),
            };
            // Other cases may be longer; all cases take the room of the longest.
            (1 + written..count(&ty)?).try_for_each(|_| slots.put(ValRaw::u64(0)))
        }
        _ => misfit(value, ty),
    }
}

/// Lowers into the guest's memory at `at`, which is aligned and has room for the type.
fn store<T>(
    value: &Typed,
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
    at: usize,
) -> Result<()> {
    let types = cx.types;
    match (value, ty) {
        (Typed::Bool(b), InterfaceType::Bool) => put(cx, at, [u8::from(*b)]),
        (Typed::S8(n), InterfaceType::S8) => put(cx, at, n.to_le_bytes()),
        (Typed::U8(n), InterfaceType::U8) => put(cx, at, n.to_le_bytes()),
        (Typed::S16(n), InterfaceType::S16) => put(cx, at, n.to_le_bytes()),
        (Typed::U16(n), InterfaceType::U16) => put(cx, at, n.to_le_bytes()),
        (Typed::S32(n), InterfaceType::S32) => put(cx, at, n.to_le_bytes()),
        (Typed::U32(n), InterfaceType::U32) => put(cx, at, n.to_le_bytes()),
        (Typed::S64(n), InterfaceType::S64) => put(cx, at, n.to_le_bytes()),
        (Typed::U64(n), InterfaceType::U64) => put(cx, at, n.to_le_bytes()),
        (Typed::F32(x), InterfaceType::Float32) => put(cx, at, x.to_le_bytes()),
        (Typed::F64(x), InterfaceType::Float64) => put(cx, at, x.to_le_bytes()),
        (Typed::Char(c), InterfaceType::Char) => put(cx, at, u32::from(*c).to_le_bytes()),
        (Typed::String(text), InterfaceType::String) => {
            <str as Lower>::linear_lower_to_memory(text, cx, ty, at)?
        }
        (Typed::List(list), InterfaceType::List(i)) => {
            let (address, length) = lower_list(list, cx, types[i].element)?;
            put(cx, at, u32::try_from(address)?.to_le_bytes());
            put(cx, at + 4, u32::try_from(length)?.to_le_bytes());
        }
        (Typed::Record(values), InterfaceType::Record(_))
        | (Typed::Tuple(values), InterfaceType::Tuple(_)) => {
            let parts = parts(types, ty).filter(|parts| parts.len() == values.len());
            let Some(parts) = parts else { return misfit(value, ty) };
            let mut offset = at;
            for (value, ty) in values.iter().zip(parts) {
                let field = types.canonical_abi(&ty).next_field32_size(&mut offset);
                store(value, cx, ty, field)?;
            }
        }
        (Typed::Flags(words), InterfaceType::Flags(_)) => match types.canonical_abi(&ty).size32 {
            0 => {}
            1 => put(cx, at, [words[0] as u8]),
            2 => put(cx, at, (words[0] as u16).to_le_bytes()),
            _ => {
                for (i, word) in words.iter().enumerate() {
                    put(cx, at + 4 * i, word.to_le_bytes());
                }
            }
        },
        (
            _,
            InterfaceType::Variant(_)
            | InterfaceType::Enum(_)
            | InterfaceType::Option(_)
            | InterfaceType::Result(_),
        ) => {
            let Some((discriminant, payload)) = split(value) else { return misfit(value, ty) };
            let (payload_type, info) = case(types, ty, discriminant)?;
            match info.size.byte_size() {
                1 => put(cx, at, [discriminant as u8]),
                2 => put(cx, at, (discriminant as u16).to_le_bytes()),
                _ => put(cx, at, discriminant.to_le_bytes()),
            }
            match (payload, payload_type) {
                (Some(payload), Some(ty)) => {
                    store(payload, cx, ty, at + info.payload_offset32 as usize)?
                }
                (None, None) => {}
                _ => return misfit(value, ty),
            }
        }
        _ => return misfit(value, ty),
    }
    Ok(())
}

/// The room at `at` was allocated by the guest and checked by `realloc`.
fn put<T, const N: usize>(cx: &mut LowerContext<'_, T>, at: usize, bytes: [u8; N]) {
    *cx.get(at) = bytes;
}

/// Copies a list into memory that the guest allocates; returns its address and length.
fn lower_list<T>(
    list: &ListOf,
    cx: &mut LowerContext<'_, T>,
    element: InterfaceType,
) -> Result<(usize, usize)> {
    macro_rules! block {
        ($v:expr) => {{
            let bytes: &[u8] = bytemuck::cast_slice($v);
            let align = cx.types.canonical_abi(&element).align32;
            let address = cx.realloc(0, 0, align, bytes.len())?;
            cx.as_slice_mut()[address..][..bytes.len()].copy_from_slice(bytes);
            Ok((address, $v.len()))
        }};
    }
    match (list, element) {
        (ListOf::Bytes(v), InterfaceType::U8) => block!(&v[..]),
        (ListOf::Numbers(numbers), _) => match (numbers, element) {
            (Numbers::I8(v), InterfaceType::S8) => block!(&v[..]),
            (Numbers::U8(v), InterfaceType::U8) => block!(&v[..]),
            (Numbers::I16(v), InterfaceType::S16) => block!(&v[..]),
            (Numbers::U16(v), InterfaceType::U16) => block!(&v[..]),
            (Numbers::I32(v), InterfaceType::S32) => block!(&v[..]),
            (Numbers::U32(v), InterfaceType::U32) => block!(&v[..]),
            (Numbers::I64(v), InterfaceType::S64) => block!(&v[..]),
            (Numbers::U64(v), InterfaceType::U64) => block!(&v[..]),
            (Numbers::F32(v), InterfaceType::Float32) => block!(&v[..]),
            (Numbers::F64(v), InterfaceType::Float64) => block!(&v[..]),
            _ => bail!("a list of {} for a list of {element:?}", numbers.kind()),
        },
        (ListOf::Items(items), _) => {
            let abi = cx.types.canonical_abi(&element);
            let (size, align) = (abi.size32 as usize, abi.align32);
            let bytes = size.checked_mul(items.len()).context("a list is too long")?;
            let address = cx.realloc(0, 0, align, bytes)?;
            for (i, item) in items.iter().enumerate() {
                store(item, cx, element, address + i * size)?;
            }
            Ok((address, items.len()))
        }
        (ListOf::Bytes(_), _) => bail!("bytes for a list of {element:?}"),
    }
}

/// Bytes of the guest's memory.
fn slice<'a>(cx: &LiftContext<'a>, address: usize, length: usize) -> Result<&'a [u8]> {
    cx.memory()
        .get(address..)
        .and_then(|rest| rest.get(..length))
        .context("a pointer leads out of the guest's memory")
}

fn charge(cx: &mut LiftContext<'_>, bytes: usize) -> Result<()> {
    cx.consume_fuel(bytes).map_err(|_| ResultTooLarge.into())
}

/// Lifts from core values.
fn unflat(
    cx: &mut LiftContext<'_>,
    types: &ComponentTypes,
    ty: InterfaceType,
    src: &mut std::slice::Iter<'_, ValRaw>,
) -> Result<Typed> {
    let mut next = || src.next().context("fewer flat values than the type has");
    Ok(match ty {
        InterfaceType::Bool => Typed::Bool(next()?.get_i32() != 0),
        InterfaceType::S8 => Typed::S8(next()?.get_i32() as i8),
        InterfaceType::U8 => Typed::U8(next()?.get_u32() as u8),
        InterfaceType::S16 => Typed::S16(next()?.get_i32() as i16),
        InterfaceType::U16 => Typed::U16(next()?.get_u32() as u16),
        InterfaceType::S32 => Typed::S32(next()?.get_i32()),
        InterfaceType::U32 => Typed::U32(next()?.get_u32()),
        InterfaceType::S64 => Typed::S64(next()?.get_i64()),
        InterfaceType::U64 => Typed::U64(next()?.get_u64()),
        InterfaceType::Float32 => Typed::F32(f32::from_bits(next()?.get_f32())),
        InterfaceType::Float64 => Typed::F64(f64::from_bits(next()?.get_f64())),
        InterfaceType::Char => Typed::Char(character(next()?.get_u32())?),
        // Strings and lists are a pointer and a length, flat or in memory.
        InterfaceType::String | InterfaceType::List(_) => {
            let (address, length) = (next()?.get_u32(), next()?.get_u32());
            let mut pair = [0; 8];
            pair[..4].copy_from_slice(&address.to_le_bytes());
            pair[4..].copy_from_slice(&length.to_le_bytes());
            load(cx, types, ty, &pair)?
        }
        InterfaceType::Record(_) | InterfaceType::Tuple(_) => {
            let parts = parts(types, ty).unwrap_or_default();
            charge(cx, parts.len() * size_of::<Typed>())?;
            let values =
                parts.into_iter().map(|ty| unflat(cx, types, ty, src)).collect::<Result<_>>()?;
            if matches!(ty, InterfaceType::Record(_)) {
                Typed::Record(values)
            } else {
                Typed::Tuple(values)
            }
        }
        InterfaceType::Flags(i) => {
            let words = types[i].names.len().div_ceil(32);
            Typed::Flags((0..words).map(|_| Ok(next()?.get_u32())).collect::<Result<_>>()?)
        }
        InterfaceType::Variant(_)
        | InterfaceType::Enum(_)
        | InterfaceType::Option(_)
        | InterfaceType::Result(_) => {
            let discriminant = next()?.get_u32();
            let room =
                types.canonical_abi(&ty).flat_count(usize::MAX).context("too many flat values")?
                    - 1;
            let (mine, rest) = src
                .as_slice()
                .split_at_checked(room)
                .context("fewer flat values than the type has")?;
            *src = rest.iter();
            let (payload_type, _) = case(types, ty, discriminant)?;
            let payload =
                payload_type.map(|ty| unflat(cx, types, ty, &mut mine.iter())).transpose()?;
            joined(cx, ty, discriminant, payload)?
        }
        other => bail!("{other:?} cannot be returned"),
    })
}

/// Lifts from the guest's memory; `bytes` is as long as the type.
fn load(
    cx: &mut LiftContext<'_>,
    types: &ComponentTypes,
    ty: InterfaceType,
    bytes: &[u8],
) -> Result<Typed> {
    fn at<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
        bytes.first_chunk().copied().context("fewer bytes than the type has")
    }
    Ok(match ty {
        InterfaceType::Bool => Typed::Bool(at::<1>(bytes)? != [0]),
        InterfaceType::S8 => Typed::S8(i8::from_le_bytes(at(bytes)?)),
        InterfaceType::U8 => Typed::U8(u8::from_le_bytes(at(bytes)?)),
        InterfaceType::S16 => Typed::S16(i16::from_le_bytes(at(bytes)?)),
        InterfaceType::U16 => Typed::U16(u16::from_le_bytes(at(bytes)?)),
        InterfaceType::S32 => Typed::S32(i32::from_le_bytes(at(bytes)?)),
        InterfaceType::U32 => Typed::U32(u32::from_le_bytes(at(bytes)?)),
        InterfaceType::S64 => Typed::S64(i64::from_le_bytes(at(bytes)?)),
        InterfaceType::U64 => Typed::U64(u64::from_le_bytes(at(bytes)?)),
        InterfaceType::Float32 => Typed::F32(f32::from_le_bytes(at(bytes)?)),
        InterfaceType::Float64 => Typed::F64(f64::from_le_bytes(at(bytes)?)),
        InterfaceType::Char => Typed::Char(character(u32::from_le_bytes(at(bytes)?))?),
        InterfaceType::String => {
            // Charged by wasmtime too, whose refusal cannot be told from other errors; UTF-16 may
            // take half as much again.
            charge(cx, u32::from_le_bytes(at(bytes.get(4..).unwrap_or_default())?) as usize)?;
            let text = String::linear_lift_from_memory(cx, ty, bytes)?;
            Typed::String(text.into())
        }
        InterfaceType::List(i) => {
            let address = u32::from_le_bytes(at(bytes)?) as usize;
            let length = u32::from_le_bytes(at(bytes.get(4..).unwrap_or_default())?) as usize;
            Typed::List(load_list(cx, types, types[i].element, address, length)?)
        }
        InterfaceType::Record(_) | InterfaceType::Tuple(_) => {
            let parts = parts(types, ty).unwrap_or_default();
            charge(cx, parts.len() * size_of::<Typed>())?;
            let mut offset = 0;
            let values = parts.into_iter().map(|ty| {
                let abi = types.canonical_abi(&ty);
                let field = abi.next_field32_size(&mut offset);
                load(cx, types, ty, bytes.get(field..).unwrap_or_default())
            });
            let values = values.collect::<Result<_>>()?;
            if matches!(ty, InterfaceType::Record(_)) {
                Typed::Record(values)
            } else {
                Typed::Tuple(values)
            }
        }
        InterfaceType::Flags(_) => Typed::Flags(match types.canonical_abi(&ty).size32 {
            0 => Vec::new(),
            1 => vec![u32::from(at::<1>(bytes)?[0])],
            2 => vec![u32::from(u16::from_le_bytes(at(bytes)?))],
            size => (0..size as usize)
                .step_by(4)
                .map(|i| Ok(u32::from_le_bytes(at(bytes.get(i..).unwrap_or_default())?)))
                .collect::<Result<_>>()?,
        }),
        InterfaceType::Variant(_)
        | InterfaceType::Enum(_)
        | InterfaceType::Option(_)
        | InterfaceType::Result(_) => {
            let (_, info) = case(types, ty, 0)?;
            let discriminant = match info.size.byte_size() {
                1 => u32::from(at::<1>(bytes)?[0]),
                2 => u32::from(u16::from_le_bytes(at(bytes)?)),
                _ => u32::from_le_bytes(at(bytes)?),
            };
            let (payload_type, info) = case(types, ty, discriminant)?;
            let payload_bytes = bytes.get(info.payload_offset32 as usize..).unwrap_or_default();
            let payload = payload_type.map(|ty| load(cx, types, ty, payload_bytes)).transpose()?;
            joined(cx, ty, discriminant, payload)?
        }
        other => bail!("{other:?} cannot be returned"),
    })
}

/// What has cases, put together again.
fn joined(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    case: u32,
    payload: Option<Typed>,
) -> Result<Typed> {
    charge(cx, size_of::<Typed>())?;
    let payload = payload.map(Box::new);
    Ok(match ty {
        InterfaceType::Enum(_) => Typed::Enum(case),
        InterfaceType::Option(_) => Typed::Option(payload),
        InterfaceType::Result(_) if case == 0 => Typed::Result(Ok(payload)),
        InterfaceType::Result(_) => Typed::Result(Err(payload)),
        _ => Typed::Variant(case, payload),
    })
}

fn load_list(
    cx: &mut LiftContext<'_>,
    types: &ComponentTypes,
    element: InterfaceType,
    address: usize,
    length: usize,
) -> Result<ListOf> {
    let abi = types.canonical_abi(&element);
    let size = abi.size32 as usize;
    if !address.is_multiple_of(abi.align32 as usize) {
        bail!("the pointer to a list is not aligned");
    }
    let bytes = slice(cx, address, size.checked_mul(length).context("a list is too long")?)?;
    macro_rules! block {
        ($ty:ty) => {{
            charge(cx, bytes.len())?;
            ListOf::Numbers(Numbers::from(bytemuck::pod_collect_to_vec::<u8, $ty>(bytes)))
        }};
    }
    Ok(match element {
        InterfaceType::U8 => {
            charge(cx, bytes.len())?;
            ListOf::Bytes(bytes.to_vec().into())
        }
        InterfaceType::S8 => block!(i8),
        InterfaceType::S16 => block!(i16),
        InterfaceType::U16 => block!(u16),
        InterfaceType::S32 => block!(i32),
        InterfaceType::U32 => block!(u32),
        InterfaceType::S64 => block!(i64),
        InterfaceType::U64 => block!(u64),
        InterfaceType::Float32 => block!(f32),
        InterfaceType::Float64 => block!(f64),
        _ => {
            charge(cx, length.saturating_mul(size_of::<Typed>()))?;
            // An element may take no bytes at all, and `chunks_exact` refuses that.
            let items =
                (0..length).map(|i| load(cx, types, element, &bytes[i * size..(i + 1) * size]));
            ListOf::Items(items.collect::<Result<_>>()?)
        }
    })
}

fn character(code: u32) -> Result<char> {
    char::from_u32(code).with_context(|| format!("{code:#x} is not a character"))
}
