/// A bound on the memory that reading a JSON document takes beside its text, found from the text before it is read.
package enum JSONReadingSize {
  /// The bytes held for each byte of the text: one of the reader's copy and four of simdjson's index.
  private static let bytesPerByte = 5
  /// The reader's buffers of nodes, numbers and strings grow by doubling, so they may be twice as large as needed. The
  /// copies that a `JSONDocument` gets are made after the last growth.
  private static let copies = 2
  /// The most bytes for each byte of text, by three nodes in seven bytes: `{"":0},`.
  package static let maxBytesPerByte = bytesPerByte + copies * 3 * nodeBytes / 7 + 1
  private static let nodeBytes = 16
  private static let numberBytes = 4
  /// Texts of up to this many bytes get `maxBytesPerByte`: they are read on an event loop, where counting would take
  /// time.
  package static let maxUncountedBytes = 64 << 10

  /// The bound for `body`, in bytes, whatever `body` holds.
  package static func byteCount(of body: [UInt8]) -> Int {
    let most = body.count * maxBytesPerByte
    guard body.count > maxUncountedBytes else { return most }
    var nodes = 0
    var quotes = 0
    var commas = 0
    for byte in body {
      switch byte {
      // Containers, and the first letters of null, true and false. Letters inside strings only raise the bound.
      case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "n"), UInt8(ascii: "t"),
        UInt8(ascii: "f"):
        nodes &+= 1
      case UInt8(ascii: "\""): quotes &+= 1
      case UInt8(ascii: ","): commas &+= 1
      default: break
      }
    }
    // A member has up to two nodes that the loop did not count: its name and, for a number, its value. A name has two
    // quotes, so there are at least as many quotes as such nodes.
    nodes += quotes + 1
    // All strings together are at most as long as the text without its commas.
    let text = quotes > 0 ? body.count - commas : 0
    let taken = nodes * nodeBytes + (commas + 1 + nodes) * numberBytes + text
    return min(most, body.count * bytesPerByte + copies * taken)
  }
}
