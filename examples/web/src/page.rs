//! What JavaScript calls.
use crate::{drawing, net::Net};
use firesteel::{data::mnist::SIDE, io::safetensors, prelude::*};
use wasm_bindgen::prelude::*;

/// What MNIST would have made of a drawing of so many columns: see [`drawing::like_mnist`].
#[wasm_bindgen(js_name = likeMnist)]
pub fn like_mnist(ink: &[u8], width: usize) -> Vec<u8> {
    drawing::like_mnist(ink, width)
}

/// The network, on a machine.
#[wasm_bindgen]
pub struct Reader {
    net: Net<Any>,
    device: Any,
}

#[wasm_bindgen]
impl Reader {
    /// A network with the weights of a safetensors file, on `"webgpu"`, on `"cpu"`, or where nothing is said on the
    /// first that this browser has.
    pub async fn open(weights: Vec<u8>, backend: Option<String>) -> Result<Reader, JsError> {
        let device = open(backend.as_deref()).await?;
        let mut net = Net::new(&device)?;
        net.load_state_dict(&safetensors::from_bytes(&weights)?.0)?;
        net.eval();
        Ok(Reader { net, device })
    }

    /// Where the network runs: `webgpu` or `cpu`.
    pub fn backend(&self) -> String {
        if matches!(self.device, Any::Cpu(_)) { "cpu" } else { "webgpu" }.to_owned()
    }

    /// How likely it is each digit, for a picture of 28 by 28 in 0 to 255.
    pub async fn read(&self, picture: &[u8]) -> Result<Vec<f32>, JsError> {
        let pixels = Tensor::new(drawing::normalized(picture), &self.device)?;
        let logits = self.net.forward(&pixels.reshape([1, 1, SIDE as isize, SIDE as isize])?)?;
        Ok(logits.softmax(1)?.to_vec_async().await?)
    }
}

async fn open(backend: Option<&str>) -> Result<Any> {
    match backend {
        Some("cpu") => Ok(Cpu.into()),
        Some("webgpu") => Ok(Wgpu::best_async().await?.into()),
        None => Ok(Wgpu::best_async().await.map_or(Cpu.into(), Any::from)),
        Some(other) => Err(Error::value("backend", format!("{other:?} is neither \"webgpu\" nor \"cpu\""))),
    }
}
