/// A bound on the memory that reading a JSON document takes beside its text, found from the text before it is read.
package enum JSONReadingSize {
  /// For each byte of the text: one of its copy and four of simdjson's index.
  private static let bytesPerByte = 5
  /// The reader's buffers of nodes, numbers and strings grow by doubling, so that they have up to twice the size they need. The
  /// copies that a `JSONDocument` gets are made when growth has ended.
  private static let copies = 2
  /// The most for each byte of text. The densest text is `{"":0},`: three nodes in seven bytes.
  package static let maxBytesPerByte = bytesPerByte + copies * 3 * nodeBytes / 7 + 1
  private static let nodeBytes = 16
  private static let numberBytes = 4
  /// Texts of up to so many bytes get the bound of the densest text: they are read on an event loop, where counting would take
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
    // A member is at most two nodes that no letter counted here announces: its name and, for a number, its value. A name has
    // two quotes.
    nodes += quotes + 1
    // Strings take at most the bytes that are not commas.
    let text = quotes > 0 ? body.count - commas : 0
    let taken = nodes * nodeBytes + (commas + 1 + nodes) * numberBytes + text
    return min(most, body.count * bytesPerByte + copies * taken)
  }
}
