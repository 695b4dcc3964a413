/// Steps of which a file of one example does not tell what it does with others.
enum OnlySteps {
  /// Tells of a node that reads as many steps as the exporter's example has: all of any sequence, or so many.
  static func noteAll(_ l: inout Lowering, _ axis: [Atom], _ node: SourceNode, _ verb: String) {
    guard axis.count == 1, axis[0].role == .time, !axis[0].isOpen, axis[0].size > 1 else { return }
    let steps = axis[0].size
    l.builder.note(
      "\(node.place) \(verb) all \(steps) steps that it has in the exporter's example, and so all of any sequence: if the model reads "
        + "\(steps) steps whatever there are, send no more than the example has")
  }

  /// Holds sequences to the example's steps where a node takes away the axis of the one that convolutions or pools left: what it would do with several, as the
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
