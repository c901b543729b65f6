//! The way out of a guest: from core values, and from its memory through checked slices.

use wasmtime::component::__internal::wasmtime_environ::component::TypeMap;
use wasmtime::component::__internal::{ComponentTypes, InterfaceType, LiftContext};
use wasmtime::component::Lift;
use wasmtime::error::{Context as _, bail};
use wasmtime::{Result, ValRaw};

use super::error::{RepeatedKey, ResultTooLarge};
use super::shape::{case, parts};
use crate::codec::types::{ListOf, Typed, repeated_key, shown_key};
use crate::value::Numbers;

/// Bytes of the guest's memory.
pub(super) fn slice<'a>(cx: &LiftContext<'a>, address: usize, length: usize) -> Result<&'a [u8]> {
    cx.memory()
        .get(address..)
        .and_then(|rest| rest.get(..length))
        .context("a pointer leads out of the guest's memory")
}

fn charge(cx: &mut LiftContext<'_>, bytes: usize) -> Result<()> {
    cx.consume_fuel(bytes).map_err(|_| ResultTooLarge.into())
}

/// Lifts from core values.
pub(super) fn unflat(
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
        // Strings, lists and maps are a pointer and a length, flat or in memory.
        InterfaceType::String | InterfaceType::List(_) | InterfaceType::Map(_) => {
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

/// Lifts from the guest's memory; `bytes` is at least as long as the type.
pub(super) fn load(
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
            let pair = at::<8>(bytes)?;
            charge(cx, u32::from_le_bytes(at(&pair[4..])?) as usize)?;
            // wasmtime panics if it gets more than the pair.
            let text = String::linear_lift_from_memory(cx, ty, &pair)?;
            Typed::String(text.into())
        }
        InterfaceType::List(i) => {
            let address = u32::from_le_bytes(at(bytes)?) as usize;
            let length = u32::from_le_bytes(at(bytes.get(4..).unwrap_or_default())?) as usize;
            Typed::List(load_list(cx, types, types[i].element, address, length)?)
        }
        InterfaceType::Map(i) => {
            let address = u32::from_le_bytes(at(bytes)?) as usize;
            let length = u32::from_le_bytes(at(bytes.get(4..).unwrap_or_default())?) as usize;
            Typed::Map(load_map(cx, types, &types[i], address, length)?)
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

/// Reads a map, which lies in memory as a list of pairs. The component model lets a guest write a key
/// twice; no one could say which of the values counts, so that is refused.
fn load_map(
    cx: &mut LiftContext<'_>,
    types: &ComponentTypes,
    ty: &TypeMap,
    address: usize,
    length: usize,
) -> Result<Vec<(Typed, Typed)>> {
    let size = ty.entry_abi.size32 as usize;
    if !address.is_multiple_of(ty.entry_abi.align32 as usize) {
        bail!("the pointer to a map is not aligned");
    }
    let bytes = slice(cx, address, size.checked_mul(length).context("a map is too long")?)?;
    charge(cx, length.saturating_mul(size_of::<(Typed, Typed)>()))?;
    let entries = (0..length).map(|i| {
        let entry = &bytes[i * size..(i + 1) * size];
        let key = load(cx, types, ty.key, entry)?;
        let value = entry.get(ty.value_offset32 as usize..).unwrap_or_default();
        Ok((key, load(cx, types, ty.value, value)?))
    });
    let entries: Vec<_> = entries.collect::<Result<_>>()?;
    match repeated_key(&entries) {
        Some(key) => Err(RepeatedKey(shown_key(key)).into()),
        None => Ok(entries),
    }
}

fn character(code: u32) -> Result<char> {
    char::from_u32(code).with_context(|| format!("{code:#x} is not a character"))
}
