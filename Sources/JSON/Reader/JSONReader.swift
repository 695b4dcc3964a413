import CSimdJSON
import Synchronization

/// Reads JSON documents through simdjson, with pooled readers whose buffers are reused.
package final class JSONReaderPool: Sendable {
  /// The most idle readers kept; readers beyond that are freed after use.
  static let maxIdleReaders = 4
  /// A reader that has read a larger body is freed: its buffers take some ten times the body's size.
  static let maxRetainedBodyBytes = 256 << 10

  private let idle = Mutex<[JSONReader]>([])

  package init() {}

  /// Reads the JSON object in `body`, which may be any bytes; at most `maxDepth` arrays and objects may nest.
  ///
  /// - Parameter members: the paths of the members to read; nil for all. The values of other members have to be
  ///   JSON; the document has null in their place.
  package func read(
    _ body: [UInt8], maxDepth: Int, members: [String]? = nil
  ) throws(JSONReadError) -> JSONDocument {
    let reader = idle.withLock { $0.popLast() } ?? JSONReader()
    defer {
      if body.count <= Self.maxRetainedBodyBytes {
        idle.withLock { if $0.count < Self.maxIdleReaders { $0.append(reader) } }
      }
    }
    return try reader.read(body, maxDepth: maxDepth, members: members)
  }
}

/// The C reader, for one thread at a time. This class is `Sendable` because the pool lends a reader to one caller at a
/// time.
@safe private final class JSONReader: @unchecked Sendable {
  private let handle: OpaquePointer

  init() {
    guard let handle = unsafe csj_reader_create() else { fatalError("no memory for a JSON reader") }
    unsafe self.handle = handle
  }

  deinit { unsafe csj_reader_destroy(handle) }

  func read(
    _ body: [UInt8], maxDepth: Int, members: [String]?
  ) throws(JSONReadError) -> JSONDocument {
    let members = members.map { $0.joined(separator: " ") + " " }
    // SAFETY: `body` and `members` outlive the call, which copies `body`; `members` ends with a zero byte.
    let result = unsafe body.withUnsafeBufferPointer { bytes in
      unsafe csj_read(handle, bytes.baseAddress, bytes.count, UInt32(maxDepth), members)
    }
    // SAFETY: the reader owns each buffer, whose length the result gives, and keeps it until the reader's next use.
    let status = unsafe result.status
    guard status == .ok else {
      throw JSONReadError(
        status, maxDepth: Int(unsafe result.max_depth), offset: unsafe result.offset,
        path: String(decoding: unsafe copy(result.path, result.path_length), as: UTF8.self),
        found: String(decoding: unsafe copy(result.found, result.found_length), as: UTF8.self))
    }
    return unsafe JSONDocument(
      nodes: copy(result.nodes, result.node_count),
      numbers: copy(result.numbers, result.number_count),
      text: copy(result.text, result.text_length))
  }
}

@unsafe private func copy<Element>(_ start: UnsafePointer<Element>?, _ count: Int) -> [Element] {
  unsafe Array(UnsafeBufferPointer(start: start, count: count))
}
