import FoundationEssentials
import Inference
import ModelFormat
import NumPyFormat
import TestSupport
import Testing

@testable import ModelImport

/// A file of a Keras model with inputs for it and what Keras answered, in a .npz beside it.
struct KerasCase: CustomTestStringConvertible {
  let name: String
  let request: ImportRequest
  private let arrays: String

  var testDescription: String { name }

  /// The cases in a folder: `MODEL.keras.npz` beside `MODEL.keras`; `MODEL.weights.npz` beside `MODEL.weights.h5` and the
  /// layers in `MODEL.json`.
  static func all(in folder: String) -> [KerasCase] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".npz") }.sorted().map { name in
      let stem = String(name.dropLast(4))
      let path = "\(folder)/\(stem)"
      let isWeights = stem.hasSuffix(".weights")
      let request = ImportRequest(
        files: [isWeights ? "\(path).h5" : path],
        graph: isWeights ? "\(folder)/\(stem.dropLast(8)).json" : nil)
      return KerasCase(name: stem, request: request, arrays: "\(folder)/\(name)")
    }
  }

  func model() throws -> Model { try importedFolder(request).model() }

  /// The largest difference from Keras's answers, relative to those above 1.
  func largestError() throws -> Float {
    let model = try model()
    let graph = try ModelGraph(model)
    let file = try NPZFile([UInt8](Data(contentsOf: URL(filePath: arrays))))
    let contents = try file.arrays(at: Array(file.names.indices))
    let named = Dictionary(uniqueKeysWithValues: zip(file.names, contents))
    let examples = try importedFolder(request).examples
    let inputs = try model.description.inputs.indices.map { index in
      try Values(named["input_\(index)"], stepAxis: examples[index].stepAxis)
    }
    let expected = try model.outputs.indices.map {
      try Values(named["output_\($0)"], stepAxis: nil)
    }
    let count = inputs[0].shape[0]
    let sequences = try (0..<count).map { index in
      try InputSequence(
        zip(model.description.inputs, inputs).map { input, tensor in
          let row = tensor.row(index)
          switch input.kind {
          case .features: return .features(row)
          case .tokens: return .tokens(row.map { Int32($0) })
          case .vector: return .vector(row)
          }
        }, for: model)
    }
    let answers = Runner.run(
      graph, sequences,
      selections: Array(repeating: graph.defaultSelection, count: count))
    var largest: Float = 0
    for (index, answer) in answers.enumerated() {
      for (found, tensor) in zip(answer, expected) {
        let row = tensor.row(index)
        guard found.count == row.count else {
          throw WrongSize(found: found.count, expected: row.count)
        }
        for (a, b) in zip(found, row) {
          let error = abs(a - b) / max(1, abs(b))
          largest = error <= largest ? largest : error
        }
      }
    }
    return largest
  }

  struct WrongSize: Error {
    let found: Int
    let expected: Int
  }

  struct MissingArray: Error {}

  private struct Values {
    let shape: [Int]
    let values: [Float]

    /// - Parameter stepAxis: the axis that goes ahead of those behind the batch's; nil to leave them as they are.
    init(_ file: NPYFile?, stepAxis: Int?) throws {
      let array = try Values(file)
      guard let stepAxis else {
        self = array
        return
      }
      shape = array.shape
      let (steps, behind) = (shape[stepAxis], shape[(stepAxis + 1)...].reduce(1, *))
      let before = shape[1..<stepAxis].reduce(1, *)
      values = (0..<array.values.count).map { place in
        let (row, rest) = place.quotientAndRemainder(dividingBy: before * steps * behind)
        let (step, element) = rest.quotientAndRemainder(dividingBy: before * behind)
        let (ahead, last) = element.quotientAndRemainder(dividingBy: behind)
        return array.values[((row * before + ahead) * steps + step) * behind + last]
      }
    }

    private init(_ file: NPYFile?) throws {
      guard let file else { throw MissingArray() }
      shape = file.header.shape
      let bytes = Array(file.rowMajor)
      switch file.header.elementType {
      case .f32:
        values = (0..<bytes.count / 4).map { place in
          Float(bitPattern: bytes.word(at: 4 * place))
        }
      case .i32:
        values = (0..<bytes.count / 4).map { Float(Int32(bitPattern: bytes.word(at: 4 * $0))) }
      default: throw MissingArray()
      }
    }

    func row(_ index: Int) -> [Float] {
      let size = values.count / shape[0]
      return Array(values[index * size..<(index + 1) * size])
    }
  }
}

extension [UInt8] {
  fileprivate func word(at place: Int) -> UInt32 {
    (0..<4).reversed().reduce(0) { $0 << 8 | UInt32(self[place + $1]) }
  }
}
