import JSON

/// The text of an answer, written at once or part by part; what is written is let go of.
struct AnswerText: Sendable {
  private enum Piece: Sendable {
    case text([UInt8])
    /// Rows of so many numbers, or bare numbers.
    case numbers([Float], rowSize: Int?)
  }

  /// Takes the text that follows what was added before.
  var writer = JSONWriter()
  /// What is not written yet and stands before what `writer` has.
  private var pieces: [Piece] = []
  /// The first of them, and how many of its numbers are written.
  private var index = 0
  private var numberIndex = 0
  private let isWhole: Bool

  /// A text that is written as it is added to where it `isWhole`, else when it is asked for.
  init(isWhole: Bool) { self.isWhole = isWhole }

  /// Adds an array of `values`, or of rows of them.
  mutating func numbers(_ values: [Float], rowSize: Int?) {
    guard !isWhole else {
      writer.numbers(values, in: 0..<values.count, rowSize: rowSize)
      return
    }
    pieces.append(.text(writer.takeBytes()))
    pieces.append(.numbers(values, rowSize: rowSize))
  }

  /// Adds an array, each element by `write`.
  mutating func array<Elements: Collection, Failure: Error>(
    _ elements: Elements, _ write: (inout AnswerText, Elements.Element) throws(Failure) -> Void
  ) throws(Failure) {
    writer.byte("[")
    var isFirst = true
    for element in elements {
      if !isFirst { writer.byte(",") }
      isFirst = false
      try write(&self, element)
    }
    writer.byte("]")
  }

  /// The next part, of about `byteCount` bytes; nil at the end.
  mutating func nextPart(_ byteCount: Int) -> [UInt8]? {
    var part = JSONWriter()
    part.reserve(byteCount + AnswerSize.bytesPerNumber)
    while part.bytes.count < byteCount, index < pieces.count {
      switch pieces[index] {
      case .text(let text):
        part.raw(text)
      case .numbers(let values, let rowSize):
        let room = max(1, (byteCount - part.bytes.count) / AnswerSize.bytesPerNumber)
        let end = min(values.count, numberIndex + room)
        part.numbers(values, in: numberIndex..<end, rowSize: rowSize)
        numberIndex = end
        if end < values.count { continue }
        numberIndex = 0
      }
      pieces[index] = .text([])
      index += 1
    }
    // What was added last stands behind all pieces.
    if index == pieces.count { part.raw(writer.takeBytes()) }
    return part.bytes.isEmpty ? nil : part.bytes
  }

  /// All that is not written yet.
  mutating func remainder() -> [UInt8] {
    guard index < pieces.count else { return writer.takeBytes() }
    var text: [UInt8] = []
    while let part = nextPart(ServiceSettings.answerPartBytes) { text += part }
    return text
  }
}
