/// The steps of the exporter's example, by the axes of steps.
struct ExampleSteps {
  /// By the sizes that stand in for open steps.
  private var counts: [Int: Int] = [:]
  /// By the axes of the inputs, also for what pools and convolutions make of them.
  private var roots: [Atom.Origin: Atom] = [:]
  /// By the sizes that stand in for steps of which the file has any number.
  private var hints: [Int: Int] = [:]
  /// The steps that were chosen by themselves, with the places of the nodes that did, by the axes.
  private var chosen: [Atom: [Int: String]] = [:]
  /// By the sizes of axes of which numbers in the graph were made: the steps for which these hold.
  private var exact: [Int: Int] = [:]
  private(set) var thresholds = LengthThresholds()
  /// Whether steps that were resized are combined with others.
  var meetsResized = false

  /// Nil if the file does not tell.
  subscript(_ atom: Atom) -> Int? { counts[atom.size] ?? (atom.isOpen ? nil : atom.size) }

  /// The steps of an input's example, also where the file has any number of them.
  func count(of root: Atom) -> Int? { self[root] ?? hints[root.size] }

  /// The open axis of steps that has `count` of them in the example.
  func open(_ count: Int, of atoms: some Sequence<Atom>) -> Atom? {
    guard count > 2 else { return nil }
    return atoms.first {
      $0.role == .time && $0.isOpen && !$0.isDerived && counts[$0.size] == count
    }
  }

  mutating func set(_ count: Int, of atom: Atom) { counts[atom.size] = count }

  /// Records what a node makes: the sizes of its array in the example, if the file tells them, and whether it comes from lengths.
  mutating func record(
    _ value: LoweredValue, of node: SourceNode, named name: String, sizes: [Int?]?
  ) {
    thresholds.record(value, of: node, named: name)
    if let sizes { set(sizes, of: value) }
  }

  /// Sets the steps that ops made of an input's, from the sizes that a value's array has in the example; of the input's own too where
  /// they are open in the file, and a size all the same behind a network, as PyTorch's newer exporter writes it of nn.LSTM.
  mutating func set(_ sizes: [Int?], of value: LoweredValue) {
    guard case .carried(let value) = value, value.axes.count == sizes.count else { return }
    for (axis, size) in zip(value.axes, sizes) {
      guard axis.count == 1, axis[0].isOpen, axis[0].role == .time, let size else { continue }
      let atom = axis[0]
      if atom.isDerived || counts[atom.size] == nil { counts[atom.size] = size }
      // Kernels without a stride take as many steps of any sequence.
      guard atom.isDerived, let root = root(of: atom), root.isOpen, counts[root.size] == nil,
        abs(root.size - atom.size) < Self.maxKernel
      else { continue }
      counts[root.size] = size + root.size - atom.size
    }
  }

  /// By how much fewer steps are those that kernels leave, and not a part of all.
  private static let maxKernel = 256

  /// - Parameter hint: The example's steps, if the file has any number of them.
  mutating func setRoot(_ atom: Atom, hint: Int?, of origin: Atom.Origin) {
    roots[origin] = atom
    hints[atom.size] = hint
  }

  /// The steps of the input from which an atom comes.
  func root(of atom: Atom) -> Atom? { atom.origin.map { roots[$0] ?? atom } ?? atom }

  mutating func setExact(_ count: Int, of atom: Atom) { exact[atom.size] = count }

  /// Records that a step is chosen by itself.
  mutating func choose(_ step: Int, of atom: Atom, at place: String) {
    // Beyond half of a number that stands in for the steps it was counted from the end.
    guard !atom.isOpen || step <= atom.size / 2 else { return }
    chosen[atom, default: [:]][step] = chosen[atom]?[step] ?? place
  }

  /// The steps that were chosen by themselves, with the places of the nodes.
  var chosenSteps: [(atom: Atom, steps: [Int: String])] {
    chosen.sorted { $0.key.id < $1.key.id }.map { ($0.key, $0.value) }
  }

  /// The example's steps of an input; nil if the file does not tell.
  func example(_ input: LoweredValue?) -> Int? {
    guard case .carried(let value)? = input else { return nil }
    return value.timeAtoms.lazy.compactMap { self[$0] }.first
  }

  /// The number of steps that sequences of an input have, if numbers in the graph were made of it.
  func exact(_ input: LoweredValue?) -> Int? {
    guard case .carried(let value)? = input, value.form != .vector else { return nil }
    return value.timeAtoms.lazy.compactMap { exact[$0.size] }.first
  }
}
