/// Steps of which convolutions and pools left one in the exporter's example.
enum OnlySteps {
  /// Holds sequences to the example's steps where a node takes away the axis of such a step: what it would do with several, as the
  /// choice of the last, is not to be told from what the file says of one.
  static func record(_ l: inout Lowering, _ node: SourceNode, _ results: [LoweredValue]) {
    guard NodeConsumers.moving.contains(node.op), let name = node.input(0),
      case .carried(let value)? = l.values[name], value.axes.contains(where: { !$0.isEmpty })
    else { return }
    let kept = Set(
      results.flatMap { result -> [Atom] in
        if case .carried(let value) = result { Array(value.axes.joined()) } else { [] }
      })
    for atom in value.axes.joined()
    where atom.role == .time && atom.size == 1 && atom.isDerived && !atom.isOpen {
      guard !kept.contains(atom), let root = l.exampleSteps.root(of: atom), root.size > 1 else {
        continue
      }
      ExampleLength.record(
        &l, atom, "\(node.place) takes the only step that is left",
        forOthers: Remedy.otherLengths(node))
    }
  }
}
