import Cryptography
import Inference
import ModelFormat

/// Identifies what a model computes, in 16 bytes. Replicas have the same fingerprint, and so have copies under another
/// name or version. It changes with weights, graph and precision, and with the layout of states in this program.
package struct ModelFingerprint: Sendable, Hashable {
  package let bytes: [UInt8]
  /// All bytes in hexadecimal.
  package let text: String

  /// A prefix of a SHA-256, long enough that no two models match by chance.
  package static let byteCount = 16

  package init(_ graph: ModelGraph) {
    let description = graph.model.description
    // Names in this description are those of the graph's own values, so that renaming changes nothing.
    let plan = ModelDescription(
      name: "", version: "", precision: graph.precision, inputs: description.inputs,
      nodes: description.nodes, outputs: description.outputs)
    let weights = graph.model.tensors.withBytes { Digest.hash($0) }
    var whole = weights + Array(plan.json.utf8)
    // A state of another layout belongs to another model. Layout 1 adds nothing, so that its tokens stay valid.
    if graph.stateLayout > 1 { whole += "state layout \(graph.stateLayout)".utf8 }
    self.init(bytes: Digest.hash(whole.span).prefix(Self.byteCount))
  }

  package init(bytes: ArraySlice<UInt8>) {
    precondition(bytes.count == Self.byteCount)
    self.bytes = Array(bytes)
    text = Self.hexadecimal(self.bytes)
  }
}

extension ModelFingerprint: CustomStringConvertible {
  /// The first four bytes in hexadecimal, enough for people to tell fingerprints apart.
  package var description: String {
    Self.hexadecimal(bytes.prefix(4))
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
  }
}
