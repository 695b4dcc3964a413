import Testing

@testable import SessionStores

/// Replies of Redis, whole, byte by byte, and with others behind them; and what is none.
@Suite struct RESPParserTests {
  private static let replies: [(String, RESPValue)] = [
    ("+OK\r\n", .simple("OK")), ("-ERR no\r\n", .error("ERR no")), (":-12\r\n", .integer(-12)),
    ("$-1\r\n", .null), ("*-1\r\n", .null), ("$0\r\n\r\n", .bytes([])),
    ("$4\r\na\r\nb\r\n", .bytes(Array("a\r\nb".utf8))), ("*0\r\n", .array([])),
    (
      "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+y\r\n",
      .array([.integer(1), .array([.bytes([0x78]), .null]), .simple("y")])
    ),
    ("_\r\n", .null), ("#t\r\n", .integer(1)), ("#f\r\n", .integer(0)),
    (",1.5\r\n", .simple("1.5")),
    ("=7\r\ntxt:a:b\r\n", .bytes(Array("a:b".utf8))), ("=4\r\ntxt:\r\n", .bytes([])),
    ("~1\r\n+a\r\n", .array([.simple("a")])),
    ("%1\r\n+a\r\n*1\r\n:1\r\n", .array([.simple("a"), .array([.integer(1)])])),
    (
      ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n\r\n",
      .push([.bytes(Array("message".utf8)), .bytes([0x63]), .bytes([])])
    ),
  ]

  @Test(arguments: 0..<replies.count)
  func threeWays(index: Int) throws {
    let (text, value) = Self.replies[index]
    var whole = RESPParser()
    whole.append(text.utf8)
    #expect(try whole.next() == value)
    #expect(try whole.next() == nil)
    #expect(whole.pendingCount == 0)

    var bytewise = RESPParser()
    for byte in text.utf8.dropLast() {
      bytewise.append([byte])
      #expect(try bytewise.next() == nil)
    }
    bytewise.append([0x0A])
    #expect(try bytewise.next() == value)

    var several = RESPParser()
    several.append((text + text + "+").utf8)
    #expect(try several.next() == value)
    #expect(try several.next() == value)
    #expect(try several.next() == nil)
    several.append("z\r\n".utf8)
    #expect(try several.next() == .simple("z"))
  }

  @Test(arguments: [
    "\r\n", "?1\r\n", ":+1\r\n", ":1x\r\n", ":\r\n", "$x\r\n", "$1\r\nab\r\n", "+a\rb\r\n",
    ":99999999999999999999\r\n", "_x\r\n", "#\r\n", "#x\r\n", "=3\r\ntxt\r\n", "=-1\r\n",
    "*1\r\n>1\r\n+a\r\n",
  ])
  func malformed(text: String) {
    var parser = RESPParser()
    parser.append(text.utf8)
    #expect(throws: RESPError.malformed) { try parser.next() }
  }

  @Test func bounds() throws {
    func error(_ text: String) -> RESPError? {
      var parser = RESPParser()
      parser.append(text.utf8)
      do throws(RESPError) { _ = try parser.next() } catch { return error }
      return nil
    }
    #expect(error("$\(RESPParser.maxBytes)\r\n") == nil)
    #expect(
      error("$\(RESPParser.maxBytes + 1)\r\n") == .tooLong(RESPParser.maxBytes + 1))
    #expect(error("$-2\r\n") == .tooLong(-2))
    #expect(
      error("*\(RESPParser.maxElements + 1)\r\n") == .tooLong(RESPParser.maxElements + 1))
    for kind in ["~", "%", ">"] {
      #expect(
        error("\(kind)\(RESPParser.maxElements + 1)\r\n") == .tooLong(RESPParser.maxElements + 1))
    }
    #expect(error("*2\r\n*\(RESPParser.maxElements - 2)\r\n") == nil)
    let rest = RESPParser.maxElements - 1
    #expect(error("*2\r\n*\(rest)\r\n") == .tooLong(rest))
    #expect(error("%\(RESPParser.maxElements / 2)\r\n") == nil)
    let nested = String(repeating: "*1\r\n", count: RESPParser.maxDepth - 1)
    #expect(error(nested + ":1\r\n") == nil)
    #expect(error(nested + "*1\r\n:1\r\n") == .tooDeep)
    let line = String(repeating: "a", count: RESPParser.maxLineBytes - 2)
    #expect(error("+\(line)") == nil)
    #expect(error("+\(line)a") == .tooLong(RESPParser.maxLineBytes))
  }

  /// A reply has a longest length in all, whether its items have come or not; those before it don't count.
  @Test func wholeReplies() throws {
    let reply = "*3\r\n$2\r\nab\r\n:1\r\n*1\r\n+c\r\n"
    var parser = RESPParser(maxReplyBytes: reply.utf8.count - 1)
    for _ in 0..<3 {
      parser.append(reply.utf8)
      #expect(try parser.next() != nil)
    }
    for byte in reply.utf8.dropLast() {
      parser.append([byte])
      #expect(try parser.next() == nil)
    }
    parser = RESPParser(maxReplyBytes: reply.utf8.count - 2)
    for byte in reply.utf8.dropLast(2) {
      parser.append([byte])
      #expect(try parser.next() == nil)
    }
    parser.append([0x0D])
    #expect(throws: RESPError.tooLong(reply.utf8.count - 1)) { try parser.next() }
  }

  @Test(arguments: [
    ("redis://h", RedisLocation(host: "h")),
    ("redis://h:1/2", RedisLocation(host: "h", port: 1, database: 2)),
    ("redis://u:p@h/", RedisLocation(host: "h", user: "u", password: "p")),
    ("redis://:p%40%2f:@[::1]:7", RedisLocation(host: "::1", port: 7, password: "p@/:")),
    ("redis://", nil), ("redis://h:0", nil), ("redis://h:65536", nil), ("redis://h:", nil),
    ("redis://h/x", nil), ("redis://u@h", nil), ("redis://u:@h", nil), ("redis://u:%4@h", nil),
    ("redis://h:1:2", nil), ("redis://[::1", nil), ("redis://[::1]7", nil), ("redisss://h", nil),
    ("redis://h/1?x=y", nil), ("http://h", nil),
  ])
  func locations(text: String, location: RedisLocation?) {
    #expect(RedisLocation(text) == location)
  }

  @Test func sentinels() throws {
    let location = try #require(
      RedisLocation("rediss+sentinel://u:p@a:1,[::1],c/my%20master/3"))
    #expect(
      location.places == [
        .init(host: "a", port: 1), .init(host: "::1", port: 26_379), .init(host: "c", port: 26_379),
      ])
    #expect(location.sentinelName == "my master" && location.database == 3 && location.isSecure)
    #expect(location.user == "u" && location.password == "p")
    #expect(
      location.description == "rediss+sentinel://u:***@a:1,[::1]:26379,c:26379/my master/3")
    #expect(try #require(RedisLocation("redis+sentinel://a/m")).database == 0)
    for text in [
      "redis+sentinel://a", "redis+sentinel://a/", "redis+sentinel:///m", "redis+sentinel://a,/m",
      "redis+sentinel://a/m/x", "redis+sentinel://a/m/1/2", "redis+sentinel://a:0/m", "redis://a,b",
      "redis://a/1/2",
    ] { #expect(RedisLocation(text) == nil) }
  }

  @Test func secureLocations() throws {
    let location = try #require(RedisLocation("rediss://:p@h:7/1"))
    #expect(location.isSecure)
    #expect(location.description == "rediss://:***@h:7/1")
    #expect(try !#require(RedisLocation("redis://h")).isSecure)
  }

  @Test(arguments: [
    ([:], "found Redis of no version, expected 5 or later"),
    (["redis_version": "4.0.1"], "found Redis 4.0.1, expected 5 or later"),
    (["redis_version": "7.0.15"], nil), (["redis_version": "8.0.0", "role": "master"], nil),
    (
      ["redis_version": "7.0.15", "cluster_enabled": "1"],
      "found a node of a Redis Cluster, expected a Redis that has all keys; redis+cluster:// is for a cluster"
    ),
    (
      ["redis_version": "7.0.15", "role": "slave"],
      "it is a replica, which takes no writes: READONLY"
    ),
  ])
  func fitness(info: [String: String], problem: String?) {
    var facts = RedisServerFacts()
    facts.info = info
    #expect(RedisFitness.problem(facts, for: .answer)?.reason == problem)
  }

  @Test func whatSyncNeeds() {
    var facts = RedisServerFacts(info: "# Server\r\nredis_version:7.0.15\r\n")
    facts.appendRefusal = "NOPERM"
    #expect(
      RedisFitness.problem(facts, for: .sync)
        == .unfit(
          "session_durability sync needs appendonly yes and appendfsync always, and CONFIG GET does not show them: NOPERM"
        ))
    facts.appendSettings = ["appendonly": "yes", "appendfsync": "everysec"]
    #expect(
      RedisFitness.problem(facts, for: .sync)
        == .unfit(
          "session_durability sync: found appendonly yes and appendfsync everysec, expected yes and always"
        ))
    #expect(RedisFitness.problem(facts, for: .answer) == nil)
    facts.appendSettings?["appendfsync"] = "always"
    #expect(RedisFitness.problem(facts, for: .sync) == nil)
    facts.appendSettings?["no-appendfsync-on-rewrite"] = "yes"
    #expect(RedisFitness.problem(facts, for: .sync) != nil)
  }
}
