import Inference
import JSON
import Serving

/// The text of an answer, written at once or part by part; what is written is let go of.
struct AnswerText: Sendable {
  private enum Piece: Sendable {
    case text([UInt8])
    /// Rows of so many numbers, or bare numbers.
    case numbers([Float], rowSize: Int?)
    /// Likewise of labels.
    case labels(LabelRun, rowSize: Int?)
  }

  /// Takes the text that follows what was added before.
  var writer = JSONWriter()
  /// What is not written yet and stands before what `writer` has.
  private var pieces: [Piece] = []
  /// The first of them, and how many of its elements are written.
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

  /// Adds one label, an array of labels, or of rows of them.
  mutating func labels(_ labels: Nested<Int32>, _ names: LabelNames) {
    let run = LabelRun(indices: labels.values, names: names)
    switch labels.form {
    case .one: run.write(0, to: &writer)
    case .row: add(run, rowSize: nil)
    case .rows(let size): add(run, rowSize: size)
    }
  }

  private mutating func add(_ run: LabelRun, rowSize: Int?) {
    guard !isWhole else {
      let count = run.indices.count
      writer.elements(count: count, in: 0..<count, rowSize: rowSize) { run.write($1, to: &$0) }
      return
    }
    pieces.append(.text(writer.takeBytes()))
    pieces.append(.labels(run, rowSize: rowSize))
  }

  /// Adds a score, an array of scores, or of rows of them.
  mutating func scores(_ scores: Nested<Float>) {
    switch scores.form {
    case .one: writer.float(scores.values[0])
    case .row: numbers(scores.values, rowSize: nil)
    case .rows(let size): numbers(scores.values, rowSize: size)
    }
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
      let room = byteCount - part.bytes.count
      switch pieces[index] {
      case .text(let text):
        part.raw(text)
      case .numbers(let values, let rowSize):
        let range = nextElements(of: values.count, each: AnswerSize.bytesPerNumber, room: room)
        part.numbers(values, in: range, rowSize: rowSize)
        guard advance(to: range.upperBound, of: values.count) else { continue }
      case .labels(let run, let rowSize):
        let count = run.indices.count
        let range = nextElements(of: count, each: run.names.maxBytes, room: room)
        part.elements(count: count, in: range, rowSize: rowSize) { run.write($1, to: &$0) }
        guard advance(to: range.upperBound, of: count) else { continue }
      }
      pieces[index] = .text([])
      index += 1
    }
    // What was added last stands behind all pieces.
    if index == pieces.count { part.raw(writer.takeBytes()) }
    return part.bytes.isEmpty ? nil : part.bytes
  }

  /// The elements of a piece that are next, of so many bytes each at the most; one at least.
  private func nextElements(of count: Int, each byteCount: Int, room: Int) -> Range<Int> {
    numberIndex..<min(count, numberIndex + max(1, room / byteCount))
  }

  /// Takes note that a piece's elements up to `end` are written; returns whether that is all of them.
  private mutating func advance(to end: Int, of count: Int) -> Bool {
    numberIndex = end < count ? end : 0
    return end == count
  }

  /// All that is not written yet.
  mutating func remainder() -> [UInt8] {
    guard index < pieces.count else { return writer.takeBytes() }
    var text: [UInt8] = []
    while let part = nextPart(ServiceSettings.answerPartBytes) { text += part }
    return text
  }
}

/// Labels by their indices.
struct LabelRun: Sendable {
  let indices: [Int32]
  let names: LabelNames

  func write(_ place: Int, to writer: inout JSONWriter) {
    if let texts = names.texts {
      writer.string(texts[Int(indices[place])])
    } else {
      writer.integer(indices[place])
    }
  }
}
