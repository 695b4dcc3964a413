import ModelFormat
import ModelImport
import NumPyFormat

extension FolderCheck {
  /// The largest difference between the folder's answers for the sequences of `input` and those in `output`.
  func againstArrays(input: String, output: String) throws -> Outcome {
    let (given, expected) = (try Self.array(input), try Self.array(output))
    let description = draft.description
    guard description.inputs.count == 1, let only = description.inputs.first,
      let first = description.outputs.first
    else {
      throw ImportError(
        file: input, problem: "found one array for the model's \(description.inputs.count) inputs",
        remedy: "check it without arrays: --check alone, against the source's own graph")
    }
    let size: Int
    switch only.kind {
    case .features(let elements, _, _), .vector(let elements): size = elements
    case .tokens: size = 1
    }
    let isVector = if case .vector = only.kind { true } else { false }
    let sequences = given.shape.count > (size == 1 || isVector ? 1 : 2) ? given.shape[0] : 1
    let each = given.numbers.count / max(sequences, 1)
    guard sequences > 0, each % size == 0, expected.numbers.count % sequences == 0, each > 0 else {
      throw ImportError(
        file: input,
        problem: "found an array of \(given.shape), expected sequences of \(size) elements a step")
    }
    // An array of the framework may be [sequences, elements, steps].
    let isTurned =
      draft.reference?.hasStepsLast ?? false && given.shape.suffix(2).first == size
      && given.shape.last == each / size
    var largest = 0.0
    let answerSize = expected.numbers.count / sequences
    for row in 0..<sequences {
      var own = given.numbers[row * each..<(row + 1) * each].map { Float($0) }
      if isTurned {
        own = own.indices.map { own[$0 % size * (each / size) + $0 / size] }
      }
      let found = try answers([], [only.name: own], steps: each / size)[first.name] ?? []
      let reference = Array(expected.numbers[row * answerSize..<(row + 1) * answerSize])
      guard answerSize > 0, found.count % answerSize == 0 else {
        throw ImportError(
          file: output,
          problem:
            "found an array of \(expected.shape), where the folder answers \(found.count) numbers a sequence"
        )
      }
      let tail = Array(found.suffix(answerSize))
      var difference = Self.difference(tail, reference)
      // The array may be [elements, steps], while answers are ordered step by step: so its transpose is compared too.
      if let last = expected.shape.last, last > 0, answerSize % last == 0, expected.shape.count > 1
      {
        let rows = answerSize / last
        let turned = (0..<answerSize).map { reference[$0 % rows * last + $0 / rows] }
        difference = min(difference, Self.difference(tail, turned))
      }
      largest = max(largest, difference)
    }
    return largest <= tolerance
      ? .agrees(largest) : .departs(value: first.name, source: output, largest)
  }

  private static func array(_ path: String) throws -> (shape: [Int], numbers: [Double]) {
    let array = try SourceTensor(npy: SourceFile(path: path))
    return (array.shape, array.dense)
  }
}
