/// What reading a JSON document takes in memory beside its text, told from the text before it is read.
package enum JSONReadingSize {
  /// A copy of the text and simdjson's index of it: 4 bytes for each of its bytes.
  private static let bytesPerByte = 5
  /// Nodes, numbers and strings stand in buffers that grow by doubling, so that old and new ones together are twice as
  /// large; afterwards they are copied once, and the old ones go.
  private static let copies = 2
  /// The most for each byte of text: `{"":0},` is three nodes.
  package static let maxBytesPerByte = bytesPerByte + copies * 3 * nodeBytes / 7 + 1
  private static let nodeBytes = 16
  private static let numberBytes = 4
  /// Shorter texts are taken for the worst that they may be: counting takes time, and they are read on an event loop.
  package static let leastCountedBytes = 64 << 10

  /// A bound for `body`, whatever it holds.
  package static func byteCount(of body: [UInt8]) -> Int {
    let most = body.count * maxBytesPerByte
    guard body.count > leastCountedBytes else { return most }
    var nodes = 0
    var quotes = 0
    var commas = 0
    for byte in body {
      switch byte {
      // Containers, and what null, true and false begin with. Those in strings count for nothing worse.
      case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "n"), UInt8(ascii: "t"),
        UInt8(ascii: "f"):
        nodes &+= 1
      case UInt8(ascii: "\""): quotes &+= 1
      case UInt8(ascii: ","): commas &+= 1
      default: break
      }
    }
    // A number in an object is a node of its own, behind its name.
    nodes += quotes + 1
    // Strings take what is neither a bracket nor a comma.
    let text = quotes > 0 ? body.count - commas : 0
    let taken = nodes * nodeBytes + (commas + 1 + nodes) * numberBytes + text
    return min(most, body.count * bytesPerByte + copies * taken)
  }
}
