/// A connection to a Redis, or to one of its Sentinels: commands go out as bytes, bytes come in as replies. For one thread; it
/// never waits.
final class RedisConnection {
  let socket: RedisSocket
  private var parser = RESPParser()
  private var output: [UInt8] = []
  private var written = 0
  /// Whether more may have come than was read: nothing tells of that again.
  private(set) var hasMore = false
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)

  init(_ socket: RedisSocket) { self.socket = socket }

  /// What the socket has not taken yet.
  var unsentByteCount: Int { output.count - written }

  /// Has `append` write commands behind what is to be sent.
  func send(_ append: (inout [UInt8]) -> Void) { append(&output) }

  /// Sends what the socket takes.
  func flush() throws(RedisProblem) {
    while written < output.count {
      let count = try socket.write(output[written...])
      if count == 0 { break }
      written += count
    }
    if written == output.count {
      output.removeAll(keepingCapacity: output.count <= 1 << 20)
    } else if written > 1 << 20 {
      output.removeFirst(written)
    } else {
      return
    }
    written = 0
  }

  /// Reads a piece of what has come; whether that was anything. What has come then may be a reply, so that nothing piles up.
  func read() throws(RedisProblem) -> Bool {
    let count = try socket.read(into: &buffer)
    hasMore = count > 0 && socket.mayHaveMore(count, of: buffer.count)
    parser.append(buffer[..<count])
    return count > 0
  }

  /// The next reply; nil where it has not come whole.
  func next() throws(RedisProblem) -> RESPValue? {
    do throws(RESPError) { return try parser.next() } catch { throw .malformed }
  }
}
