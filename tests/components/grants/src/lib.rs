//! The test component `grants`: procedures that use what was granted, and try to get beyond it.

mod config {
    //! Both drafts of `wasi:config` that are in use.
    wit_bindgen::generate!({
        inline: "
            package demo:grants-config;

            world imports {
                import wasi:config/store@0.2.0-rc.1;
                import wasi:config/runtime@0.2.0-draft;
            }

            package wasi:config@0.2.0-rc.1 {
                interface store {
                    variant error { upstream(string), io(string) }
                    get: func(key: string) -> result<option<string>, error>;
                    get-all: func() -> result<list<tuple<string, string>>, error>;
                }
            }

            package wasi:config@0.2.0-draft {
                interface runtime {
                    variant config-error { upstream(string), io(string) }
                    get: func(key: string) -> result<option<string>, config-error>;
                    get-all: func() -> result<list<tuple<string, string>>, config-error>;
                }
            }
        ",
        world: "imports",
        generate_all,
    });
}

/// Procedures that use what was granted, and try to get beyond it.
#[tarp_guest::procedures]
mod grants {
    use std::fs::{self, File, OpenOptions};
    use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

    use crate::config::wasi::config0_2_0_draft::runtime;
    use crate::config::wasi::config0_2_0_rc_1::store;

    /// A variable of the environment.
    pub fn variable(variable: &str) -> Option<String> {
        std::env::var(variable).ok()
    }

    /// The names of all variables.
    pub fn variables() -> Vec<String> {
        std::env::vars().map(|(name, _)| name).collect()
    }

    /// What both drafts have under a key.
    pub fn configured(key: &str) -> Result<Vec<Option<String>>, String> {
        let new = store::get(key).map_err(|error| format!("{error:?}"))?;
        let old = runtime::get(key).map_err(|error| format!("{error:?}"))?;
        Ok(vec![new, old])
    }

    /// What one draft has under a key, which must be there.
    pub fn needed(key: &str) -> Result<String, String> {
        store::get(key).map_err(|error| format!("{error:?}"))?.ok_or("no such key".into())
    }

    /// All keys that both drafts have.
    pub fn keys() -> Result<Vec<String>, String> {
        let new = store::get_all().map_err(|error| format!("{error:?}"))?;
        let old = runtime::get_all().map_err(|error| format!("{error:?}"))?;
        Ok(new.into_iter().chain(old).map(|(key, _)| key).collect())
    }

    /// The text of a file.
    pub fn read(path: &str) -> Result<String, String> {
        fs::read_to_string(path).map_err(|error| error.to_string())
    }

    /// How many bytes a file gives, read to its end.
    pub fn read_all(path: &str) -> Result<u64, String> {
        let mut file = File::open(path).map_err(|error| error.to_string())?;
        let mut block = vec![0; 1 << 16];
        let mut total = 0;
        loop {
            match file.read(&mut block).map_err(|error| error.to_string())? {
                0 => return Ok(total),
                n => total += n as u64,
            }
        }
    }

    /// The names in a folder, in order.
    pub fn entries(path: &str) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(|error| error.to_string())? {
            let entry = entry.map_err(|error| error.to_string())?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// The folders that were granted.
    pub fn folders() -> Vec<String> {
        get_directories().into_iter().map(|(_, path)| path).collect()
    }

    /// Writes a text to a file of its own, or to one that is there.
    pub fn write(path: &str, text: &str) -> Result<(), String> {
        fs::write(path, text).map_err(|error| error.to_string())
    }

    /// Writes so many bytes to the end of a file.
    pub fn append(path: &str, bytes: u64) -> Result<(), String> {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(path);
        let mut file = file.map_err(|error| error.to_string())?;
        let block = vec![b'x'; 1 << 16];
        let mut left = bytes as usize;
        while left > 0 {
            let n = left.min(block.len());
            file.write_all(&block[..n]).map_err(|error| error.to_string())?;
            left -= n;
        }
        Ok(())
    }

    /// Writes one byte at an offset.
    pub fn write_at(path: &str, offset: u64) -> Result<(), String> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(|error| error.to_string())?;
        file.seek(SeekFrom::Start(offset)).map_err(|error| error.to_string())?;
        file.write_all(b"x").map_err(|error| error.to_string())
    }

    /// Gives a file a length.
    pub fn resize(path: &str, length: u64) -> Result<(), String> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| error.to_string())?;
        file.set_len(length).map_err(|error| error.to_string())
    }

    /// Makes a folder.
    pub fn make_folder(path: &str) -> Result<(), String> {
        fs::create_dir(path).map_err(|error| error.to_string())
    }

    /// Removes a file.
    pub fn remove(path: &str) -> Result<(), String> {
        fs::remove_file(path).map_err(|error| error.to_string())
    }

    /// Renames a file.
    pub fn rename(from: &str, to: &str) -> Result<(), String> {
        fs::rename(from, to).map_err(|error| error.to_string())
    }

    /// Makes another name of a file.
    pub fn link(from: &str, to: &str) -> Result<(), String> {
        fs::hard_link(from, to).map_err(|error| error.to_string())
    }

    /// Makes a symbolic link in the first folder that was granted.
    pub fn symlink(target: &str, path: &str) -> Result<(), String> {
        let folders = get_directories();
        let (folder, _) = folders.first().ok_or("no folder")?;
        folder.symlink_at(target, path).map_err(|error| error.message().to_owned())
    }

    /// Opens a path in the first folder that was granted, without the library's own look at it.
    pub fn open_raw(path: &str) -> Result<(), String> {
        let folders = get_directories();
        let (folder, _) = folders.first().ok_or("no folder")?;
        let follow = PathFlags::SYMLINK_FOLLOW;
        let opened = folder.open_at(follow, path, OpenFlags::empty(), DescriptorFlags::READ);
        opened.map(drop).map_err(|error| error.message().to_owned())
    }

    /// Writes files, removes each while it is open, and keeps them open; gives how many it got.
    pub fn hoard(folder: &str, files: u32, bytes: u64) -> Result<u32, String> {
        let mut kept = Vec::new();
        for number in 0..files {
            let path = format!("{folder}/hoard-{number}");
            append(&path, bytes).map_err(|error| format!("{number}: {error}"))?;
            kept.push(File::open(&path).map_err(|error| error.to_string())?);
            fs::remove_file(&path).map_err(|error| error.to_string())?;
        }
        Ok(kept.len() as u32)
    }

    /// Opens a file so many times at once.
    pub fn open_many(path: &str, times: u32) -> Result<u32, String> {
        let mut kept = Vec::new();
        for _ in 0..times {
            kept.push(File::open(path).map_err(|error| error.to_string())?);
        }
        Ok(kept.len() as u32)
    }

    /// Writes a line to a file, and waits.
    pub fn write_and_wait(path: &str, milliseconds: u32) -> Result<(), String> {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(path);
        let mut file = file.map_err(|error| error.to_string())?;
        file.write_all(b"line\n").map_err(|error| error.to_string())?;
        std::thread::sleep(std::time::Duration::from_millis(milliseconds.into()));
        Ok(())
    }

    /// Reads a file, and waits.
    pub fn read_and_wait(path: &str, milliseconds: u32) -> Result<String, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        std::thread::sleep(std::time::Duration::from_millis(milliseconds.into()));
        Ok(text)
    }

    /// An answer to a request.
    pub struct Reply {
        pub status: u16,
        /// Each as `name: value`.
        pub headers: Vec<String>,
        pub body: String,
    }

    /// Sends a request, with headers as `name: value`.
    pub fn send(
        method: &str,
        scheme: &str,
        authority: &str,
        path: &str,
        headers: Vec<String>,
        body: &str,
    ) -> Result<Reply, String> {
        crate::http::send(method, scheme, authority, path, &headers, body.as_bytes()).map(
            |(status, headers, body)| Reply {
                status,
                headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            },
        )
    }

    /// Gets an address over HTTP, following so many redirects.
    pub fn follow(authority: &str, path: &str, redirects: u32) -> Result<Reply, String> {
        let (mut authority, mut path) = (authority.to_owned(), path.to_owned());
        let mut left = redirects;
        loop {
            let reply = send("GET", "http", &authority, &path, vec![], "")?;
            let location = reply.headers.iter().find_map(|h| h.strip_prefix("location: http://"));
            let Some(location) = location.filter(|_| left > 0) else { return Ok(reply) };
            let (host, rest) = location.split_once('/').unwrap_or((location, ""));
            (authority, path) = (host.to_owned(), format!("/{rest}"));
            left -= 1;
        }
    }

    /// How many bytes a body has.
    pub fn size_of(authority: &str, path: &str) -> Result<u64, String> {
        crate::http::send("GET", "http", authority, path, &[], b"")
            .map(|(_, _, body)| body.len() as u64)
    }

    /// Begins so many requests, and gives how many the host took.
    pub fn begin_many(authority: &str, path: &str, times: u32) -> Result<u32, String> {
        crate::http::begin_many(authority, path, times)
    }

    /// Sends the text that stands for a secret in a header, to a server by HTTP.
    pub fn use_secret(
        variable: &str,
        authority: &str,
        header: &str,
        before: &str,
    ) -> Result<Reply, String> {
        let placeholder = std::env::var(variable).map_err(|error| error.to_string())?;
        send(
            "GET",
            "http",
            authority,
            "/headers",
            vec![format!("{header}: {before}{placeholder}")],
            "",
        )
    }
}

mod http {
    //! Requests by `wasi:http`, as they are.

    use wasip2::http::outgoing_handler::handle;
    use wasip2::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};
    use wasip2::io::streams::StreamError;

    type Answer = (u16, Vec<String>, Vec<u8>);

    fn request(
        method: &str,
        scheme: &str,
        authority: &str,
        path: &str,
        headers: &[String],
    ) -> Result<OutgoingRequest, String> {
        let fields = Fields::new();
        for header in headers {
            let (name, value) = header.split_once(": ").ok_or("no header")?;
            fields.append(name, value.as_bytes()).map_err(|error| format!("{error:?}"))?;
        }
        let request = OutgoingRequest::new(fields);
        let method = match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "CONNECT" => Method::Connect,
            "TRACE" => Method::Trace,
            other => Method::Other(other.into()),
        };
        request.set_method(&method).map_err(|()| "the method is refused")?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => Scheme::Other(other.into()),
        };
        request.set_scheme(Some(&scheme)).map_err(|()| "the scheme is refused")?;
        request.set_authority(Some(authority)).map_err(|()| "the authority is refused")?;
        request.set_path_with_query(Some(path)).map_err(|()| "the path is refused")?;
        Ok(request)
    }

    pub fn send(
        method: &str,
        scheme: &str,
        authority: &str,
        path: &str,
        headers: &[String],
        body: &[u8],
    ) -> Result<Answer, String> {
        let request = request(method, scheme, authority, path, headers)?;
        let outgoing = request.body().map_err(|()| "no body")?;
        let future = handle(request, None).map_err(|error| format!("{error:?}"))?;
        if !body.is_empty() {
            let stream = outgoing.write().map_err(|()| "no stream")?;
            for part in body.chunks(4096) {
                if stream.blocking_write_and_flush(part).is_err() {
                    break;
                }
            }
        }
        OutgoingBody::finish(outgoing, None).map_err(|error| format!("{error:?}"))?;
        future.subscribe().block();
        let response = future.get().ok_or("no answer")?.map_err(|()| "taken")?;
        let response = response.map_err(|error| format!("{error:?}"))?;
        let headers = response.headers().entries().into_iter();
        let headers =
            headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(&value)));
        let headers = headers.collect();
        let incoming = response.consume().map_err(|()| "no body")?;
        let stream = incoming.stream().map_err(|()| "no stream")?;
        let mut body = Vec::new();
        loop {
            match stream.blocking_read(1 << 16) {
                Ok(part) => body.extend_from_slice(&part),
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
            }
        }
        Ok((response.status(), headers, body))
    }

    pub fn begin_many(authority: &str, path: &str, times: u32) -> Result<u32, String> {
        let mut begun = Vec::new();
        for _ in 0..times {
            let request = request("GET", "http", authority, path, &[])?;
            begun.push(handle(request, None).map_err(|error| format!("{error:?}"))?);
        }
        let mut taken = 0;
        for future in &begun {
            future.subscribe().block();
            taken += u32::from(matches!(future.get(), Some(Ok(Ok(_)))));
        }
        Ok(taken)
    }
}
