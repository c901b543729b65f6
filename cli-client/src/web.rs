//! Calls of web procedures: a query, a payload, and whatever they answer.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};

use crate::arguments;
use crate::catalog::{Procedure, Web};
use crate::client::Client;
use crate::error::{Error, Result};

/// The request that the words of the command line ask for: POST where there is data, GET elsewhere,
/// unless the procedure answers only the other.
pub(crate) fn request(
    client: &Client,
    procedure: &Procedure,
    web: &Web,
    words: &[String],
    data: Option<&str>,
) -> Result<RequestBuilder> {
    let query = arguments::query(procedure, words)?;
    let answers = |method: &str| web.methods.iter().any(|known| known == method);
    if data.is_some() && !answers("POST") {
        let name = &procedure.name;
        return Err(Error::Usage(format!("`{name}` answers GET alone, which has no --data")));
    }
    let is_post = data.is_some() || !answers("GET");
    let method = if is_post { Method::POST } else { Method::GET };
    let request = client.with_query(method, &procedure.name, &query);
    let Some(word) = data else { return Ok(request) };
    Ok(request.header(CONTENT_TYPE, arguments::media_type(word)).body(arguments::data(word)?))
}
