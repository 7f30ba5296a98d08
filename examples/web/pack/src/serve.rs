//! Static files over HTTP, to this machine alone: for a look at a page, and for tests. Any server of files does as well.
use std::{
    fs, io,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    sync::Arc,
    thread,
};

/// Serves the files of a folder at the address that it returns, until the program ends. Port 0 is any that is free.
pub fn serve(folder: impl Into<PathBuf>, port: u16) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let address = listener.local_addr()?;
    let folder = Arc::new(folder.into());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            // who hangs up early has seen enough
            thread::spawn(move || answer(&stream, &folder).ok());
        }
    });
    Ok(address)
}

/// Answers one request, and closes the connection.
fn answer(mut stream: &TcpStream, folder: &Path) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let file = file(&request, folder);
    let (status, kind, content) = match file.and_then(|file| Some((kind(&file), fs::read(file).ok()?))) {
        Some((kind, content)) => ("200 OK", kind, content),
        None => ("404 Not Found", "text/plain", b"not found".to_vec()),
    };
    let length = content.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n"
    )?;
    stream.write_all(&content)
}

/// The file that `GET /path?query HTTP/1.1` asks for; none that is outside of the folder.
fn file(request: &str, folder: &Path) -> Option<PathBuf> {
    let path = request.strip_prefix("GET /")?.split([' ', '?']).next()?;
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    is_inside.then(|| folder.join(path))
}

/// What browsers want to be told: they refuse modules of another type.
fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_given() {
        let file = |request| file(request, Path::new("web"));
        assert_eq!(file("GET / HTTP/1.1"), Some("web/index.html".into()));
        assert_eq!(file("GET /page.js?x=1 HTTP/1.1"), Some("web/page.js".into()));
        assert_eq!(file("GET /../secret HTTP/1.1"), None);
        assert_eq!(file("GET //etc/passwd HTTP/1.1"), None);
        assert_eq!(file("POST /page.js HTTP/1.1"), None);
    }
}
