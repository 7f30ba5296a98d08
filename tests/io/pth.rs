//! Files of PyTorch's own making, by `tests/data/make.py`, and ours.
use crate::{data, done_with, temporary};
use firesteel::{
    Data, TensorData,
    io::{
        Limits,
        pth::{self, Value},
    },
    nn::StateDict,
    prelude::*,
};
use std::fs;

/// What `state()` in `make.py` makes.
fn assert_state(state: &StateDict, others: usize) {
    let floats = |name: &str, shape: &[usize], values: &[f32]| {
        let tensor = &state[name];
        assert_eq!((tensor.dtype(), &tensor.shape()[..]), (DType::F32, shape), "{name}");
        assert_eq!(tensor.to_vec::<f32>(), values, "{name}");
    };
    floats("whole", &[3, 4], &[0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.]);
    floats("transposed", &[4, 3], &[0., 4., 8., 1., 5., 9., 2., 6., 10., 3., 7., 11.]);
    floats("column", &[3], &[1., 5., 9.]);
    floats("corner", &[2, 2], &[6., 7., 10., 11.]);
    floats("every_other", &[2, 2], &[0., 2., 8., 10.]);
    floats("expanded", &[2, 3], &[7., 7., 7., 8., 8., 8.]);
    floats("parameter", &[2], &[1., 1.]);
    floats("scalar", &[], &[3.5]);
    floats("empty", &[0, 4], &[]);
    let dtypes = DType::ALL.iter().filter(|dtype| state.contains_key(dtype.name()));
    for &dtype in dtypes.clone() {
        let counted = TensorData::new([2, 3], Data::I64((0..6).collect())).unwrap().cast(dtype);
        let (tensor, counted) = (&state[dtype.name()], counted.into_data());
        assert_eq!(tensor.data(), &counted, "{dtype}");
    }
    assert_eq!(dtypes.count(), 8 + others);
}

#[test]
fn a_state_dict_of_pytorch_loads_by_name_in_either_format() -> Result<()> {
    for (file, others) in
        [("state.pth", 1), ("state_deflated.pth", 1), ("state_legacy.pth", 0), ("state_protocol4.pth", 0)]
    {
        let state = pth::load(data(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_state(&state, others);
    }
    Ok(())
}

#[test]
fn a_checkpoint_of_pytorch_is_read_whole() -> Result<()> {
    let checkpoint = pth::load_value(data("checkpoint.pth"))?;
    let get = |key: &str| checkpoint.get(key).unwrap_or_else(|| panic!("there is no {key}"));
    assert_eq!(get("epoch").as_i64(), Some(3));
    assert_eq!(get("loss").as_f64(), Some(0.25));
    assert_eq!(get("best"), &Value::None);
    assert_eq!(get("done").as_bool(), Some(false));
    assert_eq!(get("seed"), &Value::Int((1 << 63) + 1));
    assert_eq!(get("negative"), &Value::Int(-(1 << 40)));
    assert_eq!(get("name").as_str(), Some("Käse"));
    assert_eq!(get("bytes"), &Value::Bytes((0..=255).collect()));
    assert_eq!(get("tuple").items().map(<[_]>::len), Some(2));
    assert_eq!(get("set"), &Value::Set(vec![1.into()]));
    assert_eq!(get("size"), &Value::Tuple(vec![2.into(), 3.into()]));
    assert_eq!(get("dtype").as_str(), Some("torch.float16"));
    assert_eq!(get("device").as_str(), Some("cuda:1"));
    assert_eq!(get("rng_state").as_tensor().map(TensorData::dtype), Some(DType::U8));

    let model = get("model_state_dict").state_dict()?;
    let names: Vec<_> = model.keys().map(String::as_str).collect();
    let norm = ["1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight"];
    assert_eq!(names, [&["0.bias", "0.weight"], &norm[..], &["2.bias", "2.weight"]].concat());
    let Some(Value::Dict(states)) = get("optimizer_state_dict").get("state") else {
        panic!("the optimizer has no state");
    };
    assert_eq!(states.len(), 6);
    assert_eq!(
        states[0].1.get("exp_avg").and_then(Value::as_tensor).map(|t| t.shape().to_vec()),
        Some(vec![3, 2])
    );
    Ok(())
}

#[test]
fn files_that_would_run_code_are_errors_and_run_nothing() {
    for (file, named) in [
        ("os_system.pth", "posix.system"),
        ("os_system_legacy.pth", "posix.system"),
        ("module.pth", "torch.nn.modules.linear.Linear"),
    ] {
        let error = pth::load_value(data(file)).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
        assert!(error.location().file().ends_with("pth.rs") && error.location().file().contains("tests"));
    }
    assert!(!std::path::Path::new("firesteel-was-here").exists());
}

#[test]
fn what_does_not_fit_is_told() {
    let told = |result: Result<StateDict>, words: &[&str]| {
        let error = result.unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    told(pth::load(data("complex.pth")), &["ComplexFloatStorage", "dtype"]);
    told(pth::load(data("checkpoint.pth")), &["\"epoch\"", "3", "model_state_dict"]);
    told(pth::load(data("no.pth")), &["no.pth", "cannot read"]);
    told(pth::load(data("f4.npy")), &["neither a zip archive nor a pickle"]);
    told(pth::load(data("arrays.npz")), &["data.pkl"]);
    told(pth::load(data("")), &["cannot read"]);
}

/// A value with everything that there is.
fn everything() -> Result<Value> {
    let tensors = DType::ALL.iter().map(|&dtype| {
        let tensor = TensorData::new([2, 3], Data::I64((0..6).collect()))?.cast(dtype);
        Ok((dtype.name(), tensor.into()))
    });
    let scalar = TensorData::new((), Data::F32(vec![3.5]))?;
    let empty = TensorData::new([0, 4], Data::F32(vec![]))?;
    Ok(Value::dict([
        ("tensors", Value::dict(tensors.collect::<Result<Vec<_>>>()?)),
        ("scalar", scalar.into()),
        ("empty", empty.into()),
        ("none", Value::None),
        ("bools", [true, false].into_iter().collect()),
        ("ints", [0, -1, 1 << 40, -(1 << 62), i64::MAX].into_iter().collect()),
        ("unsigned", u64::MAX.into()),
        ("float", 0.1.into()),
        ("text", "Käse".into()),
        ("bytes", Value::Bytes((0..=255).collect())),
        ("tuple", Value::Tuple(vec![1.into(), Value::Tuple(vec![])])),
        ("set", Value::Set(vec![1.into(), "one".into()])),
        ("numbered", Value::dict([(0, Value::List(vec![]))])),
    ]))
}

#[test]
fn what_is_written_comes_back() -> Result<()> {
    let value = everything()?;
    let bytes = pth::to_bytes(&value)?;
    assert_eq!(pth::value_from_bytes(&bytes, Limits::default())?, value);
    let path = temporary("everything.pth");
    pth::save_value(&path, &value)?;
    assert_eq!(fs::read(&path).unwrap(), bytes, "one content gives one file");
    done_with(&path);
    Ok(())
}

#[test]
fn values_that_python_cannot_hold_are_errors() {
    let list_as_key = Value::Dict(vec![(Value::List(vec![]), Value::None)]);
    assert!(pth::to_bytes(&list_as_key).is_err());
    let deep = (0..200).fold(Value::None, |value, _| Value::List(vec![value]));
    assert!(pth::to_bytes(&deep).is_err());
    assert!(pth::save_value(temporary("no/such/folder.pth"), &Value::None).is_err());
}
