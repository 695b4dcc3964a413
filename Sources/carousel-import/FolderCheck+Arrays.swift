import ModelFormat
import ModelImport
import NumPyFormat

extension FolderCheck {
  /// The largest difference between the folder's answers for the sequences of `input` and those in `outputs`, a file for
  /// each of the first outputs.
  func againstArrays(input: String, outputs: [String]) throws -> Outcome {
    let given = try Self.array(input)
    let description = draft.description
    guard description.inputs.count == 1, let only = description.inputs.first else {
      throw ImportError(
        file: input, problem: "found one array for the model's \(description.inputs.count) inputs",
        remedy: "check it without arrays: --check alone, against the source's own graph")
    }
    let names = description.outputs.map(\.name)
    guard outputs.count <= names.count else {
      throw ImportError(
        file: outputs[names.count],
        problem:
          "found \(outputs.count) arrays for the model's outputs \(names.joined(separator: ", "))")
    }
    let arrays = try zip(names, outputs).map { (name: $0, file: $1, array: try Self.array($1)) }
    let size: Int
    switch only.kind {
    case .features(let elements, _, _), .vector(let elements): size = elements
    case .tokens: size = 1
    }
    let isVector = if case .vector = only.kind { true } else { false }
    let sequences = given.shape.count > (size == 1 || isVector ? 1 : 2) ? given.shape[0] : 1
    let each = given.numbers.count / max(sequences, 1)
    guard sequences > 0, each % size == 0, each > 0 else {
      throw ImportError(
        file: input,
        problem: "found an array of \(given.shape), expected sequences of \(size) elements a step")
    }
    // An array of the framework may be [sequences, elements, steps].
    let isTurned =
      draft.reference?.hasStepsLast ?? false && given.shape.suffix(2).first == size
      && given.shape.last == each / size
    var largest = 0.0
    for row in 0..<sequences {
      var own = given.numbers[row * each..<(row + 1) * each].map { Float($0) }
      if isTurned {
        own = own.indices.map { own[$0 % size * (each / size) + $0 / size] }
      }
      let found = try answers([], [only.name: own], steps: each / size)
      for (name, file, array) in arrays {
        let difference = try Self.difference(
          of: found[name] ?? [], "\(name)", to: row, of: sequences, in: array, file)
        guard difference <= tolerance else {
          return .departs(value: name, source: file, difference)
        }
        largest = max(largest, difference)
      }
    }
    return .agrees(largest)
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
    let asGiven = difference(tail, reference)
    // The array may be [elements, steps], while answers are ordered step by step: so its transpose is compared too.
    guard let last = expected.shape.last, last > 0, size % last == 0, expected.shape.count > 1
    else { return asGiven }
    let rows = size / last
    let turned = (0..<size).map { reference[$0 % rows * last + $0 / rows] }
    return min(asGiven, difference(tail, turned))
  }

  private static func array(_ path: String) throws -> (shape: [Int], numbers: [Double]) {
    let array = try SourceTensor(npy: SourceFile(path: path))
    return (array.shape, array.dense)
  }
}
