//! Tokens in a file of the host's data directory: [`FileTokenStore`].

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::document;
use super::store::{Change, TokenSet, TokenStore, TokenStoreError};
use crate::files::{FileIdentity, create_private_directory, is_own_or_of_root, write_private};

/// The file's name in the data directory.
const NAME: &str = "tokens.json";

/// Whoever changes the file holds a lock on this one. It cannot be the file itself, which each change
/// replaces.
const LOCK_NAME: &str = "tokens.lock";

/// How often to look whether the file has changed: a revoked token is refused so much later at the most. It
/// is looked at rather than watched, since events tell nothing of network file systems, of what is behind
/// links, and of directories that do not exist yet.
const POLL: Duration = Duration::from_millis(500);

/// Bytes of a file: more than [`TokenSet::MAX_COUNT`] ordinary tokens take.
const MAX_SIZE: u64 = 64 << 20;

/// Tokens in `tokens.json`, which each change replaces as a whole.
pub struct FileTokenStore(Arc<Inner>);

struct Inner {
    directory: PathBuf,
    /// What was there when the tokens were loaded last; `None` where that failed.
    loaded: Mutex<Option<Option<FileIdentity>>>,
}

impl FileTokenStore {
    /// The tokens of the host with this data directory, which need not exist.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self(Arc::new(Inner { directory: directory.into(), loaded: Mutex::default() }))
    }
}

#[async_trait]
impl TokenStore for FileTokenStore {
    async fn load(&self) -> Result<Option<TokenSet>, TokenStoreError> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.load()).await.unwrap_or_else(|e| Err(self.0.unusable(e)))
    }

    async fn update(&self, change: Change) -> Result<(), TokenStoreError> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.update(change)).await.unwrap_or_else(|e| Err(self.0.unusable(e)))
    }

    async fn changed(&self) {
        loop {
            tokio::time::sleep(POLL).await;
            let inner = Arc::clone(&self.0);
            let looked = blocking(move || FileIdentity::of(&inner.file())).await.flatten();
            // One that cannot be looked at cannot be loaded either, which is to be found out.
            if looked.ok() != *self.0.loaded() {
                return;
            }
        }
    }
}

/// Who runs this program: the user of the process, and the name that the environment has for the person.
fn person() -> String {
    const MAX_LENGTH: usize = 64;
    let uid = rustix::process::getuid().as_raw();
    // Root by sudo is somebody else, too.
    let name =
        ["SUDO_USER", "LOGNAME", "USER"].into_iter().find_map(|name| std::env::var(name).ok());
    let name: String =
        name.unwrap_or_default().chars().filter(|c| !c.is_control()).take(MAX_LENGTH).collect();
    if name.is_empty() { format!("uid {uid}") } else { format!("{name} (uid {uid})") }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

impl Inner {
    fn file(&self) -> PathBuf {
        self.directory.join(NAME)
    }

    fn loaded(&self) -> std::sync::MutexGuard<'_, Option<Option<FileIdentity>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unusable(&self, source: io::Error) -> TokenStoreError {
        TokenStoreError::Unusable { file: self.file(), source }
    }

    fn load(&self) -> Result<Option<TokenSet>, TokenStoreError> {
        // Before it is read: what is put in its place meanwhile is seen as a change.
        let identity = FileIdentity::of(&self.file());
        let tokens = self.read();
        *self.loaded() = tokens.is_ok().then(|| identity.ok()).flatten();
        tokens
    }

    fn read(&self) -> Result<Option<TokenSet>, TokenStoreError> {
        let file = match File::open(self.file()) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.unusable(e)),
        };
        if !is_own_or_of_root(&file.metadata().map_err(|e| self.unusable(e))?) {
            return Err(TokenStoreError::Exposed { file: self.file() });
        }
        let unreadable = |why| TokenStoreError::Unreadable { file: self.file(), why };
        let mut text = Vec::new();
        let size = file.take(MAX_SIZE + 1).read_to_end(&mut text);
        if size.map_err(|e| self.unusable(e))? as u64 > MAX_SIZE {
            return Err(unreadable(format!("it has more than {} MiB", MAX_SIZE >> 20)));
        }
        document::read(&text).map(Some).map_err(|e| unreadable(e.to_string()))
    }

    fn update(&self, change: Change) -> Result<(), TokenStoreError> {
        create_private_directory(&self.directory).map_err(|e| self.unusable(e))?;
        let _lock = self.lock().map_err(|e| self.unusable(e))?;
        let mut tokens = self.read()?.unwrap_or_default();
        change(&mut tokens)?;
        tokens.changed_by = Some(person().into());
        let text = document::write(&tokens).map_err(|e| self.unusable(e.into()))?;
        write_private(&self.file(), &text).map_err(|e| self.unusable(e))
    }

    /// Held until it is dropped, or its process ends.
    fn lock(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(self.directory.join(LOCK_NAME))?;
        file.lock()?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::right::Rights;
    use super::super::token::Token;
    use super::*;

    fn add(name: &str) -> Change {
        let token = Token::issue(name.parse().unwrap(), Rights::default(), None).token;
        Box::new(move |tokens| tokens.add(token))
    }

    #[tokio::test]
    async fn what_one_process_changes_another_loads() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("data");
        let [host, command] = [(); 2].map(|()| FileTokenStore::new(&directory));
        assert_eq!(host.load().await.unwrap(), None);
        command.update(add("alice")).await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), host.changed()).await.unwrap();
        let tokens = host.load().await.unwrap().unwrap();
        assert_eq!(tokens.len(), 1);
        let uid = format!("uid {}", rustix::process::getuid().as_raw());
        assert!(tokens.changed_by().unwrap().contains(&uid));
        let refused = command.update(add("alice")).await;
        assert!(matches!(refused, Err(TokenStoreError::NameTaken(_))));
        assert!(tokio::time::timeout(POLL * 3, host.changed()).await.is_err(), "it is the same");
        let file = directory.join(NAME);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn changes_at_the_same_time_are_all_kept() {
        let home = tempfile::tempdir().unwrap();
        let stores: Vec<_> = (0..16).map(|_| FileTokenStore::new(home.path())).collect();
        let updates =
            stores.iter().enumerate().map(|(i, store)| store.update(add(&format!("token-{i}"))));
        for update in futures_util::future::join_all(updates).await {
            update.unwrap();
        }
        assert_eq!(stores[0].load().await.unwrap().unwrap().len(), 16);
    }

    #[tokio::test]
    async fn a_file_that_is_not_whole_not_ours_or_another_s_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let (store, file) = (FileTokenStore::new(home.path()), home.path().join(NAME));
        store.update(add("alice")).await.unwrap();
        let whole = fs::read(&file).unwrap();
        for content in [&whole[..whole.len() / 2], b"", b"SQLite format 3\0"] {
            fs::write(&file, content).unwrap();
            assert!(matches!(store.load().await, Err(TokenStoreError::Unreadable { .. })));
            // What is no set of tokens is never taken for an empty one and written over.
            assert!(store.update(add("bob")).await.is_err());
            assert_eq!(fs::read(&file).unwrap(), content);
            tokio::time::timeout(Duration::from_secs(30), store.changed()).await.unwrap();
        }
        fs::write(&file, &whole).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(store.load().await, Err(TokenStoreError::Exposed { .. })));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(store.load().await.unwrap().unwrap().len(), 1);
    }
}
