//! `wasi:filesystem` for guests: the folders that they were granted, and nothing beside them.
//!
//! What a path leads to is found by wasmtime's implementation, which leaves a folder neither by `..` nor by
//! a link. Here is what it does not know: how much a folder may take, how many files are open, what a call
//! pays, and that neither links nor anything but files and folders are a guest's affair.

use std::sync::Arc;

use rustix::fs::Dir as Listing;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime::{Error, StoreContextMut};
use wasmtime_wasi::filesystem::{
    Descriptor, Dir, File, WasiFilesystemCtxView, WasiFilesystemView as _,
};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};
use wasmtime_wasi::{FsPerms, OpenMode};

use super::debt::Debt;
use super::files::{
    Change, ENTRY, Folder, GrowingFile, Inode, OpenFile, Permit, Position, ReadFile, write,
};
use super::hints::Hints;
use super::state::CallState;

/// Entries of a folder that can be listed: the list is made before the first of them is read.
const MAX_ENTRIES: usize = 100_000;

/// Fuel for an entry of a listing, and bytes that one takes beside its name.
const PER_ENTRY: usize = 100;

/// Bytes that a stream keeps at the most.
const STREAM: usize = 64 << 10;

/// Adds the interfaces in place of wasmtime's own.
pub(super) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    types::add_to_linker::<CallState, HasFiles>(linker, |state| Files { state })?;
    let mut preopens = linker.instance("wasi:filesystem/preopens@0.2.12")?;
    preopens.func_wrap_async(
        "get-directories",
        |mut store: StoreContextMut<'_, CallState>, (): ()| {
            Box::new(async move {
                let mut files = Files { state: store.data_mut() };
                Ok((files.folders().await?,))
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = Files<'a>;
}

/// The files of one call.
struct Files<'a> {
    state: &'a mut CallState,
}

/// What a path names before it is removed or replaced.
struct Entry {
    inode: Inode,
    /// Bytes of the quota.
    cost: u64,
    links: u64,
}

/// The bytes of a quota that something takes.
fn cost(stat: &DescriptorStat) -> u64 {
    match stat.type_ {
        DescriptorType::RegularFile => ENTRY.saturating_add(stat.size),
        _ => ENTRY,
    }
}

/// The same resource, lent once more.
fn lent<T: 'static>(number: u32) -> Resource<T> {
    Resource::new_borrow(number)
}

fn is_code(error: &FsError, code: ErrorCode) -> bool {
    error.downcast_ref() == Some(&code)
}

impl Files<'_> {
    fn wasi(&mut self) -> WasiFilesystemCtxView<'_> {
        self.state.filesystem()
    }

    fn debt(&self) -> &Debt {
        &self.state.debt
    }

    fn hints(&self) -> Hints {
        self.state.hints.clone()
    }

    /// Opens the folders that were granted.
    async fn folders(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let grants = Arc::clone(&self.state.context.grants);
        if grants.folders.is_empty() {
            self.state.hints.add_no_folder(
                "it asked for files, and has no folder; under `[grants]` of its sidecar, `folders = \
                 [{ host = \"/path/on/this/machine\", guest = \"/path/in/the/component\", access = \
                 \"read\" }]` grants one",
            );
        }
        let mut folders = Vec::with_capacity(grants.folders.len());
        for folder in &grants.folders {
            let permit = self.state.files().permit()?;
            let file = {
                let folder = Arc::clone(folder);
                tokio::task::spawn_blocking(move || folder.open()).await??
            };
            let (perms, mode) = match folder.is_writable() {
                true => (FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE),
                false => (FsPerms::ReadOnly, OpenMode::READ),
            };
            let descriptor = Descriptor::Dir(Dir::new(file, perms, mode, false));
            let descriptor = self.wasi().table.push(descriptor)?;
            self.remember(descriptor.rep(), folder, None, permit);
            folders.push((descriptor, folder.guest().to_owned()));
        }
        Ok(folders)
    }

    fn remember(
        &mut self,
        number: u32,
        folder: &Arc<Folder>,
        inode: Option<Inode>,
        permit: Permit,
    ) {
        let open = OpenFile::new(folder, inode, permit);
        self.state.files().files.insert(number, Arc::new(open));
    }

    fn open_file(&mut self, number: u32) -> FsResult<Arc<OpenFile>> {
        let open = self.state.files().files.get(&number);
        open.cloned().ok_or_else(|| FsError::trap(Error::msg("there is no such descriptor")))
    }

    fn folder(&mut self, number: u32) -> FsResult<Arc<Folder>> {
        Ok(Arc::clone(&self.open_file(number)?.folder))
    }

    /// A file that may be written to.
    fn writable(&mut self, number: u32) -> FsResult<(File, Arc<OpenFile>)> {
        let file = match self.wasi().table.get(&lent::<Descriptor>(number))? {
            Descriptor::File(file) => file.clone(),
            Descriptor::Dir(_) => return Err(ErrorCode::BadDescriptor.into()),
        };
        if file.perms.write_not_permitted() {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok((file, self.open_file(number)?))
    }

    /// Begins a change to a folder, if it can be written to.
    async fn change(&mut self, folder: &Arc<Folder>) -> FsResult<Change> {
        match folder.change(&self.hints()).await {
            Ok(Some(change)) => Ok(change),
            Ok(None) => Err(ErrorCode::NotPermitted.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// What a path names, without following a link at its end.
    async fn entry(&mut self, folder: u32, path: &str) -> FsResult<Option<Entry>> {
        let nothing = PathFlags::empty();
        let stat = match self.wasi().stat_at(lent(folder), nothing, path.to_owned()).await {
            Ok(stat) => stat,
            Err(error) if is_code(&error, ErrorCode::NoEntry) => return Ok(None),
            Err(error) => return Err(error),
        };
        let hash = self.wasi().metadata_hash_at(lent(folder), nothing, path.to_owned()).await?;
        let inode = (hash.upper, hash.lower);
        Ok(Some(Entry { inode, cost: cost(&stat), links: stat.link_count }))
    }

    /// A stream that was made by wasmtime's implementation, as one that its guest pays for.
    fn paid(
        &mut self,
        stream: Resource<DynInputStream>,
        open: Arc<OpenFile>,
    ) -> FsResult<Resource<DynInputStream>> {
        let charge = self.state.files().charge(STREAM).map_err(FsError::trap)?;
        let debt = self.debt().clone();
        let table = self.wasi().table;
        let inner = table.delete(stream)?;
        Ok(table.push(Box::new(ReadFile::new(inner, debt, charge, open)) as DynInputStream)?)
    }

    fn growing(&mut self, number: u32, position: Position) -> FsResult<Resource<DynOutputStream>> {
        let (file, open) = self.writable(number)?;
        let charge = self.state.files().charge(STREAM).map_err(FsError::trap)?;
        let (debt, hints) = (self.debt().clone(), self.hints());
        let stream = GrowingFile::new(file.file, open, position, (debt, hints), charge);
        Ok(self.wasi().table.push(Box::new(stream) as DynOutputStream)?)
    }
}

impl types::Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.wasi().convert_error_code(error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.wasi().filesystem_error_code(error)
    }
}

impl HostDescriptor for Files<'_> {
    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
        length: u64,
        advice: Advice,
    ) -> FsResult<()> {
        self.wasi().advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.wasi().sync_data(fd).await
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.wasi().get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.wasi().get_type(fd).await
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, size: u64) -> FsResult<()> {
        let (file, open) = self.writable(fd.rep())?;
        let mut change = self.change(&open.folder).await?;
        let resized = tokio::task::spawn_blocking(move || {
            let before = file.file.metadata()?.len();
            change.require(size.saturating_sub(before))?;
            let resized = file.file.set_len(size);
            change.resized(open.inode, before, file.file.metadata()?.len());
            change.settle();
            resized
        });
        Ok(resized.await.map_err(FsError::trap)??)
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.wasi().set_times(fd, accessed, modified).await
    }

    async fn read(
        &mut self,
        fd: Resource<Descriptor>,
        length: u64,
        offset: u64,
    ) -> FsResult<(Vec<u8>, bool)> {
        let (bytes, is_end) = self.wasi().read(fd, length, offset).await?;
        self.debt().add(bytes.len() as u64);
        Ok((bytes, is_end))
    }

    async fn write(
        &mut self,
        fd: Resource<Descriptor>,
        bytes: Vec<u8>,
        offset: u64,
    ) -> FsResult<u64> {
        let (file, open) = self.writable(fd.rep())?;
        let length = bytes.len() as u64;
        self.debt().add(length);
        let hints = self.hints();
        write(file.file, open, Position::At(offset), bytes.into(), hints).await?;
        Ok(length)
    }

    async fn read_directory(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let directory = match self.wasi().table.get(&fd)? {
            Descriptor::Dir(directory) => directory.dir.clone(),
            Descriptor::File(_) => return Err(ErrorCode::NotDirectory.into()),
        };
        // The list is made whole by what gives it out, so that its size must be known before.
        let measured = tokio::task::spawn_blocking(move || {
            let (mut entries, mut bytes) = (0, 0);
            for entry in Listing::read_from(&*directory)?.take(MAX_ENTRIES + 1) {
                entries += 1;
                bytes += PER_ENTRY + entry?.file_name().count_bytes();
            }
            Ok::<_, std::io::Error>((entries, bytes))
        });
        let (entries, bytes) = measured.await.map_err(FsError::trap)??;
        if entries > MAX_ENTRIES {
            let message =
                format!("a folder has more than {MAX_ENTRIES} entries, and cannot be listed");
            return Err(FsError::trap(Error::msg(message)));
        }
        self.debt().add((entries * PER_ENTRY) as u64);
        let charge = self.state.files().charge(bytes).map_err(FsError::trap)?;
        let stream = self.wasi().read_directory(fd).await?;
        self.state.files().listings.insert(stream.rep(), charge);
        Ok(stream)
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.wasi().sync(fd).await
    }

    async fn create_directory_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        let folder = self.folder(fd.rep())?;
        let mut change = self.change(&folder).await?.require_soon(ENTRY).await?;
        let made = self.wasi().create_directory_at(fd, path).await;
        if made.is_ok() {
            change.added(ENTRY);
        }
        change.settle();
        made
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.wasi().stat(fd).await
    }

    async fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.wasi().stat_at(fd, flags, path).await
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.wasi().set_times_at(fd, flags, path, accessed, modified).await
    }

    /// Links would make a file count twice, and are not a guest's affair.
    async fn link_at(
        &mut self,
        _: Resource<Descriptor>,
        _: PathFlags,
        _: String,
        _: Resource<Descriptor>,
        _: String,
    ) -> FsResult<()> {
        Err(ErrorCode::NotPermitted.into())
    }

    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let parent = fd.rep();
        let folder = self.folder(parent)?;
        let permit = self.state.files().permit().map_err(FsError::trap)?;
        let changes = open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
        let mut change = match changes && folder.is_writable() {
            true => Some(self.change(&folder).await?),
            false => None,
        };
        let found = match self.wasi().stat_at(lent(parent), path_flags, path.clone()).await {
            Ok(stat) => Some(stat),
            Err(error) if open_flags.contains(OpenFlags::CREATE) => {
                match is_code(&error, ErrorCode::NoEntry) {
                    true => None,
                    false => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        // To open a pipe or a device waits, or does whatever it does.
        if let Some(stat) = &found
            && !matches!(
                stat.type_,
                DescriptorType::RegularFile
                    | DescriptorType::Directory
                    | DescriptorType::SymbolicLink
            )
        {
            return Err(ErrorCode::NotPermitted.into());
        }
        if found.is_none()
            && let Some(begun) = change
        {
            change = Some(begun.require_soon(ENTRY).await?);
        }
        let opened = self.wasi().open_at(fd, path_flags, path, open_flags, flags).await;
        if let Some(mut change) = change {
            match (&opened, &found) {
                (Ok(_), None) => change.added(ENTRY),
                (Ok(_), Some(stat)) if open_flags.contains(OpenFlags::TRUNCATE) => {
                    change.resized(None, stat.size, 0);
                }
                _ => {}
            }
            change.settle();
        }
        let opened = opened?;
        let number = opened.rep();
        let is_file = matches!(self.wasi().table.get(&opened)?, Descriptor::File(_));
        let inode = match is_file {
            true => {
                let hash = self.wasi().metadata_hash(lent(number)).await?;
                Some((hash.upper, hash.lower))
            }
            false => None,
        };
        self.remember(number, &folder, inode, permit);
        Ok(opened)
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.state.files().files.remove(&fd.rep());
        HostDescriptor::drop(&mut self.wasi(), fd)
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.wasi().readlink_at(fd, path).await
    }

    async fn remove_directory_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        let folder = self.folder(fd.rep())?;
        let mut change = self.change(&folder).await?;
        let removed = self.wasi().remove_directory_at(fd, path).await;
        if removed.is_ok() {
            change.freed(ENTRY);
        }
        change.settle();
        removed
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let folder = self.folder(fd.rep())?;
        if !Arc::ptr_eq(&folder, &self.folder(new_fd.rep())?) {
            return Err(ErrorCode::CrossDevice.into());
        }
        let mut change = self.change(&folder).await?;
        let moved = self.entry(fd.rep(), &path).await?;
        let replaced = self.entry(new_fd.rep(), &new_path).await?;
        let renamed = self.wasi().rename_at(fd, path, new_fd, new_path).await;
        // To rename a file to itself, or to another name of it, does nothing.
        if renamed.is_ok()
            && let Some(replaced) = replaced
            && moved.is_none_or(|moved| moved.inode != replaced.inode)
        {
            change.removed(replaced.inode, replaced.cost, replaced.links);
        }
        change.settle();
        renamed
    }

    /// A link could lead another program out of the folder.
    async fn symlink_at(&mut self, _: Resource<Descriptor>, _: String, _: String) -> FsResult<()> {
        Err(ErrorCode::NotPermitted.into())
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let folder = self.folder(fd.rep())?;
        let mut change = self.change(&folder).await?;
        let entry = self.entry(fd.rep(), &path).await?;
        let removed = self.wasi().unlink_file_at(fd, path).await;
        if removed.is_ok()
            && let Some(entry) = entry
        {
            change.removed(entry.inode, entry.cost, entry.links);
        }
        change.settle();
        removed
    }

    fn read_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynInputStream>> {
        let open = self.open_file(fd.rep())?;
        let stream = self.wasi().read_via_stream(fd, offset)?;
        self.paid(stream, open)
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.growing(fd.rep(), Position::At(offset))
    }

    fn append_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.growing(fd.rep(), Position::End)
    }

    async fn is_same_object(
        &mut self,
        fd: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.wasi().is_same_object(fd, other).await
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.wasi().metadata_hash(fd).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.wasi().metadata_hash_at(fd, flags, path).await
    }
}

impl HostDirectoryEntryStream for Files<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.wasi().read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.state.files().listings.remove(&stream.rep());
        HostDirectoryEntryStream::drop(&mut self.wasi(), stream)
    }
}
