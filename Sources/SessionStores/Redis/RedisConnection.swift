/// A connection to a Redis, or to one of its Sentinels: commands go out as bytes, bytes come in as replies. For one thread; it
/// never waits.
final class RedisConnection {
  let socket: RedisSocket
  private var parser = RESPParser()
  private var output: [UInt8] = []
  private var written = 0
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

  /// Reads what has come; whether that was anything.
  func read() throws(RedisProblem) -> Bool {
    var isAnything = false
    while true {
      let count = try socket.read(into: &buffer)
      if count == 0 { return isAnything }
      isAnything = true
      parser.append(buffer[..<count])
      if !socket.mayHaveMore(count, of: buffer.count) { return true }
    }
  }

  /// The next reply; nil where it has not come whole.
  func next() throws(RedisProblem) -> RESPValue? {
    do throws(RESPError) { return try parser.next() } catch { throw .malformed }
  }
}
