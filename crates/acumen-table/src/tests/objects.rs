//! Files of a folder, and objects of a real server that speaks S3.

use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::runtime::Runtime;

use super::Folder;
use super::sources::{all, ids, open, orders};
use crate::{Environment, SourceDecl, SourceError};

fn csv(rows: &[&str]) -> String {
    let at = "2024-01-01T00:00:00Z";
    let row = |n: &&str| format!("{n},{at},c{n},1.00\n");
    let rows: String = rows.iter().map(row).collect();
    format!("n,at,c,price\n{rows}")
}

/// The same story, whether the files lie in a folder or behind a server: only what is new.
fn each_object_is_read_once(
    source: &SourceDecl,
    environment: &Environment,
    root: &Path,
    write: &dyn Fn(&str, &str),
) {
    write("orders/2024/a.csv", &csv(&["1", "2"]));
    write("orders/2024/b.csv", &csv(&["3"]));
    write("orders/readme.txt", "not a table");
    write("other/c.csv", &csv(&["99"]));
    let read = |since| {
        let opened = open(source, environment, root, since);
        all(opened.unwrap_or_else(|problems| panic!("{problems:?}")))
    };
    let (first, mark) = read(None);
    let mut taken = ids(&first);
    taken.sort_unstable();
    assert_eq!(taken, ["o-1", "o-2", "o-3"]);
    assert_eq!(mark.objects.len(), 2, "{mark:?}");

    assert_eq!(ids(&read(Some(&mark)).0), Vec::<&str>::new());
    write("orders/2024/a.csv", &csv(&["1", "2", "4"]));
    write("orders/c.csv", &csv(&["5"]));
    let (next, mark) = read(Some(&mark));
    let mut taken = ids(&next);
    taken.sort_unstable();
    assert_eq!(
        taken,
        ["o-1", "o-2", "o-4", "o-5"],
        "a changed object comes whole"
    );
    assert_eq!(mark.objects.len(), 3, "{mark:?}");

    // One that is damaged costs itself, and is tried again until it is whole.
    write("orders/bad.parquet", "PAR1 and then nothing");
    write("orders/d.csv", &csv(&["6"]));
    let mut reader = open(source, environment, root, Some(&mark)).unwrap();
    let (mut taken, mut failed) = (Vec::new(), Vec::new());
    loop {
        match reader.next_batch() {
            Ok(None) => break,
            Ok(Some(batch)) => taken.extend(batch.events.iter().map(|e| e.id.to_string())),
            Err(error) => failed.push(error),
        }
    }
    assert_eq!(taken, ["o-6"]);
    let [SourceError::Problems(problems)] = failed.as_slice() else {
        panic!("{failed:?}");
    };
    assert_eq!(problems[0].code, "not_parquet");
    let said = problems[0].to_string();
    assert!(said.contains("orders/bad.parquet"), "{said}");
    assert!(!reader.mark().objects.keys().any(|key| key.contains("bad")));
}

#[test]
fn a_folder_is_read_file_by_file() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| {
        let path = folder.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let source = orders("orders", None, None);
    each_object_is_read_once(&source, &Environment::default(), folder.0.path(), &write);
    let nowhere = open(
        &orders("nowhere", None, None),
        &Environment::default(),
        folder.0.path(),
        None,
    );
    let said = nowhere.err().unwrap()[0].to_string();
    assert!(said.contains("there is no file or folder"), "{said}");
}

/// A server that keeps a bucket in a folder; gives where it listens.
fn serve(folder: &Path, runtime: &Runtime) -> String {
    let files = s3s_fs::FileSystem::new(folder).unwrap();
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single("key", "s3cret"));
    let service = service.build();
    let listening = tokio::net::TcpListener::bind("127.0.0.1:0");
    let listener = runtime.block_on(listening).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                // A client that goes away is no matter of the server's.
                let _ended = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

#[test]
fn a_bucket_is_read_object_by_object() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("shop")).unwrap();
    let runtime = Runtime::new().unwrap();
    let endpoint = serve(folder.0.path(), &runtime);
    let environment = |secret| {
        Environment::of([
            ("AWS_ENDPOINT", endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ])
    };
    let write = |name: &str, text: &str| {
        let path = folder.path("shop").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let source = orders("s3://shop/orders", None, None);
    each_object_is_read_once(&source, &environment("s3cret"), Path::new(""), &write);

    let refused = open(&source, &environment("wr0ng"), Path::new(""), None);
    let said = refused.err().unwrap()[0].to_string();
    assert!(
        said.contains("source `shop`: it cannot be reached"),
        "{said}"
    );
    assert!(!said.contains("wr0ng"), "{said}");

    let nowhere = Environment::of([
        ("AWS_ENDPOINT", "http://127.0.0.1:1"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret"),
    ]);
    let down = open(&source, &nowhere, Path::new(""), None);
    assert_eq!(down.err().unwrap()[0].code, "unreachable");
}
