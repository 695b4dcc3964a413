import FoundationEssentials
import Inference
import ModelFormat

/// The files under Tests/Fixtures.
package enum Fixtures {
  /// The package's folder.
  package static let root: String = {
    var parts = #filePath.split(separator: "/")
    parts.removeLast(3)
    return "/" + parts.joined(separator: "/")
  }()

  package static func path(_ relative: String) -> String { "\(root)/Tests/Fixtures/\(relative)" }

  /// The folders inside a folder of fixtures, by name.
  package static func folders(_ relative: String) -> [String] {
    let base = path(relative)
    return ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []).sorted()
  }

  /// The folder of a bundled model.
  package static func bundledModel(_ name: String) -> String { "\(root)/config/models/\(name)" }

  /// What the framework answered: each sequence alone.
  package static func cases(_ relative: String) throws -> [ModelCase] {
    let data = try Data(contentsOf: URL(filePath: path(relative)))
    return try JSONDecoder().decode(CaseFile.self, from: data).cases
  }

  private struct CaseFile: Decodable {
    let cases: [ModelCase]
  }
}

/// One sequence and what the framework that made the model answers for it.
package struct ModelCase: Decodable, Sendable {
  package struct Input: Decodable, Sendable {
    package let shape: [Int]?
    package let values: [Float]?
    package let tokens: [Int32]?

    /// The numbers, which may be ids.
    package var numbers: [Float] { values ?? tokens?.map { Float($0) } ?? [] }
  }

  package struct Output: Decodable, Sendable {
    package let shape: [Int]
    package let values: [Float]
  }

  package struct Decoded: Decodable, Sendable {
    package let labels: [Int32]
    package let score: Float
  }

  package let inputs: [String: Input]
  package let outputs: [String: Output]
  package let selection: String?
  package let horizon: Int?
  /// What its outputs are decoded to.
  package let decoded: [String: Decoded]?

  /// The case's inputs as a sequence of `model`.
  package func sequence(for model: Model) throws -> InputSequence {
    try InputSequence(
      model.description.inputs.map { input in
        guard let given = inputs[input.name] else { throw MissingInput(name: input.name) }
        switch input.kind {
        case .tokens: return .tokens(given.tokens ?? [])
        case .features: return .features(given.numbers)
        case .vector: return .vector(given.numbers)
        }
      }, for: model)
  }

  package struct MissingInput: Error {
    let name: String
  }
}
