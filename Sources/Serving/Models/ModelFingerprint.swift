import Inference
import ModelFormat

/// Tells models apart by what they compute, in 16 bytes: replicas have the same, and so has a copy under another
/// name or version; other weights, another graph or precision have another, and so has one whose states were laid out
/// otherwise by an earlier version of this program.
package struct ModelFingerprint: Sendable, Hashable {
  package let bytes: [UInt8]
  /// All of them in hexadecimal.
  package let text: String

  /// As many of a SHA-256's bytes as make a chance match out of the question.
  package static let byteCount = 16

  package init(_ graph: ModelGraph) {
    let description = graph.model.description
    // The names in it are those of the graph's own values.
    let plan = ModelDescription(
      name: "", version: "", precision: graph.precision, inputs: description.inputs,
      nodes: description.nodes, outputs: description.outputs)
    let weights = graph.model.tensors.withBytes { Digest.hash($0) }
    var whole = weights + Array(plan.json.utf8)
    // A state of another layout is another model's. The first one is not named: its tokens go on.
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
  /// Its first four bytes in hexadecimal: enough for people to tell one from another.
  package var description: String {
    Self.hexadecimal(bytes.prefix(4))
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
  }
}
