//! Real connections over graphql-transport-ws.

use super::*;
use crate::schema::tests::fixture::page;
use futures::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// A server on a free port.
struct Server {
    address: std::net::SocketAddr,
    fixture: Fixture,
    stop: CancellationToken,
}

impl Server {
    async fn start() -> Self {
        Self::with_places(100).await
    }

    async fn with_places(places: usize) -> Self {
        let fixture = Fixture::known().await;
        let stop = CancellationToken::new();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        // Its connections have it, too: the server waits as soon as a client does not read.
        socket.set_send_buffer_size(4_096).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let listeners = Arc::new(Semaphore::new(places));
        let (groups, limits, origins) = (fixture.groups(), Limits::default(), Origins::None);
        let ends = Ends { stop: stop.clone(), ..Ends::default() };
        let app = routes(Endpoint { groups, limits, origins, ends, listeners });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, fixture, stop }
    }

    async fn connect(&self, origin: Option<String>, protocol: &str) -> Result<Socket, u16> {
        let mut request = self.request(protocol);
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn open(&self) -> Socket {
        self.connect(None, PROTOCOL).await.unwrap()
    }

    async fn open_on(&self, stream: MaybeTlsStream<tokio::net::TcpStream>) -> Socket {
        tokio_tungstenite::client_async(self.request(PROTOCOL), stream).await.unwrap().0
    }

    fn request(&self, protocol: &str) -> Request {
        let mut request = format!("ws://{}/graphql", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        request
    }
}

const PROTOCOL: &str = "graphql-transport-ws";

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn hear(socket: &mut Socket) -> Value {
    let wait = std::time::Duration::from_secs(10);
    let message = tokio::time::timeout(wait, socket.next()).await.expect("an answer in time").unwrap().unwrap();
    match message {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        Message::Close(frame) => json!({ "close": u16::from(frame.unwrap().code) }),
        other => panic!("{other:?}"),
    }
}

async fn introduced(server: &Server) -> Socket {
    let mut socket = server.open().await;
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await, json!({ "type": "connection_ack" }));
    socket
}

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "type": "subscribe", "id": id, "payload": { "query": query } })
}

#[tokio::test]
async fn a_subscription_from_hello_to_goodbye() {
    let server = Server::start().await;
    let mut socket = introduced(&server).await;
    let document =
        "subscription { pageCreated(filter: {isBot: false}) { missedCount cursor page { pageId user { userName } } } }";
    say(&mut socket, subscribe("1", document)).await;
    // The answer to a query comes after the subscription began.
    say(&mut socket, subscribe("2", "{ __typename }")).await;
    let next = hear(&mut socket).await;
    assert_eq!((&next["type"], &next["payload"]["data"]["__typename"]), (&json!("next"), &json!("Query")));
    assert_eq!(hear(&mut socket).await, json!({ "type": "complete", "id": "2" }));
    server.fixture.wait_for_subscriber().await;
    server.fixture.hub.tell(page("it.wikisource.org", 70, (3, "SomeBot"), 0));
    server.fixture.hub.tell(page("it.wikisource.org", 71, (1, "Alex brollo"), 0));
    let event = hear(&mut socket).await;
    let created = &event["payload"]["data"]["pageCreated"];
    assert_eq!((&created["page"]["pageId"], &created["missedCount"]), (&json!("71"), &json!(0)), "{event}");
    assert_eq!(created["page"]["user"]["userName"], "Alex brollo");
    say(&mut socket, json!({ "type": "complete", "id": "1" })).await;
    while server.fixture.hub.subscriber_count() > 0 {
        tokio::task::yield_now().await;
    }
    server.stop.cancel();
    assert_eq!(hear(&mut socket).await, json!({ "close": 1001 }));
}

#[tokio::test]
async fn what_is_refused_is_an_error_of_its_operation() {
    let server = Server::start().await;
    let mut socket = introduced(&server).await;
    let wrong_filter = "subscription { pageCreated(filter: {domains: [\"X\"]}) { cursor } }";
    for query in
        [wrong_filter, "subscription { nothing }", "{ nothing }", "{ pages(first: 2147483647) { nodes { id } } }", "{"]
    {
        say(&mut socket, subscribe("1", query)).await;
        let error = hear(&mut socket).await;
        assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("1")), "{error}");
        assert!(error["payload"][0]["extensions"]["requestId"].is_string(), "{error}");
    }
    say(&mut socket, json!({ "type": "ping" })).await;
    assert_eq!(hear(&mut socket).await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn breaking_the_protocol_closes_with_its_code() {
    let server = Server::start().await;
    let mut early = server.open().await;
    say(&mut early, subscribe("1", "{ __typename }")).await;
    assert_eq!(hear(&mut early).await, json!({ "close": 4401 }));

    let mut twice = introduced(&server).await;
    say(&mut twice, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut twice).await, json!({ "close": 4429 }));

    let mut same = introduced(&server).await;
    for _ in 0..2 {
        say(&mut same, subscribe("1", "subscription { pageCreated { cursor } }")).await;
    }
    assert_eq!(hear(&mut same).await, json!({ "close": 4409 }));

    let nameless = subscribe("", "{ __typename }");
    let ping = json!({ "type": "ping", "payload": "x" });
    let in_order = json!({ "type": "subscribe", "id": "1", "payload": ["{ __typename }", null, null, null] });
    let empty = json!({ "type": "subscribe", "id": "1" });
    for bad in [json!([]), json!({ "type": "start" }), empty, json!(7), nameless, ping, in_order] {
        let mut socket = introduced(&server).await;
        say(&mut socket, bad.clone()).await;
        assert_eq!(hear(&mut socket).await, json!({ "close": 4400 }), "{bad}");
    }
    let mut socket = server.open().await;
    say(&mut socket, json!({ "type": "connection_init", "payload": [1] })).await;
    assert_eq!(hear(&mut socket).await, json!({ "close": 4400 }));
}

#[tokio::test]
async fn what_is_no_text_closes_with_its_code() {
    let server = Server::start().await;
    let text = |bytes: &'static [u8]| Message::Frame(Frame::message(bytes, OpCode::Data(Data::Text), true));
    for (message, code) in [
        (Message::binary("{}"), 4400),
        (text(b"\xff"), 1007),
        (Message::text("x".repeat(in_memory(Limits::default().body_bytes) + 1)), 1009),
        (Message::Frame(Frame::message("x", OpCode::Data(Data::Reserved(3)), true)), 1002),
    ] {
        let mut socket = introduced(&server).await;
        socket.send(message).await.unwrap();
        assert_eq!(hear(&mut socket).await, json!({ "close": code }));
    }
}

#[tokio::test]
async fn a_connection_has_fifty_operations_at_most() {
    let server = Server::start().await;
    let mut socket = introduced(&server).await;
    for id in 0..50 {
        say(&mut socket, subscribe(&id.to_string(), "subscription { pageCreated { cursor } }")).await;
    }
    say(&mut socket, json!({ "type": "ping" })).await;
    assert_eq!(hear(&mut socket).await, json!({ "type": "pong" }));
    say(&mut socket, subscribe("50", "{ __typename }")).await;
    assert_eq!(hear(&mut socket).await, json!({ "close": 4429 }));
}

#[tokio::test]
async fn a_client_s_close_is_answered() {
    let server = Server::start().await;
    for is_introduced in [false, true] {
        let mut socket = if is_introduced { introduced(&server).await } else { server.open().await };
        socket.close(Some(CloseFrame { code: 1000.into(), reason: "".into() })).await.unwrap();
        assert_eq!(hear(&mut socket).await, json!({ "close": 1000 }));
        assert!(socket.next().await.is_none(), "and the connection ends");
    }
}

#[tokio::test]
async fn there_are_so_many_connections_and_no_more() {
    let server = Server::with_places(2).await;
    let (first, _second) = (introduced(&server).await, introduced(&server).await);
    assert_eq!(server.connect(None, PROTOCOL).await.err(), Some(503));
    drop(first);
    let again = async {
        while server.connect(None, PROTOCOL).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), again).await.expect("the place is free again");
}

#[tokio::test]
async fn only_pages_of_this_host_may_open_the_feed() {
    let server = Server::start().await;
    let host = server.address.to_string();
    assert!(server.connect(Some(format!("http://{host}")), PROTOCOL).await.is_ok());
    for origin in ["http://evil.example", "null", &format!("http://{host}.evil.example")] {
        assert_eq!(server.connect(Some(origin.to_owned()), PROTOCOL).await.err(), Some(403), "{origin}");
    }
    assert_eq!(server.connect(None, "graphql-ws").await.err(), Some(400));
}

#[tokio::test]
async fn a_client_that_answers_nothing_is_pinged_and_given_up() {
    let server = Server::start().await;
    let mut socket = introduced(&server).await;
    // As bytes, for a WebSocket would answer.
    let MaybeTlsStream::Plain(stream) = socket.get_mut() else { panic!("a connection without TLS") };
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let mut said = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(600), stream.read_to_end(&mut said));
    reading.await.expect("the server gives up").unwrap();
    let pings = said.windows(2).filter(|frame| *frame == [0x89, 0]).count();
    assert!((2..=4).contains(&pings), "{said:?}");
    assert!(said.windows(4).any(|frame| frame[0] == 0x88 && frame[2..] == 1001u16.to_be_bytes()), "{said:?}");
    assert!(begun.elapsed() >= Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_there_and_one_that_stops_is_not() {
    let server = Server::start().await;
    let tcp = tokio::net::TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4_096).unwrap();
    let stream = MaybeTlsStream::Plain(tcp.connect(server.address).await.unwrap());
    let mut socket = server.open_on(stream).await;
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await, json!({ "type": "connection_ack" }));
    say(&mut socket, subscribe("1", "subscription { pageCreated { page { title url } } }")).await;
    server.fixture.wait_for_subscriber().await;
    for page_id in 1..1_000 {
        server.fixture.hub.tell(page("it.wikisource.org", page_id, (1, "Alex brollo"), 0));
    }
    let MaybeTlsStream::Plain(stream) = socket.get_mut() else { panic!("a connection without TLS") };
    tokio::time::pause();
    // It takes minutes until it comes to the first ping.
    let mut some = vec![0; 8 * 1_024];
    let mut read = 0;
    while read < 8 * some.len() {
        tokio::time::sleep(Duration::from_secs(30)).await;
        read += stream.read_exact(&mut some).await.expect("the server waits");
    }
    let begun = tokio::time::Instant::now();
    while server.fixture.hub.subscriber_count() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(600), "it is given up");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(30), "{:?}", begun.elapsed());
}
