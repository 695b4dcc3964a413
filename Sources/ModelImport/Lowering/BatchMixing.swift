/// Operators that mix the sequences of a batch, of which each is answered by itself.
enum BatchMixing {
  private static let reason =
    "each sequence is answered by itself, whatever others are in its batch"

  /// Asks that an axis along which an operator goes is the steps, where it was taken for the batch; returns the error for the
  /// case that it is the batch.
  static func refusal(
    _ l: inout Lowering, along batch: Atom, _ what: String, _ node: SourceNode
  ) -> ImportError {
    l.isMixing = true
    return l.requiring(
      batch, .time,
      or: node.refusal(what, because: reason, instead: batch.size > 1 ? Remedy.batchOfOne : nil))
  }

  /// Refuses a value of each sequence against each other, such as `h hᵀ`.
  static func check(_ value: CarriedValue, _ node: SourceNode) throws(ImportError) {
    let batches = value.axes.joined().filter { $0.role == .batch && $0.size > 1 }
    guard batches.count < 2 else {
      throw node.refusal(
        "\(value.shape), each sequence of a batch against each other", because: reason,
        instead: Remedy.batchFirst)
    }
  }
}
