import Testing

@testable import API
@testable import Serving

@Suite struct SessionDecoderTests {
  private let service: Service

  init() throws {
    service = try Service.make(
      TestModels.echo(size: 1), TestModels.counter(),
      TestModels.tokens(vocabulary: ["a", "b", "c", "d"]))
  }

  private func uses(_ members: String) throws -> [SessionUse?] {
    try service.question(in: Array("{\(members)}".utf8)).sessions
  }

  @Test(
    arguments: [
      (#""a""#, SessionUse(opening: .init("a"))),
      (#"{"id":"a"}"#, SessionUse(opening: .init("a"))),
      (#"{"id":"a","begin":true}"#, SessionUse(opening: .init("a", .begin))),
      (
        #"{"id":"a","begin":true,"replace":true}"#,
        SessionUse(opening: .init("a", .begin, replaces: true))
      ),
      (#"{"id":"a","at":37}"#, SessionUse(opening: .init("a", at: 37))),
      (
        #"{"id":"a","at":0,"fork":"b","replace":true}"#,
        SessionUse(opening: .init("a", .fork(from: "b"), at: 0, replaces: true))
      ),
      (#"{"begin":false,"id":"a"}"#, SessionUse(opening: .init("a"))),
      (#"{"id":"a","fork":"b"}"#, SessionUse(opening: .init("a", .fork(from: "b")))),
      (#"{"fork":"a","id":"a","begin":false}"#, SessionUse(opening: .init("a", .fork(from: "a")))),
      (#"{"id":"a","end":true}"#, SessionUse(opening: .init("a"), ends: true)),
      (#"{"id":"a","wait":true}"#, SessionUse(opening: .init("a"), waits: true)),
      (
        #"{"wait":true,"end":true,"begin":true,"id":"a"}"#,
        SessionUse(opening: .init("a", .begin), ends: true, waits: true)
      ),
      (#"{"id":"a","end":false,"wait":false}"#, SessionUse(opening: .init("a"))),
      (#""\u0061""#, SessionUse(opening: .init("a"))),
      (
        #""azAZ09-._~:""#, SessionUse(opening: .init("azAZ09-._~:"))
      ),
    ])
  func forms(text: String, use: SessionUse) throws {
    #expect(try uses(#""inputs":[1],"session":\#(text)"#) == [use])
    #expect(try uses(#""session":[null,\#(text)],"inputs":[[1],[2]]"#) == [nil, use])
    #expect(try uses(#""session":\#(text),"inputs":"ab","model":"tokens""#) == [use])
    #expect(try uses(#""session":[\#(text)],"inputs":["ab"],"model":"tokens""#) == [use])
  }

  @Test(arguments: [
    #""inputs":[1]"#, #""inputs":[1],"session":null"#, #""inputs":[[1],[2]],"session":null"#,
    #""inputs":[[1],[2]],"session":[null,null]"#,
  ])
  func noSessionAtAll(members: String) throws {
    #expect(try uses(members) == [])
  }

  @Test(arguments: [(1, true), (127, true), (128, true), (129, false), (0, false)])
  func theLengthOfAnID(count: Int, isID: Bool) async {
    let id = String(repeating: "k", count: count)
    let answer = await service.predict(#"{"inputs":[1],"session":{"id":"\#(id)","begin":true}}"#)
    #expect(answer.status == (isID ? 200 : 400))
  }

  /// Every byte that stands for itself in JSON, and no other, is told as the paths of RFC 3986 have it.
  @Test func theCharactersOfAnID() {
    let good = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:")
    for byte in UInt8.min...UInt8.max {
      let character = Character(UnicodeScalar(byte))
      #expect(SessionUse.isID("a\(character)") == good.contains(character))
    }
    #expect(!SessionUse.isID("k\u{212A}"))
  }

  @Test(arguments: [
    ("7", "session: found the number 7, expected a session (its id, or {\\\"id\\\": …}) or null"),
    ("true", "session: found true, expected a session (its id, or {\\\"id\\\": …}) or null"),
    (
      #"["a"]"#,
      "session: found an array, expected a session (its id, or {\\\"id\\\": …}) or null"
    ),
    (
      "[1,2]",
      "session: found an array of 2 numbers, expected a session (its id, or {\\\"id\\\": …}) or null"
    ),
    (
      #""""#,
      #"session: found the string \"\", expected an id of 1 to 128 letters, digits and -._~:"#
    ),
    (
      #""a b""#,
      #"session: found the string \"a b\", expected an id of 1 to 128 letters, digits and -._~:"#
    ),
    (
      #"".""#,
      #"session: found the string \".\", expected an id of 1 to 128 letters, digits and -._~:"#
    ),
    (
      #""a/b""#,
      #"session: found the string \"a/b\", expected an id of 1 to 128 letters, digits and -._~:"#
    ),
    (
      #"{"id":"é"}"#,
      #"session.id: found the string \"é\", expected an id of 1 to 128 letters, digits and -._~:"#
    ),
    (
      #"{"id":7}"#,
      "session.id: found the number 7, expected an id of 1 to 128 letters, digits and -._~:"
    ),
    (
      #"{"id":null}"#,
      "session.id: found null, expected an id of 1 to 128 letters, digits and -._~:"
    ),
    (
      #"{"id":"a","fork":""}"#,
      #"session.fork: found the string \"\", expected an id of 1 to 128 letters, digits and -._~:"#
    ),
    (
      #"{"id":"a","fork":7}"#,
      "session.fork: found the number 7, expected an id of 1 to 128 letters, digits and -._~:"
    ),
    (#"{"id":"a","begin":1}"#, "session.begin: found the number 1, expected true or false"),
    (
      #"{"id":"a","end":"true"}"#,
      #"session.end: found the string \"true\", expected true or false"#
    ),
    (#"{"id":"a","wait":1}"#, "session.wait: found the number 1, expected true or false"),
    (
      #"{"id":"a","begin":true,"at":0}"#,
      "session: found at beside begin, expected one of them: a session that begins goes on from nothing"
    ),
    (
      #"{"id":"a","replace":true}"#,
      "session: found replace without begin or fork, expected one of them: to go on with a session replaces nothing"
    ),
    (
      #"{"id":"a","at":-1}"#,
      "session.at: found the number -1, expected a whole number from 0 to 9007199254740992"
    ),
    (
      #"{"id":"a","at":1.5}"#,
      "session.at: found the number 1.5, expected a whole number from 0 to 9007199254740992"
    ),
    (
      #"{"id":"a","begin":true,"fork":"b"}"#,
      "session: found fork beside begin, expected one of them: a fork begins with the state of another session"
    ),
    (#"{"id":"a","id":"a"}"#, "session.id is given twice"),
    (#"{"id":"a","begin":true,"begin":true}"#, "session.begin is given twice"),
  ])
  func refuses(session: String, error: String) async {
    let answer = await service.predict(#"{"inputs":[1],"session":\#(session)}"#)
    #expect(answer.status == 400)
    #expect(answer.body == #"{"error":"\#(error)"}"# + "\n")
  }

  @Test(arguments: ["{}", #"{"begin":true}"#])
  func anIDIsMissing(session: String) async {
    let answer = await service.predict(#"{"inputs":[1],"session":\#(session)}"#)
    #expect(answer.status == 400)
    #expect(answer.body.hasPrefix(#"{"error":"session.id is missing"#))
  }

  @Test func anUnknownMember() async {
    let answer = await service.predict(#"{"inputs":[[1]],"session":[{"id":"a","begins":true}]}"#)
    #expect(answer.status == 400)
    #expect(
      answer.body
        == #"{"error":"session[0]: \"begins\" is not known, expected id, begin, fork, replace, at, end or wait"}"#
        + "\n")
  }

  @Test(arguments: [
    (
      #""a""#,
      #"session: found the string \"a\", expected an array of 2 sessions (each an id, {\"id\": …} or null), one a sequence"#
    ),
    (
      #"{"id":"a"}"#,
      #"session: found an object, expected an array of 2 sessions (each an id, {\"id\": …} or null), one a sequence"#
    ),
    (
      #"["a"]"#,
      #"session: found an array, expected an array of 2 sessions (each an id, {\"id\": …} or null), one a sequence"#
    ),
    (
      #"["a","b","c"]"#,
      #"session: found an array, expected an array of 2 sessions (each an id, {\"id\": …} or null), one a sequence"#
    ),
    (
      "[1,2]",
      #"session: found an array of 2 numbers, expected an array of 2 sessions (each an id, {\"id\": …} or null), one a sequence"#
    ),
    (
      "[null,[]]",
      #"session[1]: found an empty array, expected a session (its id, or {\"id\": …}) or null"#
    ),
    (
      #"["a",{"id":"a","begin":true}]"#,
      #"session[1]: found session \"a\" again, which session[0] has already"#
    ),
    (#"[{"id":"a","wait":2},null]"#, "session[0].wait: found the number 2, expected true or false"),
  ])
  func refusesOfTwo(sessions: String, error: String) async {
    let answer = await service.predict(#"{"inputs":[[1],[2]],"session":\#(sessions)}"#)
    #expect(answer.status == 400)
    #expect(answer.body == #"{"error":"\#(error)"}"# + "\n")
  }

  @Test func ofOne() async {
    let answer = await service.predict(#"{"inputs":[[1]],"session":"a"}"#)
    #expect(
      answer.body
        == #"{"error":"session: found the string \"a\", expected an array of 1 session (each an id, {\"id\": …} or null), one a sequence"}"#
        + "\n")
  }

  @Test(arguments: [#""a""#, #"{"id":"a","fork":"b"}"#])
  func aStateBesideASessionThatHasOne(session: String) async throws {
    let begun = await service.predict(#"{"inputs":[1],"return_state":true}"#).body
    let start = try #require(begun.firstRange(of: #""state":""#)).upperBound
    let token = begun[start...].prefix { $0 != "\"" }
    let single = await service.predict(
      #"{"inputs":[1],"state":"\#(token)","session":\#(session)}"#)
    #expect(single.status == 400)
    #expect(
      single.body
        == #"{"error":"state: found beside a session that has a state already, expected one that begins (\"begin\": true)"}"#
        + "\n")
    let many = await service.predict(
      #"{"inputs":[[1],[2]],"state":["\#(token)","\#(token)"],"session":[null,\#(session)]}"#)
    #expect(many.status == 400)
    #expect(many.body.hasPrefix(#"{"error":"state[1]: found beside a session"#))
  }
}
