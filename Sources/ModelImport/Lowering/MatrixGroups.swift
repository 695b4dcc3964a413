/// A product with a matrix of its own for each element of an axis before, as in grouped linear layers
/// (`einsum('btgi,gih->btgh', x, w)`): one matrix over both axes, with zeros between the groups.
struct MatrixGroups {
  private let value: CarriedValue
  /// [groups, inner, outputs], or [groups, outputs, inner] where they stand first.
  private let weights: SourceTensor
  private let isFirst: Bool
  /// The axes of groups, and of the elements that are multiplied.
  private let (groups, summed): (Int, Int)

  /// The most numbers of the matrix.
  private static let maxNumbers = 1 << 22

  /// Nil for other products, and where the matrix would be large.
  init?(_ value: CarriedValue, _ weights: SourceTensor, isFirst: Bool) {
    let rank = value.axes.count
    guard rank > 2, weights.rank > 2, weights.rank <= rank else { return nil }
    let missing = rank - weights.rank
    let own = weights.shape.indices.dropLast(2).filter { weights.shape[$0] > 1 }
    guard own.count == 1 else { return nil }
    let sizes = Array(weights.shape.suffix(2))
    (self.value, self.isFirst) = (value, isFirst)
    (groups, summed) = (own[0] + missing, isFirst ? rank - 2 : rank - 1)
    self.weights = weights.reshaped([weights.shape[own[0]]] + sizes)
    let count = weights.shape[own[0]]
    guard value.shape[groups] == count, value.shape[summed] == sizes[isFirst ? 1 : 0],
      (value.axes[groups] + value.axes[summed]).allSatisfy({ $0.role == .element }),
      weights.count <= Self.maxNumbers / count
    else { return nil }
  }

  func product(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) -> CarriedValue {
    let count = weights.shape[0]
    let (inner, outputs) = (
      weights.shape[isFirst ? 2 : 1], weights.shape[isFirst ? 1 : 2]
    )
    var joined = value
    joined.axes[summed] = value.axes[groups] + value.axes[summed]
    joined.axes[groups] = []
    var result = try MatrixLowering.contracting(
      &l, joined, axis: summed, outputs: count * outputs, node
    ) { output, input in
      let (group, row, column) = (output / outputs, input % inner, output % outputs)
      guard input / inner == group else { return 0 }
      return weights[
        group * inner * outputs + (isFirst ? column * inner + row : row * outputs + column)]
    }
    let parts = [l.newAtom(count), l.newAtom(outputs)]
    if let atom = result.axes[summed].first {
      result = Layout.splitting(result, atom, into: parts)
    }
    (result.axes[groups], result.axes[summed]) = ([parts[0]], [parts[1]])
    return result.withoutSingles
  }
}
