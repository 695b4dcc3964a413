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

  /// An error of constants, with a remedy where one of them has an open batch and another that of the exporter's example, as of
  /// `range(x.size(0))`.
  static func refusal(
    _ l: Lowering, _ constants: [SourceTensor?], _ error: ImportError
  ) -> ImportError {
    guard error.remedy == nil,
      let batch = l.lengths.values.first(where: { $0.role == .batch && $0.isOpen }),
      constants.contains(where: { $0?.shape.contains(batch.size) ?? false })
    else { return error }
    var error = error
    error.remedy = Remedy.batchOfOne
    return error
  }

  /// Refuses an input that has steps along two axes: one was the sequences of a batch, until they were chosen or put in order.
  static func check(_ input: FinishedGraph.Input, _ l: Lowering) throws(ImportError) {
    guard case .carried(let value)? = l.values[input.source], value.form == .sequence else {
      return
    }
    let axes = value.axes.indices.filter { axis in
      value.axes[axis].contains { $0.role == .time && $0.size > 1 }
    }
    guard axes.count > 1 else { return }
    throw ImportError(
      file: "", place: "input \(input.source.jsonExcerpt)",
      problem:
        "found steps along the axes \(axes.map(String.init).joined(separator: " and ")), as where sequences of a batch are chosen or put in order: \(reason)",
      remedy: Remedy.ownInputs)
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
