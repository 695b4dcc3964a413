import Inference
import JSON
import ModelFormat
import Serving

/// Decodes the `inputs` of a body into sequences for its model. Depth alone decides what an array means:
///
/// | input | one sequence | many |
/// |---|---|---|
/// | features, size above 1 | `[[f,…],…]` | one level deeper |
/// | features of size 1, tokens | `[v,…]` | `[[v,…],…]` or `[[[v],…],…]` |
/// | tokens with a vocabulary | also `"…"` | also `["…",…]` |
/// | vector | `[f,…]` | `[[f,…],…]` |
struct InputDecoder {
  let document: JSONDocument
  let model: ServedModel
  let limits: QuestionLimits

  /// How one sequence of an input is written.
  enum Form {
    /// Single numbers: one per step, or the elements of one vector.
    case flat
    /// One vector per step, of that many numbers.
    case steps(of: Int)
    case text
  }

  /// Decodes `node`, the `inputs` member, into sequences that are checked against the model.
  ///
  /// - Parameter mayContinue: whether sequences may go on from a state, as `InputBatch` has it.
  func decode(_ node: Int, mayContinue: Bool = false) throws(Fault) -> InputBatch {
    let columns = try columns(node)
    do { return try InputBatch(columns, for: model.graph.model, mayContinue: mayContinue) } catch {
      throw Fault(InputsError(error))
    }
  }

  /// Decodes one sequence for a model with one input; errors call it `name`.
  func decodeOne(_ node: Int, called name: String) throws(Fault) -> InputSequence {
    let column = try column(0, node, InputPath(name))
    guard !column.isArray else {
      let hasText = model.vocabularies[0] != nil
      throw Fault(
        BodyError.unexpected(
          path: name, found: document.found(node), expected: .tokens(orText: hasText)))
    }
    return try sequence(column, InputPath(name))
  }

  /// One column for each input, in the model's order.
  private func columns(_ node: Int) throws(Fault) -> [InputColumn] {
    let inputs = model.inputs
    guard document.kind(node) == .object else {
      guard inputs.count == 1 else {
        throw Fault(
          BodyError.unexpected(
            path: "inputs", found: document.found(node), expected: .object(inputs.map(\.name))))
      }
      return [try column(0, node, InputPath("inputs"))]
    }
    let members = try BodyMembers(
      inputs.map(\.name), others: .refused, at: node, of: document, path: "inputs")
    var columns: [InputColumn] = []
    for (index, input) in inputs.enumerated() {
      columns.append(
        try column(
          index, try members.node(input.name), InputPath(members.path(of: input.name))))
    }
    return columns
  }

  private func column(_ input: Int, _ node: Int, _ path: InputPath) throws(Fault) -> InputColumn {
    let (form, isArray) = try form(
      of: node, input, path)
    let isFlat = if case .steps = form { false } else { true }
    guard isArray else {
      return InputColumn(
        values: [try values(input, node, form, path)], isArray: false, isFlat: isFlat)
    }
    let count = document.count(node)
    guard count <= limits.maxSequencesPerRequest else {
      throw Fault(
        InputsError.tooMany(
          .sequences, path: path.description, found: count, limit: limits.maxSequencesPerRequest,
          setting: "max_sequences_per_request"))
    }
    var values: [InputSequence.Values] = []
    values.reserveCapacity(count)
    var element = node + 1
    for index in 0..<count {
      values.append(try self.values(input, element, form, path[index]))
      element = document.next(element)
    }
    return InputColumn(values: values, isArray: true, isFlat: isFlat)
  }

  // MARK: - One sequence

  /// Decodes the sequence at `node`, written as `form`, for a model with one input.
  func sequence(
    _ node: Int, _ form: Form, _ path: InputPath
  ) throws(Fault) -> InputSequence {
    let values = try values(0, node, form, path)
    return try sequence(InputColumn(values: [values], isArray: false, isFlat: true), path)
  }

  private func sequence(
    _ column: InputColumn, _ path: InputPath
  ) throws(Fault) -> InputSequence {
    do { return try InputBatch([column], for: model.graph.model).sequences[0] } catch {
      guard case .sequence(_, let error) = error else { throw Fault(InputsError(error)) }
      throw Fault(InputsError.input(path: path.description, error))
    }
  }

  private func values(
    _ input: Int, _ node: Int, _ form: Form, _ path: InputPath
  ) throws(Fault) -> InputSequence.Values {
    let kind = model.inputs[input].kind
    switch (form, kind) {
    case (.text, _):
      return .tokens(try tokens(input, node, path))
    case (.flat, .vector(let size)):
      return try values(try numbers(node, path, count: size), [size], kind, path)
    case (.flat, _):
      let range = try numbers(node, path)
      try checkSteps(range.count, path)
      let values = try values(range, [range.count], kind, path)
      if case .tokens(let size, _) = kind { try document.checkTokens(node, path, size: size) }
      return values
    case (.steps(let size), _):
      let range = try rows(node, path, size: size)
      let values = try values(range, [range.count / size, size], kind, path)
      if case .tokens(let size, _) = kind {
        for step in 0..<document.count(node) {
          try document.checkTokens(node + 1 + step, path[step], size: size)
        }
      }
      return values
    }
  }

  /// The numbers in `range`, with the given shape, as values of an input.
  private func values(
    _ range: Range<Int>, _ shape: [Int], _ kind: ModelDescription.Input.Kind, _ path: InputPath
  ) throws(Fault) -> InputSequence.Values {
    do {
      return try Tensor(shape: shape, .floats(document.numbers, range)).values(of: kind)
    } catch {
      guard case .id(let element, let found, let size) = error else {
        preconditionFailure("numbers of the shape of an input were refused: \(error)")
      }
      throw Fault(
        InputsError.tokenRange(
          path: (shape.count == 1 ? path[element] : path[element][0]).description,
          found: Float(found), size: size))
    }
  }

  private func tokens(
    _ input: Int, _ node: Int, _ path: InputPath
  ) throws(Fault) -> [Int32] {
    guard document.kind(node) == .string else {
      throw Fault(
        BodyError.unexpected(path: path.description, found: document.found(node), expected: .string)
      )
    }
    guard let vocabulary = model.vocabularies[input] else {
      throw Fault(InputsError.noVocabulary(path: path.description))
    }
    guard document.count(node) > 0 else {
      throw Fault(
        BodyError.unexpected(path: path.description, found: .string(""), expected: .character))
    }
    let tokens: [Int32]
    do { tokens = try vocabulary.encode(document.bytes(node)) } catch {
      throw Fault(
        InputsError.unknownCharacter(
          path: path.description, character: String(error.character), position: error.position))
    }
    try checkSteps(tokens.count, path)
    return tokens
  }

  /// The range of a sequence of vectors: its rows' floats are contiguous.
  private func rows(_ node: Int, _ path: InputPath, size: Int) throws(Fault) -> Range<Int> {
    guard document.kind(node) == .array else {
      if document.kind(node) == .numbers {
        throw Fault(
          BodyError.unexpected(
            path: path[0].description, found: firstNumber(node), expected: .numbers(size)))
      }
      throw Fault(
        BodyError.unexpected(
          path: path.description, found: document.found(node), expected: .vectors(size)))
    }
    let count = document.count(node)
    guard count > 0 else {
      throw Fault(
        BodyError.unexpected(path: path.description, found: .array(0), expected: .element))
    }
    try checkSteps(count, path)
    // Each row is one node if all rows are valid.
    let first = try numbers(node + 1, path[0], count: size)
    for step in stride(from: 1, to: count, by: 1) {
      _ = try numbers(node + 1 + step, path[step], count: size)
    }
    return first.lowerBound..<first.lowerBound + count * size
  }

  /// The range of the floats of an array of numbers: exactly `count` of them if it is given, else at least one.
  private func numbers(
    _ node: Int, _ path: InputPath, count: Int? = nil
  ) throws(Fault) -> Range<Int> {
    switch document.kind(node) {
    case .numbers:
      let range = document.range(node)
      if let count, range.count != count {
        throw Fault(
          BodyError.unexpected(
            path: path.description, found: .numbers(range.count), expected: .numbers(count)))
      }
      return range
    case .array where document.count(node) > 0:
      // Arrays that start with a number hold only numbers, so this array's first element is something else.
      throw Fault(
        BodyError.unexpected(
          path: path[0].description, found: document.found(node + 1), expected: .number))
    case .array where count == nil:
      throw Fault(
        BodyError.unexpected(path: path.description, found: .array(0), expected: .element))
    case .null, .false, .true, .number, .string, .array, .object:
      throw Fault(
        BodyError.unexpected(
          path: path.description, found: document.found(node),
          expected: count.map { .numbers($0) } ?? .flat))
    }
  }

  private func checkSteps(_ count: Int, _ path: InputPath) throws(Fault) {
    guard count <= limits.maxSequenceSteps else {
      throw Fault(
        InputsError.tooMany(
          .steps, path: path.description, found: count, limit: limits.maxSequenceSteps,
          setting: "max_sequence_steps"))
    }
  }
}

extension JSONDocument {
  /// Refuses ids at `node` that are whole numbers only because the reader rounded them.
  func checkTokens(_ node: Int, _ path: InputPath, size: Int) throws(Fault) {
    guard let element = firstRoundedElement(node) else { return }
    throw Fault(
      InputsError.roundedToken(
        path: path[element].description,
        near: numbers[range(node)][range(node).lowerBound + element],
        size: size))
  }
}
