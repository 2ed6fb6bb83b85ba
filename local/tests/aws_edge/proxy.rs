//! What stands between the SDK and an engine: HTTP on loopback that can do to a call whatever a network or AWS can do to it.
//!
//! A [`Warden`] decides. Bytes are passed on as they are, so that the SDK above and the engine below are both the real ones.
//! What must stay true: a call that the warden lets pass reaches the engine exactly once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How long a call stays without an answer at most: longer than any client waits.
const SILENCE: Duration = Duration::from_secs(30);
/// Longest request or answer.
const BODY_LEN_MAX: usize = 32 * 1024 * 1024;

/// A call on its way to the engine.
#[derive(Debug)]
pub(crate) struct Call {
    /// Such as `PutItem` or `ReceiveMessage`.
    pub(crate) operation: String,
    /// Everything before the body, as it came.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// An answer on its way back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lines that each end with CRLF; the length of the body is none of them.
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// One of AWS's own, in JSON.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = "content-type: application/x-amz-json-1.0\r\n".to_owned();
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { status, headers, body } = self;
        let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    }
}

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It reaches the engine, and the engine's answer comes back.
    Passed,
    /// The engine never hears of it; this comes back.
    Answered(Answer),
    /// The engine hears of it or not, and its answer does not come back whole.
    Lost { heard: bool, how: Loss },
}

/// How an answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The connection ends without a word.
    Cut,
    /// The connection ends in the middle of the answer.
    Half,
    /// The connection stays, and nothing comes.
    Silence,
    /// Something on the way gives up with this status.
    Status(u16),
}

/// Who decides.
pub(crate) trait Warden: Send + Sync + 'static {
    /// What becomes of the call, whose body may be changed.
    fn fate(&self, call: &mut Call) -> Fate;
    /// The engine answered a call that was let pass; the answer may be changed.
    fn answered(&self, call: &Call, answer: &mut Answer);
}

/// A running proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    endpoint: String,
    _served: JoinSet<()>,
}

impl Proxy {
    /// In front of the engine at `engine` (`http://127.0.0.1:…`).
    pub(crate) async fn before(engine: &str, warden: Arc<dyn Warden>) -> io::Result<Self> {
        let engine: SocketAddr = engine.trim_start_matches("http://").parse().map_err(io::Error::other)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let mut served = JoinSet::new();
        served.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while clients.try_join_next().is_some() {}
                let warden = warden.clone();
                clients.spawn(async move {
                    // A client or an engine that went away ends its connection, as it would without a proxy.
                    drop(serve(client, engine, warden.as_ref()).await);
                });
            }
        });
        Ok(Self { endpoint, _served: served })
    }

    /// Where it listens, for the SDK.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

/// The calls of one client's connection, one after the other.
async fn serve(client: TcpStream, engine: SocketAddr, warden: &dyn Warden) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(client);
    let mut engine_side = None;
    while let Some((head, body)) = message(&mut client).await? {
        let target = field(&head, "x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let mut call = Call { operation, head, body };
        let fate = warden.fate(&mut call);
        let (answer, loss) = match fate {
            Fate::Answered(answer) => (answer, None),
            Fate::Lost { heard: false, how } => (Answer::json(200, &serde_json::json!({})), Some(how)),
            Fate::Lost { heard: true, how } => (ask(&mut engine_side, engine, &call).await?, Some(how)),
            Fate::Passed => {
                let mut answer = ask(&mut engine_side, engine, &call).await?;
                warden.answered(&call, &mut answer);
                (answer, None)
            }
        };
        let stream = client.get_mut();
        match loss {
            None => stream.write_all(&answer.bytes()).await?,
            Some(Loss::Status(status)) => {
                let body = b"upstream connect error".to_vec();
                stream.write_all(&Answer { status, headers: String::new(), body }.bytes()).await?;
            }
            Some(Loss::Cut) => return Ok(()),
            Some(Loss::Half) => {
                let whole = answer.bytes();
                return stream.write_all(&whole[..whole.len() - answer.body.len().div_ceil(2)]).await;
            }
            Some(Loss::Silence) => {
                // Until the client has had enough, and goes.
                let gone = tokio::time::timeout(SILENCE, stream.read_u8()).await;
                return gone.map_or(Ok(()), |read| read.map(drop));
            }
        }
    }
    Ok(())
}

/// Hands the call to the engine, on a connection that is kept for the next.
async fn ask(kept: &mut Option<BufReader<TcpStream>>, engine: SocketAddr, call: &Call) -> io::Result<Answer> {
    let connection = match kept {
        Some(connection) => connection,
        None => {
            let stream = TcpStream::connect(engine).await?;
            stream.set_nodelay(true)?;
            kept.insert(BufReader::new(stream))
        }
    };
    let request = format!("{}content-length: {}\r\n\r\n", without_length(&call.head), call.body.len());
    connection.get_mut().write_all(&[request.as_bytes(), &call.body].concat()).await?;
    let (head, body) = message(connection).await?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status: {head}")))?;
    let headers = without_length(&head).split_once("\r\n").map_or_else(String::new, |(_, headers)| headers.to_owned());
    Ok(Answer { status, headers, body })
}

/// A head's lines but that one, because the body may be changed, and but the empty one at the end.
fn without_length(head: &str) -> String {
    let length = |line: &str| line.to_ascii_lowercase().starts_with("content-length:");
    head.split_inclusive("\r\n").filter(|line| *line != "\r\n" && !length(line)).collect()
}

/// A request or an answer: its head, and a body of the length that the head says. `None`: the connection has ended.
async fn message(stream: &mut BufReader<TcpStream>) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if stream.read_line(&mut head).await? == 0 {
            return Ok(None);
        }
        if &head[before..] == "\r\n" {
            break;
        }
    }
    let len = field(&head, "content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
    if len > BODY_LEN_MAX {
        return Err(io::Error::other(format!("a body of {len} bytes")));
    }
    let mut body = vec![0; len];
    stream.read_exact(&mut body).await?;
    Ok(Some((head, body)))
}

/// A header's value.
pub(crate) fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
