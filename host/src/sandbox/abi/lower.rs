//! The way into a guest: to core values, and into memory that the guest allocates.

use std::mem::MaybeUninit;

use wasmtime::component::__internal::wasmtime_environ::component::{ComponentTypes, TypeMap};
use wasmtime::component::__internal::{InterfaceType, LowerContext};
use wasmtime::component::Lower;
use wasmtime::error::{Context as _, bail};
use wasmtime::{Result, ValRaw};

use super::shape::{case, parts, split};
use crate::codec::types::{ListOf, Typed};
use crate::value::Numbers;

/// The core values that are not written yet.
pub(super) struct Slots<'a>(pub(super) std::slice::IterMut<'a, ValRaw>);

impl Slots<'_> {
    fn put(&mut self, value: ValRaw) -> Result<()> {
        *self.0.next().context("more flat values than places")? = value;
        Ok(())
    }
}

fn misfit<T>(value: &Typed, ty: InterfaceType) -> Result<T> {
    bail!("a value does not have its type: {value:?} for {ty:?}")
}

/// Lowers to core values.
pub(super) fn flat<T>(
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
        (Typed::Map(entries), InterfaceType::Map(_) | InterfaceType::List(_)) => {
            let (address, length) = lower_map(entries, cx, ty)?;
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
pub(super) fn store<T>(
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
            <str as Lower>::linear_lower_to_memory(text, cx, ty, at)?;
        }
        (Typed::List(list), InterfaceType::List(i)) => {
            let (address, length) = lower_list(list, cx, types[i].element)?;
            put(cx, at, u32::try_from(address)?.to_le_bytes());
            put(cx, at + 4, u32::try_from(length)?.to_le_bytes());
        }
        (Typed::Map(entries), InterfaceType::Map(_) | InterfaceType::List(_)) => {
            let (address, length) = lower_map(entries, cx, ty)?;
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
                    store(payload, cx, ty, at + info.payload_offset32 as usize)?;
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

/// How the entries of a map lie in memory.
struct Entries {
    key: InterfaceType,
    value: InterfaceType,
    size: usize,
    align: u32,
    /// Where the value is in an entry; the key is at its beginning.
    value_offset: usize,
}

impl Entries {
    /// Those of a map, or of a list of pairs, as which it lies in memory.
    fn of(types: &ComponentTypes, ty: InterfaceType) -> Result<Self> {
        let element = match ty {
            InterfaceType::Map(i) => {
                let TypeMap { key, value, entry_abi, value_offset32, .. } = &types[i];
                return Ok(Self {
                    key: *key,
                    value: *value,
                    size: entry_abi.size32 as usize,
                    align: entry_abi.align32,
                    value_offset: *value_offset32 as usize,
                });
            }
            InterfaceType::List(i) => types[i].element,
            ty => ty,
        };
        let pair = parts(types, element).unwrap_or_default();
        let [key, value] = pair[..] else { bail!("a map for a list of {element:?}") };
        let abi = types.canonical_abi(&element);
        let mut end = 0;
        let [_, value_offset] =
            [key, value].map(|ty| types.canonical_abi(&ty).next_field32_size(&mut end));
        Ok(Self { key, value, size: abi.size32 as usize, align: abi.align32, value_offset })
    }
}

/// Writes a map; returns its address and length.
fn lower_map<T>(
    entries: &[(Typed, Typed)],
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
) -> Result<(usize, usize)> {
    let layout = Entries::of(cx.types, ty)?;
    let bytes = layout.size.checked_mul(entries.len()).context("a map is too long")?;
    let address = cx.realloc(0, 0, layout.align, bytes)?;
    for (i, (key, value)) in entries.iter().enumerate() {
        let at = address + i * layout.size;
        store(key, cx, layout.key, at)?;
        store(value, cx, layout.value, at + layout.value_offset)?;
    }
    Ok((address, entries.len()))
}
