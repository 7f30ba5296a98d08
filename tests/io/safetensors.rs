//! Files of safetensors, opened and read in part.
use crate::{data, done_with, temporary};
use firesteel::{
    Data, TensorData,
    io::safetensors::{self, SafeOpen},
    prelude::*,
};

#[test]
fn a_file_of_pythons_library_is_read() -> Result<()> {
    let (state, metadata) = safetensors::load_with(data("state.safetensors"))?;
    assert_eq!(metadata["format"], "pt");
    assert_eq!(state.len(), 9);
    for (name, tensor) in state {
        let counted = TensorData::new([2, 3], Data::I64((0..6).collect()))?.cast(name.parse()?);
        assert_eq!(tensor, counted, "{name}");
    }
    Ok(())
}

#[test]
fn files_are_read_in_part() -> Result<()> {
    let path = temporary("parts.safetensors");
    let table = TensorData::new([3, 2], Data::I32((0..6).collect()))?;
    let state = [
        ("table".to_owned(), table.clone()),
        ("flag".to_owned(), TensorData::new((), Data::Bool(vec![true]))?),
        ("none".to_owned(), TensorData::new([0, 2], Data::F64(vec![]))?),
    ];
    safetensors::save_with(&path, &state.into(), [("epoch".to_owned(), "3".to_owned())].into())?;

    let file = SafeOpen::new(&path)?;
    assert_eq!(file.keys().collect::<Vec<_>>(), ["flag", "none", "table"]);
    assert_eq!(file.metadata()["epoch"], "3");
    assert_eq!(file.meta("table")?.to_string(), "int32 [3, 2]");
    assert_eq!(file.get_tensor("table")?, table);
    assert_eq!(file.get_tensor("flag")?.to_vec::<i64>(), [1]);
    assert_eq!(file.get_rows("table", 1..3)?, TensorData::new([2, 2], Data::I32(vec![2, 3, 4, 5]))?);
    assert_eq!(file.get_rows("table", 3..3)?.shape(), &[0, 2][..]);
    assert_eq!(file.get_rows("none", 0..0)?.shape(), &[0, 2][..]);
    #[allow(clippy::reversed_empty_ranges)] // what is tested
    let backwards = 2..1;
    for error in [
        file.get_rows("table", 2..4).unwrap_err(),
        file.get_rows("table", backwards).unwrap_err(),
        file.get_rows("flag", 0..1).unwrap_err(),
        file.get_tensor("tables").unwrap_err(),
        SafeOpen::new(path.with_extension("no")).unwrap_err(),
    ] {
        assert!(error.location().file().contains("tests"), "{error}: {}", error.location());
    }
    done_with(&path);
    Ok(())
}
