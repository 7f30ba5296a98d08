//! The protocol of <https://www.w3.org/TR/webdriver2/>, as far as the tests need it.
use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};
use ureq::Agent;

/// A session with a browser, behind a driver.
pub struct Session {
    agent: Agent,
    /// Of the session, behind a driver's.
    address: String,
}

impl Session {
    /// Has the driver at an address start a browser.
    pub fn new(driver: &str, capabilities: &Value) -> Result<Self> {
        let config = Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(120))).build().into();
        let mut session = Self { agent, address: format!("{driver}/session") };
        let made = session.post("", &json!({ "capabilities": { "alwaysMatch": capabilities } }))?;
        let id = made["sessionId"].as_str().context("a session without an id")?;
        session.address = format!("{}/{id}", session.address);
        Ok(session)
    }

    /// A command: its value, or what the driver says is wrong.
    pub fn post(&self, command: &str, parameters: &Value) -> Result<Value> {
        let address = format!("{}{command}", self.address);
        let mut answer: Value = self.agent.post(address).send_json(parameters)?.body_mut().read_json()?;
        let value = answer["value"].take();
        ensure!(value["error"].is_null(), "{command}: {} {}", value["error"], value["message"]);
        Ok(value)
    }

    /// Opens a page, and waits until it is loaded.
    pub fn open(&self, address: &str) -> Result<()> {
        self.post("/url", &json!({ "url": address })).map(|_| ())
    }

    /// What the body of an async function of JavaScript returns.
    pub fn script(&self, body: &str) -> Result<Value> {
        let script = format!(
            "const done = arguments[0]; (async () => {{ {body} }})().then(done, (e) => done({{ thrown: `${{e}}` }}))"
        );
        let value = self.post("/execute/async", &json!({ "script": script, "args": [] }))?;
        ensure!(value["thrown"].is_null(), "{}: {body}", value["thrown"]);
        Ok(value)
    }

    /// Draws a line through points on an element with the pointer: from its middle, in units of half its width.
    #[allow(dead_code)] // not every test binary draws
    pub fn draw(&self, selector: &str, points: &[[f64; 2]]) -> Result<()> {
        /// The key of the reference to an element.
        const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }))?;
        let reference = json!({ ELEMENT: found[ELEMENT] });
        let width = self.script(&format!("return document.querySelector({selector:?}).offsetWidth"))?;
        let half = width.as_f64().context("no width")? / 2.;
        let to = |[x, y]: [f64; 2]| {
            let (x, y) = ((x * half) as i64, (y * half) as i64);
            json!({ "type": "pointerMove", "duration": 60, "origin": reference, "x": x, "y": y })
        };
        let mut actions: Vec<Value> = points.iter().map(|&point| to(point)).collect();
        actions.insert(1, json!({ "type": "pointerDown", "button": 0 }));
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        let pointer = json!({ "type": "pointer", "id": "pen", "parameters": { "pointerType": "mouse" },
            "actions": actions });
        self.post("/actions", &json!({ "actions": [pointer] })).map(|_| ())
    }

    /// Writes what the window shows to a PNG file.
    #[allow(dead_code)] // nor looks
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        let address = format!("{}/screenshot", self.address);
        let answer: Value = self.agent.get(address).call()?.body_mut().read_json()?;
        let picture = answer["value"].as_str().context("no screenshot")?;
        Ok(fs::write(file, BASE64_STANDARD.decode(picture)?)?)
    }

    /// Closes the browser.
    pub fn close(&self) -> Result<()> {
        self.agent.delete(&self.address).call()?;
        Ok(())
    }
}
