import Inference
import ModelFormat
import ModelImport

/// Compares a model folder's answers with those of its source: given arrays, or the source's own graph.
struct FolderCheck {
  var draft: FolderDraft
  /// Whether the inputs' mean and scale came from a file beside the source, which knows nothing of them.
  var hasScaler = false

  /// The largest allowed difference; for numbers above 1, relative to the number.
  var tolerance: Double { draft.isRoundedInSource ? 2e-2 : 1e-4 }

  enum Outcome {
    /// The largest difference of the outputs.
    case agrees(Double)
    /// The value that differs, its node in the source, and the difference.
    case departs(value: String, source: String, Double)
  }

  /// The folder without its inputs' mean and scale.
  private var withoutScaling: FolderCheck {
    var check = self
    for index in draft.description.inputs.indices {
      if case .features(let size, _, _) = draft.description.inputs[index].kind {
        check.draft.description.inputs[index].kind = .features(size: size, mean: nil, scale: nil)
      }
    }
    return check
  }

  /// Compares all values that are in both graphs, on random input.
  func againstSource(_ reference: SourceReference) throws -> Outcome {
    if let steps = draft.comparedSteps { return try againstSource(reference, steps: steps) }
    do { return try againstSource(reference, steps: ExampleInput.steps) } catch {
      let steps = reference.computedSteps()
      guard steps > ExampleInput.steps else { throw error }
      return try againstSource(reference, steps: steps)
    }
  }

  private func againstSource(_ reference: SourceReference, steps: Int) throws -> Outcome {
    var random = RandomNumbers()
    var numbers: [String: [Float]] = [:]
    for input in draft.description.inputs {
      let steps = input.steps ?? reference.fixedSteps(of: input.name) ?? steps
      let rows = draft.tableRows(of: input.name) ?? (reference.isBoolean(input.name) ? 2 : nil)
      switch input.kind {
      case .features(let size, _, _):
        numbers[input.name] = (0..<steps * size).map { _ in random.next(rowOf: rows) }
      case .vector(let size):
        numbers[input.name] = (0..<size).map { _ in random.next(rowOf: rows) }
      case .tokens(let size, _):
        numbers[input.name] = (0..<steps).map { _ in
          Float(random.next(below: size))
        }
      }
    }
    let expected = try reference.values(for: numbers, steps: steps)
    let folder = hasScaler ? withoutScaling : self
    let outputs = Set(draft.description.outputs.map(\.name))
    var largest = 0.0
    var compared: Set<String> = []
    // Checked in parts: each value becomes an output, and a model has at most a hundred outputs.
    for start in stride(from: 0, to: expected.count, by: 50) {
      let part = Array(expected[start..<min(start + 50, expected.count)])
      let found = try folder.answers(of: folder.graph(answering: part.map(\.name)), numbers)
      for value in part {
        guard let answer = found[value.name], !value.numbers.isEmpty else { continue }
        guard answer.count % value.numbers.count == 0 else {
          guard outputs.contains(value.name) else { continue }
          throw ImportError(
            file: draft.description.name, place: "output \"\(value.name)\"",
            problem:
              "found \(answer.count) numbers of the folder, expected the file's \(value.numbers.count)"
          )
        }
        let difference = SourceReference.difference(
          of: answer.suffix(value.numbers.count), from: value.numbers)
        guard difference <= tolerance else {
          return .departs(value: value.name, source: value.source, difference)
        }
        if outputs.contains(value.name) {
          guard !value.numbers.contains(where: \.isNaN) else {
            throw ImportError(
              file: draft.description.name, place: "output \"\(value.name)\"",
              problem: "the file's own answer to random numbers is no number")
          }
          largest = max(largest, difference)
          compared.insert(value.name)
        }
      }
    }
    guard compared == outputs else {
      throw ImportError(
        file: draft.description.name,
        problem:
          "it gives no numbers for \(outputs.subtracting(compared).sorted().joined(separator: ", "))"
      )
    }
    return .agrees(largest)
  }

  private func id(_ number: Float, of input: String) throws -> Int32 {
    guard let id = Int32(exactly: number) else {
      throw ImportError(
        file: draft.description.name, place: "input \"\(input)\"",
        problem: "found \(number) in the array, expected an id")
    }
    return id
  }

  /// The folder's graph, of which these values are outputs too.
  func graph(answering names: [String] = []) throws -> ModelGraph {
    var draft = draft
    let known = Set(draft.description.outputs.map(\.name))
    for name in Set(names).subtracting(known).sorted() {
      draft.description.outputs.append(.init(name: name))
    }
    return try ModelGraph(draft.model())
  }

  /// The outputs of a graph for one sequence.
  func answers(
    of graph: ModelGraph, _ numbers: [String: [Float]]
  ) throws -> [String: [Float]] {
    let values = try draft.description.inputs.map { input -> InputSequence.Values in
      let own = numbers[input.name] ?? []
      return switch input.kind {
      case .features: .features(own)
      case .vector: .vector(own)
      case .tokens: .tokens(try own.map { try id($0, of: input.name) })
      }
    }
    let sequence = try InputSequence(values, for: graph.model)
    var states = SeatStates(graph: graph)
    var workspace = Workspace(graph: graph)
    let rider = TurnRider(
      input: sequence, steps: 0..<sequence.stepCount, position: 0, finishes: true,
      selection: graph.supports(.all) ? .all : graph.defaultSelection, seat: 0)
    graph.forward([rider], states: &states, workspace: &workspace, crew: nil)
    var answers: [String: [Float]] = [:]
    for (index, output) in graph.model.outputs.enumerated() {
      answers[output.name] = Array(workspace.values(ofOutput: index, rider: 0))
    }
    return answers
  }
}

/// Reproducible pseudo-random numbers (SplitMix64).
private struct RandomNumbers {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  mutating func word() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  /// A number within ±1.
  mutating func next() -> Float { Float(word() >> 40) / Float(1 << 23) - 1 }

  /// The index of one of so many rows; else a number within ±1.
  mutating func next(rowOf count: Int?) -> Float { count.map { Float(next(below: $0)) } ?? next() }

  mutating func next(below count: Int) -> Int { Int(word() % UInt64(count)) }
}
