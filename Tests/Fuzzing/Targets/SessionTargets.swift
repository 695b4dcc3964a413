import API
import Cryptography
import Serving
import SessionStores

extension FuzzTarget {
  /// Files of sessions that another process has written: a byte of sessions, then for each block its kind (1 byte), the length of its
  /// content (2 bytes) and the content. The head and the hashes, which would refuse any change, are made here.
  static let sessionFile = FuzzTarget(name: "session-file") {
    let served = ServedModel(name: "counter", engine: service.engines[2])
    guard let model = served.identity else { preconditionFailure("a model without a state") }
    let models: [UInt8] =
      [7, 0] + Array(model.name.utf8) + Array(model.fingerprint.bytes)
      + [UInt8(model.floatCount), 0, 0, 0] + [1, 0, 0x61] + Array(repeating: 3, count: 16)
      + [2, 0, 0, 0]
    let key = [0, 0, 2] + Array("id".utf8)
    let word: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0]
    let session = key + word + word + word + Array(repeating: 0, count: 4 * model.floatCount)
    let end: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
    return [
      [1] + block(1, models) + block(5, word) + block(2, session) + block(3, key + [1])
        + block(4, end),
      [0] + block(1, models) + block(4, Array(repeating: 0, count: 8)),
    ]
  } run: { bytes in
    guard let count = bytes.first else { return }
    let content = hashed(bytes.dropFirst())
    let head = SessionFileHead(time: 0, count: Int(count), generation: 1, isSpent: false)
    let file = head.bytes + content
    guard let again = try? SessionFileHead(bytes: Array(file.prefix(SessionFileHead.byteCount))),
      again == head
    else { preconditionFailure("a head that can't be read") }
    for asLost in [false, true] {
      var offset = SessionFileHead.byteCount
      let transfer = service.sessionTransfer
      transfer.forget()
      let result = try? transfer.restore(head, asLost: asLost, byteCount: file.count) { count in
        defer { offset += count }
        return Array(file[min(offset, file.count)..<min(offset + count, file.count)])
      }
      if let result { precondition(result.restored <= Int(count), "more sessions than there are") }
    }
  }

  private static func block(_ kind: UInt8, _ content: [UInt8]) -> [UInt8] {
    [kind, UInt8(content.count & 255), UInt8(content.count >> 8)] + content
  }

  /// The blocks with lengths of four bytes, each behind its hash.
  private static func hashed(_ blocks: ArraySlice<UInt8>) -> [UInt8] {
    var hash = [UInt8](repeating: 0, count: Digest.byteCount)
    var result: [UInt8] = []
    var rest = blocks
    while rest.count >= 3 {
      let length = Int(rest[rest.startIndex + 1]) | Int(rest[rest.startIndex + 2]) << 8
      let block = rest.prefix(3) + [0, 0] + rest.dropFirst(3).prefix(length)
      rest = rest.dropFirst(3 + length)
      let chained = hash + block
      hash = Digest.hash(chained.span)
      result += block + hash
    }
    return result + rest
  }

  /// What a Redis replies, whole and byte by byte.
  static let redis = FuzzTarget(name: "redis") {
    [
      "+OK\r\n-ERR no\r\n:-12\r\n$-1\r\n*-1\r\n", "$4\r\na\r\nb\r\n*0\r\n",
      "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+y\r\n",
    ].map { Array($0.utf8) }
  } run: { bytes in
    precondition(replies(bytes, inPiecesOf: 1) == replies(bytes, inPiecesOf: max(1, bytes.count)))
  }

  private static func replies(_ bytes: [UInt8], inPiecesOf count: Int) -> [RESPValue?] {
    var parser = RESPParser()
    var replies: [RESPValue?] = []
    for start in stride(from: 0, to: bytes.count, by: count) {
      parser.append(bytes[start..<min(bytes.count, start + count)])
      do { while let reply = try parser.next() { replies.append(reply) } } catch {
        return replies + [nil]
      }
    }
    return replies
  }
}
