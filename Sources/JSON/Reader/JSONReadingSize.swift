/// A bound on the memory that reading a JSON document takes beside its text, found from the text before it is read.
package enum JSONReadingSize {
  /// The bytes held for each byte of the text: one of the reader's copy and four of simdjson's index.
  private static let bytesPerByte = 5
  /// The reader's buffers of nodes, numbers and strings grow by doubling, so they may be twice as large as needed. The
  /// copies that a `JSONDocument` gets are made after the last growth.
  private static let copies = 2
  /// The most bytes for each byte of text, by a node in two bytes: a number and a comma, in an array that began with something
  /// else than a number.
  package static let maxBytesPerByte = bytesPerByte + copies * nodeBytes / 2 + 1
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
    // The last two bytes but white space, to find a number after something else. That is only possible in an array which has a
    // node for each element, so that its numbers have nodes too.
    var (last, secondToLast) = (UInt8(ascii: "["), UInt8(ascii: "["))
    var hasMixedArray = false
    for byte in body where byte > UInt8(ascii: " ") {
      switch byte {
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        if last == UInt8(ascii: ","), !isDigit(secondToLast) { hasMixedArray = true }
      // Containers, and the first letters of null, true and false. Letters inside strings only raise the bound.
      case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "n"), UInt8(ascii: "t"),
        UInt8(ascii: "f"):
        nodes &+= 1
      case UInt8(ascii: "\""): quotes &+= 1
      case UInt8(ascii: ","): commas &+= 1
      default: break
      }
      (secondToLast, last) = (last, byte)
    }
    // A member has up to two nodes that the loop did not count: its name and, for a number, its value. A name has two
    // quotes, so there are at least as many quotes as such nodes.
    nodes += quotes + 1 + (hasMixedArray ? commas : 0)
    // All strings together are at most as long as the text without its commas.
    let text = quotes > 0 ? body.count - commas : 0
    let taken = nodes * nodeBytes + (commas + 1 + nodes) * numberBytes + text
    return min(most, body.count * bytesPerByte + copies * taken)
  }

  /// Whether a number may end with `byte`.
  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
