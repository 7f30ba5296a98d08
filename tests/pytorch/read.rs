//! Reads cases from their files, compressed or not. `cases/README.md` says where they come from.
use super::cases::{Case, Detail, Kind, Module, Optim, Raw, Sched, Tensor, Value};
use firesteel_core::{DType, Error, Result};
use flate2::read::GzDecoder;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value as Json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of the cases that the project carries.
pub fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch/cases")
}

/// All cases of one kind in a folder, compressed or not; none where it has no file of them.
pub fn load(folder: &Path, kind: Kind) -> Result<Vec<Case>> {
    let Some(lines) = read(folder, &format!("{kind}.jsonl"))? else {
        return Ok(Vec::new());
    };
    parse_file(kind, &lines, &read(folder, &format!("{kind}.safetensors"))?.unwrap_or_default())
}

/// The cases of two files' contents: the lines, and the tensors in them.
pub fn parse_file(kind: Kind, lines: &[u8], tensors: &[u8]) -> Result<Vec<Case>> {
    let tensors = self::tensors(tensors)?;
    let lines = str::from_utf8(lines).map_err(|e| Error::format("pytorch", e.to_string()))?;
    lines.lines().map(|line| Reader::new(&tensors).case(kind, line)).collect()
}

/// A file's content, or what `name.gz` holds, or nothing where there is neither.
fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    let (plain, packed) = (folder.join(name), folder.join(format!("{name}.gz")));
    let mut content = Vec::new();
    if plain.exists() {
        File::open(plain)?.read_to_end(&mut content)?;
    } else if packed.exists() {
        GzDecoder::new(File::open(packed)?).read_to_end(&mut content)?;
    } else {
        return Ok(None);
    }
    Ok(Some(content))
}

/// What a file holds under a name: a tensor, or the name of a dtype that Firesteel does not have.
type Held = Result<Arc<Raw>, String>;

fn tensors(file: &[u8]) -> Result<HashMap<String, Held>> {
    if file.is_empty() {
        return Ok(HashMap::new());
    }
    let file = SafeTensors::deserialize(file).map_err(|e| Error::format("pytorch", e.to_string()))?;
    let held = file.tensors().into_iter().map(|(name, view)| {
        let raw = dtype(view.dtype())
            .map(|dtype| Arc::new(Raw { dtype, shape: view.shape().to_vec(), bytes: view.data().to_vec() }));
        (name, raw)
    });
    Ok(held.collect())
}

/// Ours for the file's dtype, or its name.
fn dtype(dtype: Dtype) -> Result<DType, String> {
    Ok(match dtype {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::BF16 => DType::BF16,
        Dtype::F16 => DType::F16,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        Dtype::I8 => DType::I8,
        Dtype::U32 => DType::U32,
        Dtype::U8 => DType::U8,
        Dtype::BOOL => DType::Bool,
        other => return Err(format!("{other:?}")),
    })
}

/// Reads one case.
struct Reader<'a> {
    tensors: &'a HashMap<String, Held>,
    unsupported: RefCell<Option<String>>,
}

/// The object of a line.
type Object = Map<String, Json>;

impl<'a> Reader<'a> {
    fn new(tensors: &'a HashMap<String, Held>) -> Self {
        Self { tensors, unsupported: RefCell::default() }
    }

    fn case(&self, kind: Kind, line: &str) -> Result<Case> {
        let json = parse(line)?;
        let o = json.as_object().ok_or_else(|| odd("a case", &json))?;
        let (id, name) = (text(o, "id")?, text(o, kind.name())?);
        let mut case = self.common(kind, id, name, o).map_err(|e| e.within(format!("pytorch {id}")))?;
        case.detail = self.detail(kind, o).map_err(|e| e.within(format!("pytorch {id}")))?;
        case.unsupported = self.unsupported.take();
        Ok(case)
    }

    fn common(&self, kind: Kind, id: &str, name: &str, o: &Object) -> Result<Case> {
        Ok(Case {
            id: id.into(),
            kind,
            name: name.into(),
            variant: o.get("variant").and_then(Json::as_str).unwrap_or_default().into(),
            args: self.values(o, "args")?,
            kwargs: self.named(o, "kwargs", Self::value)?,
            outputs: self.values(o, "outputs")?,
            cotangents: list(o, "cotangents").map(|c| self.cotangent(c)).collect::<Result<_>>()?,
            grads: self.named(o, "grads", Self::gradient)?,
            directions: self.named(o, "directions", Self::gradient)?,
            seconds: self.named(o, "seconds", Self::gradient)?,
            atol: o.get("atol").and_then(Json::as_f64),
            grad_atol: o.get("grad_atol").and_then(Json::as_f64),
            second_atol: o.get("second_atol").and_then(Json::as_f64),
            random: o.get("random") == Some(&Json::Bool(true)),
            unsupported: None,
            detail: Detail::Op,
        })
    }

    fn detail(&self, kind: Kind, o: &Object) -> Result<Detail> {
        Ok(match kind {
            Kind::Op => Detail::Op,
            Kind::Module => Detail::Module(Module {
                training: o.get("training") == Some(&Json::Bool(true)),
                settings: self.settings(field(o, "constructor")?)?,
                state: self.named(o, "state", Self::tensor)?,
                state_after: self.named(o, "state_after", Self::tensor)?,
            }),
            Kind::Optim => Detail::Optim(Optim {
                x: self.tensor(field(o, "x")?)?,
                y: self.tensor(field(o, "y")?)?,
                initial: self.row(field(o, "initial")?)?,
                losses: numbers(field(o, "losses")?)?,
                trajectory: list(o, "trajectory").map(|row| self.row(row)).collect::<Result<_>>()?,
            }),
            Kind::Sched => Detail::Sched(Sched {
                base: numbers(field(o, "base")?)?,
                momentum: number(field(o, "momentum")?)?,
                metric: o.get("metric").filter(|m| !m.is_null()).map(numbers).transpose()?,
                lrs: list(o, "lrs").map(numbers).collect::<Result<_>>()?,
                momenta: list(o, "momenta").map(numbers).collect::<Result<_>>()?,
            }),
        })
    }

    /// A constructor's arguments: those by position take their names from `arg_names`.
    fn settings(&self, json: &Json) -> Result<Vec<(String, Value)>> {
        let o = json.as_object().ok_or_else(|| odd("a constructor", json))?;
        let names = list(o, "arg_names").map(|n| n.as_str().unwrap_or_default().to_string());
        let mut settings: Vec<_> = names.zip(self.values(o, "args")?).collect();
        settings.extend(self.named::<_, Vec<_>>(o, "kwargs", Self::value)?);
        Ok(settings)
    }

    fn cotangent(&self, json: &Json) -> Result<(usize, Tensor)> {
        let output = json.get("output").and_then(Json::as_u64).ok_or_else(|| odd("a cotangent", json))?;
        Ok((output as usize, self.tensor(json)?))
    }

    fn gradient(&self, json: &Json) -> Result<Option<Tensor>> {
        if json.is_null() { Ok(None) } else { self.tensor(json).map(Some) }
    }

    fn row(&self, json: &Json) -> Result<Vec<Tensor>> {
        json.as_array().ok_or_else(|| odd("a list", json))?.iter().map(|t| self.tensor(t)).collect()
    }

    fn values(&self, o: &Object, key: &str) -> Result<Vec<Value>> {
        list(o, key).map(|v| self.value(v)).collect()
    }

    /// The members of an object, each read by `read`; none where there is no object.
    fn named<T, C: FromIterator<(String, T)>>(
        &self,
        o: &Object,
        key: &str,
        read: fn(&Self, &Json) -> Result<T>,
    ) -> Result<C> {
        let members = o.get(key).and_then(Json::as_object).into_iter().flatten();
        members.map(|(name, json)| Ok((name.clone(), read(self, json)?))).collect()
    }

    fn tensor(&self, json: &Json) -> Result<Tensor> {
        let name = json.get("tensor").and_then(Json::as_str).ok_or_else(|| odd("a tensor", json))?;
        let raw = self.tensors.get(name).cloned();
        let raw = raw.ok_or_else(|| Error::format("pytorch", format!("there is no tensor {name}")))?;
        let complex = json.get("complex") == Some(&Json::Bool(true));
        if let Err(dtype) = &raw {
            self.unsupported.replace(Some(dtype.clone()));
        }
        Ok(Tensor { name: name.into(), complex, raw })
    }

    fn value(&self, json: &Json) -> Result<Value> {
        Ok(match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::String(s) => Value::Str(s.clone()),
            Json::Number(n) => n
                .as_i64()
                .map_or_else(|| n.as_f64().map(Value::Float), |i| Some(Value::Int(i)))
                .ok_or_else(|| odd("a number", json))?,
            Json::Array(items) => Value::List(self.all(items)?),
            Json::Object(o) => self.special(json, o)?,
        })
    }

    fn all(&self, items: &[Json]) -> Result<Vec<Value>> {
        items.iter().map(|v| self.value(v)).collect()
    }

    /// A value that JSON has no form for.
    fn special(&self, json: &Json, o: &Object) -> Result<Value> {
        let (key, inner) = o.iter().next().ok_or_else(|| odd("a value", json))?;
        Ok(match (key.as_str(), inner) {
            ("tensor", _) => Value::Tensor(self.tensor(json)?),
            ("float", _) => Value::Float(number(json)?),
            ("dtype", Json::String(s)) => Value::DType(s.clone()),
            ("list", Json::Array(items)) => Value::List(self.all(items)?),
            ("tuple", Json::Array(items)) => Value::Tuple(self.all(items)?),
            ("dict", _) => Value::Dict(self.named(o, "dict", Self::value)?),
            ("slice", Json::Array(ends)) if ends.len() == 3 => {
                Value::Slice([ends[0].as_i64(), ends[1].as_i64(), ends[2].as_i64()])
            }
            ("ellipsis", _) => Value::Ellipsis,
            ("module", Json::String(s)) => Value::Module(s.clone(), self.named(o, "kwargs", Self::value)?),
            ("function", Json::String(s)) => Value::Function(s.clone()),
            ("ignored", Json::String(s)) => Value::Ignored(s.clone()),
            _ => return Err(odd("a value", json)),
        })
    }
}

/// One line of JSON. Python writes floats that JSON does not have as bare words.
fn parse(line: &str) -> Result<Json> {
    let json = serde_json::from_str(line).or_else(|_| serde_json::from_str(&quote_floats(line)));
    json.map_err(|e| Error::format("pytorch", e.to_string()))
}

/// The line with `NaN` and the infinities written as FORMAT.md writes them.
fn quote_floats(line: &str) -> String {
    let mut line = line.to_string();
    for (word, float) in [("NaN", "nan"), ("Infinity", "inf"), ("-Infinity", "-inf")] {
        for before in [':', ',', '['] {
            line = line.replace(&format!("{before}{word}"), &format!(r#"{before}{{"float":"{float}"}}"#));
        }
    }
    line
}

fn odd(what: &str, json: &Json) -> Error {
    Error::format("pytorch", format!("{json} is not {what}"))
}

fn field<'a>(o: &'a Object, key: &str) -> Result<&'a Json> {
    o.get(key).ok_or_else(|| Error::format("pytorch", format!("{key} is missing")))
}

fn text<'a>(o: &'a Object, key: &str) -> Result<&'a str> {
    let json = field(o, key)?;
    json.as_str().ok_or_else(|| odd("a string", json))
}

/// The items of a list; none where there is no list.
fn list<'a>(o: &'a Object, key: &str) -> impl Iterator<Item = &'a Json> {
    o.get(key).and_then(Json::as_array).into_iter().flatten()
}

fn number(json: &Json) -> Result<f64> {
    let written = || json.get("float").and_then(Json::as_str)?.parse().ok();
    json.as_f64().or_else(written).ok_or_else(|| odd("a number", json))
}

fn numbers(json: &Json) -> Result<Vec<f64>> {
    json.as_array().ok_or_else(|| odd("a list", json))?.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(kind: Kind) -> Vec<Case> {
        load(&own_folder(), kind).unwrap()
    }

    #[test]
    fn there_are_as_many_cases_as_the_oracle_says() {
        assert_eq!(Kind::ALL.map(|kind| all(kind).len()), [5707, 852, 91, 14]);
    }

    #[test]
    fn ids_are_unique_and_gradients_have_arguments() {
        for kind in Kind::ALL {
            let cases = all(kind);
            let ids: std::collections::HashSet<_> = cases.iter().map(|case| &case.id).collect();
            assert_eq!(ids.len(), cases.len());
            for case in &cases {
                assert!(case.cotangents.iter().all(|(i, _)| *i < case.outputs.len()), "{}", case.id);
                assert!(case.seconds.keys().all(|path| case.grads.contains_key(path)), "{}", case.id);
            }
        }
    }

    #[test]
    fn a_case_is_read_whole() {
        let case = all(Kind::Op).into_iter().find(|case| case.id == "abs/0").unwrap();
        assert_eq!((&case.name[..], &case.variant[..], case.random), ("abs", "", false));
        let Value::Tensor(out) = &case.outputs[0] else { panic!("no tensor") };
        assert_eq!(out.raw().unwrap().floats().unwrap().len(), out.raw().unwrap().numel());
        assert!(case.grads["args.0"].is_some() && case.seconds["args.0"].is_some());
        assert_eq!((case.atol, case.second_atol), (Some(1e-5), Some(1e-5)));
    }

    #[test]
    fn dtypes_that_we_lack_are_marked() {
        let cases = all(Kind::Op);
        let lacking: Vec<_> = cases.iter().filter(|case| case.unsupported.is_some()).collect();
        assert_eq!(lacking.len(), 22);
        let Value::Tensor(out) = &lacking[0].outputs[0] else { panic!("no tensor") };
        assert!(out.raw().unwrap_err().to_string().contains("unsupported dtype"));
    }

    #[test]
    fn bare_words_of_python_are_floats() {
        assert_eq!(
            numbers(&parse("[NaN,Infinity,-Infinity]").unwrap()).unwrap()[1..],
            [f64::INFINITY, -f64::INFINITY]
        );
        assert_eq!(parse(r#"{"a":NaN}"#).unwrap()["a"]["float"], "nan");
        assert!(parse("{").is_err());
    }

    #[test]
    fn every_sort_of_value_is_read() {
        let none = HashMap::new();
        let reader = Reader::new(&none);
        let value = |json: &str| reader.value(&parse(json).unwrap()).unwrap();
        assert_eq!(value("3"), Value::Int(3));
        assert_eq!(value("3.0"), Value::Float(3.));
        assert_eq!(value(r#"{"float":"-inf"}"#), Value::Float(f64::NEG_INFINITY));
        assert_eq!(value(r#"{"tuple":[null,true]}"#), Value::Tuple(vec![Value::Null, Value::Bool(true)]));
        assert_eq!(value(r#"{"slice":[null,2,-1]}"#), Value::Slice([None, Some(2), Some(-1)]));
        assert_eq!(value(r#"{"ellipsis":true}"#), Value::Ellipsis);
        assert_eq!(value(r#"{"dtype":"int16"}"#), Value::DType("int16".into()));
        let module = Value::Module("PReLU".into(), vec![("a".into(), Value::Int(1))]);
        assert_eq!(value(r#"{"module":"PReLU","kwargs":{"a":1}}"#), module);
    }
}
