import ModelFormat

/// Values that have the steps of each axis, from which others with as many steps are made.
struct StepExamples {
  /// A sequence for each atom of steps.
  private var sequences: [Atom: (node: String, size: Int)] = [:]
  /// Ids for each atom of steps.
  private var ids: [Atom: String] = [:]
  /// Axes that a recurrent network read step by step: they are steps for sure.
  private var read: Set<Atom> = []
  /// Axes over which norms go, with these, that are steps only if a recurrent network reads them.
  private var doubts: [(atom: Atom, node: SourceNode)] = []

  /// The atoms of steps whose number is open and of which there is a sequence, or ids.
  var open: [Atom] {
    Set(sequences.keys).union(ids.keys).filter(\.isOpen).sorted { $0.id < $1.id }
  }

  /// Records a value as a sequence, or as ids, with its steps.
  mutating func record(_ value: CarriedValue) {
    if value.form == .tokens, let atom = value.timeAtoms.first, value.timeAtoms.count == 1 {
      ids[atom] = ids[atom] ?? value.node
    }
    guard value.form == .sequence, value.kind == .float else { return }
    for atom in value.timeAtoms where sequences[atom] == nil {
      sequences[atom] = (value.node, value.size)
    }
  }

  /// Records the results of a recurrent network.
  mutating func recordRead(_ results: [LoweredValue]) {
    if case .carried(let output)? = results.first { read.formUnion(output.timeAtoms) }
  }

  /// Whether a recurrent network read these steps, or others that an op made of the same axis of an input.
  func read(_ atom: Atom) -> Bool {
    read.contains { $0 == atom || $0.origin != nil && $0.origin == atom.origin }
  }

  mutating func doubt(_ atom: Atom, _ node: SourceNode) { doubts.append((atom, node)) }

  /// The first steps that no recurrent network read, and over which a norm goes.
  var doubted: (atom: Atom, node: SourceNode)? { doubts.first { !read($0.atom) } }

  /// A sequence of zeros of size 1 with these steps; nil if nothing has them.
  mutating func zeros(
    likeStepsOf atom: Atom, _ builder: inout FolderBuilder, named name: String
  ) -> String? {
    if sequences[atom] == nil, let ids = ids[atom] {
      sequences[atom] = (builder.emit(.mask(value: 0), [ids], named: "\(name).mask"), 1)
    }
    guard let example = sequences[atom] else { return nil }
    var zeros = example.node
    if example.size > 1 {
      zeros = builder.emit(.slice(start: 0, end: 1), [zeros], named: "\(name).first")
    }
    return builder.emit(.affine(scale: [0], shift: nil), [zeros], named: "\(name).zeros")
  }
}
