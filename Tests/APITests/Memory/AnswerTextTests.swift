import TestSupport
import Testing

@testable import API

@Suite struct AnswerTextTests {
  private static let values = (0..<35).map { Float($0) / 8 - 2 }

  private func text(isWhole: Bool) -> AnswerText {
    var text = AnswerText(isWhole: isWhole)
    text.writer.raw(#"{"a":"#)
    text.array([nil, 1, 5, 7, 35]) { text, rowSize in
      text.numbers(Self.values, rowSize: rowSize)
    }
    text.writer.raw(#","b":"#)
    text.numbers([], rowSize: nil)
    text.numbers([], rowSize: 3)
    text.numbers([0.5], rowSize: 1)
    text.writer.raw("}\n")
    return text
  }

  /// Part by part it is the same text, whatever the size of the parts.
  @Test(arguments: [1, 2, 15, 16, 17, 100, 1000, 100_000])
  func partsMakeTheWhole(byteCount: Int) throws {
    var whole = text(isWhole: true)
    let expected = whole.remainder()
    let document = String(decoding: expected, as: UTF8.self)
    #expect(document.hasPrefix(#"{"a":[[-2.0,-1.875,"#) && document.contains("],[[-2.0],[-1.875]"))
    #expect(document.hasSuffix(#","b":[][][[0.5]]}"# + "\n"))
    var parts = text(isWhole: false)
    var joined: [UInt8] = []
    while let part = parts.nextPart(byteCount) {
      #expect(!part.isEmpty && part.count < byteCount + 400)
      joined += part
    }
    #expect(joined == expected)
    let more = parts.nextPart(byteCount)
    #expect(more == nil)
    var rest = text(isWhole: false)
    let all = rest.remainder()
    #expect(all == expected)
  }

  /// No float's text, with its comma, is longer than what is reserved for it.
  @Test func numbersAreNoLongerThanReserved() {
    var noise = Noise(seed: 7)
    let longest = -Float.leastNormalMagnitude
    for _ in 0..<100_000 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: noise.next()))
      guard value.isFinite else { continue }
      #expect(value.description.utf8.count < AnswerSize.bytesPerNumber)
    }
    #expect(longest.description.utf8.count <= AnswerSize.bytesPerNumber - 1)
  }
}
