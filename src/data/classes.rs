//! Files sorted into classes by their folders.
use super::{dataset::out_of_range, file::unreadable};
use crate::{Error, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files in a folder for each class, at any depth below it: `root/class/file`.
#[derive(Clone, Debug)]
pub struct Classes {
    /// The names of the folders, sorted: a label is a place in this list.
    pub names: Vec<String>,
    /// Every file with its label, sorted by class and path.
    pub files: Vec<(PathBuf, i64)>,
}

impl Classes {
    /// Finds the files with one of these extensions (in lower case). A class without one is an error, as in
    /// torchvision.
    #[track_caller]
    pub fn find(dataset: &'static str, root: &Path, extensions: &[&str]) -> Result<Self> {
        let folders: Vec<PathBuf> =
            entries(dataset, root)?.into_iter().filter(|path| path.is_dir()).collect();
        if folders.is_empty() {
            let why = format!("{} has no folders: there should be one for each class", root.display());
            return Err(Error::io(dataset, why));
        }
        let (mut names, mut files) = (vec![], vec![]);
        for (label, folder) in folders.iter().enumerate() {
            let before = files.len();
            walk(dataset, folder, extensions, &mut |file| files.push((file, label as i64)))?;
            if files.len() == before {
                let why = format!("{} has no file of {}", folder.display(), extensions.join(", "));
                return Err(Error::io(dataset, why));
            }
            names.push(folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        Ok(Self { names, files })
    }

    /// A file and its label.
    pub fn file(&self, index: usize) -> Result<(&Path, i64)> {
        let file = self.files.get(index).map(|(path, label)| (&**path, *label));
        file.ok_or_else(|| out_of_range(index, self.files.len()))
    }
}

fn walk(
    dataset: &'static str,
    folder: &Path,
    extensions: &[&str],
    found: &mut dyn FnMut(PathBuf),
) -> Result<()> {
    for path in entries(dataset, folder)? {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        // links to folders are not followed: they may lead in a circle
        if path.is_dir() && !path.is_symlink() {
            walk(dataset, &path, extensions, found)?;
        } else if extension.is_some_and(|e| extensions.contains(&&*e)) {
            found(path);
        }
    }
    Ok(())
}

/// What is in a folder, sorted.
fn entries(dataset: &'static str, folder: &Path) -> Result<Vec<PathBuf>> {
    let read =
        || fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = read().map_err(|e| unreadable(dataset, folder, e))?;
    paths.sort();
    Ok(paths)
}
