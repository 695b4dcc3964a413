import ModelFormat

/// Groups of steps beside the batch, as where a network reads every fourth step of each of four groups:
/// `x.view(batch, -1, 4, size)` with the groups as further sequences. The network is there for each group, with the same weights.
enum RecurrentGroups {
  /// The most groups: each is a node with its weights.
  private static let maxGroups = 64

  /// The results with the groups behind the batch; nil where the batch alone is in its axis.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode, _ x: CarriedValue, batch axis: Int,
    areStatesZero: Bool,
    each: (inout Lowering, CarriedValue) throws(ImportError) -> [LoweredValue]
  ) throws(ImportError) -> [LoweredValue]? {
    let rows = x.axes[axis].filter { $0.role == .batch }
    // An axis of an input is better read as something else.
    guard x.form == .sequence, areStatesZero, l.assumptions.makesStepsOfVectors,
      x.axes[axis].count == rows.count + 1, let group = x.axes[axis].last,
      group.role == .element, group.origin == nil, group.size <= maxGroups
    else { return nil }
    var parts: [[CarriedValue]] = []
    for index in 0..<group.size {
      var part = x
      part.axes[axis] = rows
      part.axes.insert([group], at: axis)
      part = Layout.selecting(&l, part, axis: axis, [index], node)
      part.axes.remove(at: axis)
      part = part.withoutSingles
      parts.append(
        try each(&l, part).compactMap { result in
          if case .carried(let value) = result { value } else { nil }
        })
    }
    return parts[0].indices.map { index in
      let results = parts.map { $0[index] }
      var joined = results[0]
      joined.node = l.builder.emit(
        .concat, results.map(\.node), named: "\(node.output(index) ?? node.name).groups")
      let atom = l.newAtom(group.size)
      let place = axis == 0 ? 0 : joined.axes.count - 2
      joined.axes[place] = rows + [atom]
      joined.elements = [atom] + joined.elements
      return .carried(joined)
    }
  }
}
