import ModelFormat
import ModelImport
import NumPyFormat

extension FolderCheck {
  /// The largest difference between the folder's answers for the sequences of `input` and those in `outputs`, a file for
  /// each of the first outputs.
  func againstArrays(input: String, outputs: [String]) throws -> Outcome {
    let description = draft.description
    let given = try givenInputs(input)
    let names = description.outputs.map(\.name)
    let tolerance = draft.hasHalfWeights ? max(tolerance, 2e-2) : tolerance
    guard outputs.count <= names.count else {
      throw ImportError(
        file: outputs[names.count],
        problem:
          "found \(outputs.count) arrays for the model's outputs \(names.joined(separator: ", "))")
    }
    guard let sequences = given.first?.sequences, given.allSatisfy({ $0.sequences == sequences })
    else {
      throw ImportError(
        file: input,
        problem:
          "found \(given.map { "\($0.sequences) sequences of \($0.name)" }.joined(separator: ", ")), expected as many of each"
      )
    }
    let arrays = try zip(names, outputs).map { name, file in
      let axis = draft.reference?.batchAxis(ofOutput: name)
      let array = try SourceTensor(npy: SourceFile(path: file))
      return (name, file, array.withFirst(axis, if: { $0 == sequences }))
    }
    let decoded = Set(description.outputs.filter { $0.decode != nil }.map(\.name))
    var largest = 0.0
    let graph = try graph()
    for row in 0..<sequences {
      let asked = given.map { ($0.name, $0.numbers(ofRow: row)) }
      let found = try answers(of: graph, Dictionary(uniqueKeysWithValues: asked))
      for (name, file, array) in arrays {
        let isOfPlaces = array.kind == .integer && decoded.contains(name)
        let own = found[name] ?? []
        let difference = try Self.difference(
          of: isOfPlaces ? places(own, each: name) : own, name, to: row, of: sequences,
          in: (array.shape, array.dense), file)
        guard difference <= tolerance else {
          return .departs(value: name, source: file, difference)
        }
        largest = max(largest, difference)
      }
    }
    return .agrees(largest)
  }

  /// What to ask each of the model's inputs: an array, or an .npz of arrays by the names of the inputs.
  private func givenInputs(_ path: String) throws -> [GivenInput] {
    let inputs = draft.description.inputs
    let file = try SourceFile(path: path)
    let arrays = try SourceTensor.arrays(file)
    if inputs.count == 1, arrays.count == 1 {
      return [
        try GivenInput(
          inputs[0], arrays[0].tensor, example(inputs[0]), hasBatch: !draft.examples.isEmpty,
          file: path)
      ]
    }
    let expected =
      "expected an .npz of arrays by the names of the model's inputs: numpy.savez('inputs.npz', **{"
      + inputs.map { "'\($0.name)': …" }.joined(separator: ", ") + "})"
    return try inputs.map { input in
      guard let tensor = arrays.first(where: { $0.name == input.name })?.tensor else {
        let names = arrays.compactMap(\.name).map { "\"\($0)\"" }.joined(separator: ", ")
        throw ImportError(
          file: path,
          problem:
            "found \(names.isEmpty ? "one array" : names) for the model's \(inputs.count) inputs, \(expected)"
        )
      }
      return try GivenInput(
        input, tensor, example(input), hasBatch: !draft.examples.isEmpty, file: path)
    }
  }

  /// What the framework's model takes for an input.
  private func example(_ input: ModelDescription.Input) -> ExampleInput? {
    let all = draft.reference?.exampleInputs(steps: 1) ?? draft.examples
    return all.first { $0.node == input.name }
  }

  /// The largest difference between `found`, the answer of the output `name`, and that of the sequence `row` among the
  /// `sequences` in `expected`.
  private static func difference(
    of found: [Float], _ name: String, to row: Int, of sequences: Int,
    in expected: (shape: [Int], numbers: [Double]), _ file: String
  ) throws -> Double {
    let size = expected.numbers.count / sequences
    guard size > 0, expected.numbers.count % sequences == 0, found.count % size == 0 else {
      throw ImportError(
        file: file,
        problem:
          "found an array of \(expected.shape) for \(sequences) sequences, where the folder answers \(found.count) numbers a sequence for \(name)"
      )
    }
    let reference = Array(expected.numbers[row * size..<(row + 1) * size])
    let tail = Array(found.suffix(size))
    let asGiven = SourceReference.difference(of: tail, from: reference)
    // The array may be [elements, steps], while answers are ordered step by step: so its transpose is compared too.
    guard let last = expected.shape.last, last > 0, size % last == 0, expected.shape.count > 1
    else { return asGiven }
    let rows = size / last
    let turned = (0..<size).map { reference[$0 % rows * last + $0 / rows] }
    return min(asGiven, SourceReference.difference(of: tail, from: turned))
  }

  /// The place of the largest of each of an output's steps, as the framework's ArgMax answers.
  private func places(_ numbers: [Float], each output: String) -> [Float] {
    let size = (try? draft.model())?.outputs.first { $0.name == output }?.size ?? numbers.count
    return stride(from: 0, to: numbers.count, by: max(size, 1)).map { start in
      let step = numbers[start..<min(start + size, numbers.count)]
      return Float((step.indices.max { step[$0] < step[$1] } ?? start) - start)
    }
  }
}

extension SourceTensor {
  /// The array with an axis before the others, if it has the axis and its size is as wanted.
  fileprivate func withFirst(_ axis: Int?, if isWanted: (Int) -> Bool) -> SourceTensor {
    guard let axis, axis > 0, axis < shape.count, isWanted(shape[axis]) else { return self }
    return permuted([axis] + shape.indices.filter { $0 != axis })
  }
}

/// The sequences that one input is asked.
private struct GivenInput {
  let name: String
  let sequences: Int
  private let size: Int
  private let dense: [Double]
  /// The parts of a sequence where elements stand before the steps, as a framework may have it: elements, steps, elements.
  private let parts: (before: Int, steps: Int, behind: Int)?

  init(
    _ input: ModelDescription.Input, _ tensor: SourceTensor, _ example: ExampleInput?,
    hasBatch: Bool, file: String
  ) throws(ImportError) {
    name = input.name
    let batch = tensor.shape.count == example?.shape.count ? example?.batchAxis : nil
    let tensor = tensor.withFirst(batch) { _ in true }
    dense = tensor.dense
    let shape = tensor.shape
    switch input.kind {
    case .features(let elements, _, _), .vector(let elements): size = elements
    case .tokens: size = 1
    }
    let isVector = if case .vector = input.kind { true } else { false }
    // Keras's models have the batch first.
    let isBatch = batch != nil || hasBatch && shape.count == example?.shape.count
    sequences = isBatch || shape.count > (size == 1 || isVector ? 1 : 2) ? shape[0] : 1
    let each = dense.count / max(sequences, 1)
    guard sequences > 0, each % size == 0, each > 0 else {
      throw ImportError(
        file: file, place: name,
        problem: "found an array of \(shape), expected sequences of \(size) elements a step")
    }
    let axis =
      example.flatMap { example in
        example.stepAxis.map {
          $0 - example.shape.count + shape.count + ($0 < batch ?? 0 ? 1 : 0)
        }
      } ?? 0
    guard axis > 0, axis < shape.count else {
      parts = nil
      return
    }
    // The array may be without the batch, or as the folder has it.
    let behind = shape[(axis + 1)...].reduce(1, *)
    let before = each / max(shape[axis] * behind, 1)
    let isTurned = shape[axis] == each / size && before > 1 && before * behind == size
    parts = isTurned ? (before, shape[axis], behind) : nil
  }

  func numbers(ofRow row: Int) -> [Float] {
    let each = dense.count / sequences
    let own = dense[row * each..<(row + 1) * each].map { Float($0) }
    guard let parts else { return own }
    return own.indices.map { index in
      let (step, element) = index.quotientAndRemainder(dividingBy: size)
      let (before, behind) = element.quotientAndRemainder(dividingBy: parts.behind)
      return own[(before * parts.steps + step) * parts.behind + behind]
    }
  }
}
