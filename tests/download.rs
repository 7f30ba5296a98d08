//! Files from the network: a server on this machine that is right, or wrong in one way or another.
#![cfg(feature = "download")]
#![allow(clippy::unwrap_used)] // a test says what is wrong by panicking
use firesteel::{
    data::{Mnist, Remote, download},
    prelude::*,
};
use std::{
    io::{Read, Write},
    net::TcpListener,
    path::PathBuf,
    thread,
};

const CONTENT: &[u8] = b"All that most maddens and torments";
const SHA256: &str = "67e87f42a51e6aeb5072dd30c7e684c13f8d5af12592ad432496cad752bcfc3a";

/// A server that gives one answer to whoever asks next, and where it is.
fn server(answer: Vec<u8>) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/book.txt", listener.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut buffer) = (vec![], [0; 1024]);
        while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = stream.read(&mut buffer).unwrap();
            asked.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(&answer).unwrap();
        String::from_utf8(asked).unwrap()
    });
    (url, answering)
}

fn response(status: &str, len: usize, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A folder that no other test has.
fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("firesteel-download-{}-{name}", std::process::id()))
}

/// What comes of an answer: the error if there is one, and the files that are there afterwards.
fn fetched(name: &str, answer: Vec<u8>) -> (Result<()>, Vec<PathBuf>, Vec<u64>) {
    let (url, answering) = server(answer);
    let folder = folder(name);
    let remote = Remote { url: &url, bytes: CONTENT.len() as u64, sha256: SHA256 };
    let mut told = vec![];
    let result = download(remote, folder.join("book.txt"), |bytes| told.push(bytes));
    let asked = answering.join().unwrap();
    assert!(asked.starts_with("GET /book.txt HTTP/1.1"), "{asked}");
    let files =
        std::fs::read_dir(&folder).map_or(vec![], |all| all.map(|file| file.unwrap().path()).collect());
    (result, files, told)
}

#[test]
fn a_right_file_arrives_and_is_not_fetched_twice() -> Result<()> {
    let (result, files, told) = fetched("right", response("200 OK", CONTENT.len(), CONTENT));
    result?;
    assert_eq!(told.last(), Some(&(CONTENT.len() as u64)));
    let [path] = &files[..] else { panic!("{files:?}") };
    assert_eq!(std::fs::read(path)?, CONTENT);
    // nobody answers there, and nobody is asked
    let remote = Remote { url: "http://127.0.0.1:1/", bytes: CONTENT.len() as u64, sha256: SHA256 };
    download(remote, path, |_| ())?;
    // what is not right is fetched again
    std::fs::write(path, b"something else")?;
    assert!(download(remote, path, |_| ()).is_err());
    assert_eq!(std::fs::read(path)?, b"something else");
    Ok(std::fs::remove_dir_all(folder("right"))?)
}

#[test]
fn wrong_answers_are_errors_and_leave_nothing() {
    let wrong: Vec<u8> = CONTENT.iter().rev().copied().collect();
    let (len, twice) = (CONTENT.len(), CONTENT.repeat(2));
    for (name, answer, words) in [
        ("checksum", response("200 OK", len, &wrong), "its SHA-256 is"),
        ("short", response("200 OK", 5, &CONTENT[..5]), "it ends after 5 of 34 bytes"),
        ("cut", response("200 OK", len, &CONTENT[..9]), "book.txt"),
        ("long", response("200 OK", len * 2, &twice), "more than its 34 bytes"),
        ("missing", response("404 Not Found", 0, b""), "404"),
        ("nonsense", b"what?".to_vec(), "book.txt"),
    ] {
        let (result, files, _) = fetched(name, answer);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("put it at"), "{name}: {error}");
        assert!(error.contains(&folder(name).join("book.txt").display().to_string()), "{error}");
        assert!(files.is_empty(), "{name} leaves {files:?}");
        let _ = std::fs::remove_dir_all(folder(name));
    }
}

#[test]
fn where_there_is_no_network_the_path_is_told() {
    let error = Mnist::train(folder("nowhere")).unwrap_err().to_string();
    assert!(error.contains("train-images-idx3-ubyte.gz") && error.contains(Mnist::URL), "{error}");
    let remote = Remote { url: "http://127.0.0.1:1/book.txt", bytes: 1, sha256: SHA256 };
    let error = download(remote, folder("nowhere").join("book.txt"), |_| ()).unwrap_err().to_string();
    assert!(error.contains("nowhere") && error.contains(SHA256), "{error}");
}
