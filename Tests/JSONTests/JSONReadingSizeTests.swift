import Testing

@testable import JSON

@Suite struct JSONReadingSizeTests {
  /// Reading a document takes no more than is reserved for it, whatever it is made of.
  @Test(
    arguments: [
      "[],", "[1],", "\"\",", "null,", "1,", "{},", "[[1]],", "0.125,", "[1,2],", "\"abcdefgh\",",
      "{\"a\":1},", "{\"\":0},",
      "null,1,1,1,1,1,1,1,", "\"\", -1,\n1,1,1,1,1,1,1,", "[null,2,3,4,5,6,7,8,9],",
    ], [100, 1 << 20])
  func documentsTakeWhatIsReserved(element: String, length: Int) throws {
    let count = length / element.utf8.count
    let body = Array(
      (#"{"inputs":["# + String(repeating: element, count: count) + element.dropLast() + "]}").utf8)
    let document = try JSONReaderPool().read(body, maxDepth: 8)
    let taken = document.nodes.count * 16 + document.numbers.count * 4 + document.text.count
    #expect(2 * taken + 5 * body.count <= JSONReadingSize.byteCount(of: body) + 100)
  }
}
