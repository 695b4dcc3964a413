import Inference
import JSON
import Serving

/// The text of an answer, produced at once or part by part; parts that are written are released.
struct AnswerText: Sendable {
  private enum Piece: Sendable {
    case text([UInt8])
    /// Rows of `rowSize` numbers; single numbers where that is nil.
    case numbers([Float], rowSize: Int?)
    /// Rows of `rowSize` labels; single labels where that is nil.
    case labels(LabelRun, rowSize: Int?)
  }

  /// Receives the text that follows everything added before.
  var writer = JSONWriter()
  /// The pieces that come before `writer`'s text.
  private var pieces: [Piece] = []
  /// The first piece not completely written, and how many of its elements are written.
  private var index = 0
  private var numberIndex = 0
  private let isWhole: Bool

  /// - Parameter isWhole: true to write everything as it is added; false to write parts when they are asked for.
  init(isWhole: Bool) { self.isWhole = isWhole }

  /// Adds an array of `values`, or of rows of `rowSize` values.
  mutating func numbers(_ values: [Float], rowSize: Int?) {
    guard !isWhole else {
      writer.numbers(values, in: 0..<values.count, rowSize: rowSize)
      return
    }
    pieces.append(.text(writer.takeBytes()))
    pieces.append(.numbers(values, rowSize: rowSize))
  }

  /// Adds one label, an array of labels, or an array of rows of labels.
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

  /// Adds one score, an array of scores, or an array of rows of scores.
  mutating func scores(_ scores: Nested<Float>) {
    switch scores.form {
    case .one: writer.float(scores.values[0])
    case .row: numbers(scores.values, rowSize: nil)
    case .rows(let size): numbers(scores.values, rowSize: size)
    }
  }

  /// Adds an array whose elements `write` writes.
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
    // The writer's text comes after all pieces.
    if index == pieces.count { part.raw(writer.takeBytes()) }
    return part.bytes.isEmpty ? nil : part.bytes
  }

  /// The next elements of a piece to write, at least one: as many as fit into `room` at `byteCount` bytes each.
  private func nextElements(of count: Int, each byteCount: Int, room: Int) -> Range<Int> {
    numberIndex..<min(count, numberIndex + max(1, room / byteCount))
  }

  /// Records that a piece's elements up to `end` are written; returns whether these are all.
  private mutating func advance(to end: Int, of count: Int) -> Bool {
    numberIndex = end < count ? end : 0
    return end == count
  }

  /// All text that is not written yet.
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

  /// Writes the label at index `place`: its text, or its index where labels have no texts.
  func write(_ place: Int, to writer: inout JSONWriter) {
    if let texts = names.texts {
      writer.string(texts[Int(indices[place])])
    } else {
      writer.integer(indices[place])
    }
  }
}
