/// Requests for other assumptions about the inputs, with which the translation starts again.
extension Lowering {
  /// Records a request for an assumption, and returns the error for the case that it can't be granted.
  mutating func require(_ requirement: Assumptions.Requirement, or refusal: ImportError)
    -> ImportError
  {
    self.requirement = requirement
    return refusal
  }

  /// Asks that the input axis of an atom gets another role; returns the error for the case that it can't.
  mutating func requiring(_ atom: Atom, _ role: Atom.Role, or refusal: ImportError) -> ImportError {
    guard let origin = atom.origin else { return refusal }
    return require(.role(origin, role), or: refusal)
  }

  /// Asks that two step axes that the graph combines have the same length, or that an axis of steps beside the batch is the batch.
  mutating func requiringSameSteps(_ axes: [[Atom]], or refusal: ImportError) -> ImportError {
    if axes.joined().contains(where: { $0.role == .batch }),
      let steps = axes.first(where: { $0.count == 1 && $0[0].role == .time && !$0[0].isDerived })
    {
      return requiring(steps[0], .batch, or: refusal)
    }
    let names = axes.joined().filter { $0.role == .time && !$0.isDerived }
      .compactMap { $0.origin.flatMap { stepNames[$0] } }
    guard let first = names.first, let second = names.first(where: { $0 != first }) else {
      return refusal
    }
    return require(.sameSteps(second, first), or: refusal)
  }

  /// Asks for the size of an open axis, so that these atoms together have `count` elements.
  mutating func requiring(
    _ atoms: [Atom], ofSize count: Int, or refusal: ImportError
  ) -> ImportError {
    guard let open = atoms.first(where: { $0.isOpen && $0.role != .batch }),
      let origin = open.origin, !open.isDerived
    else { return refusal }
    let others = atoms.filter { $0 != open }
    let known = others.reduce(1) { $0 * $1.size }
    guard count > 0, count % known == 0, count / known < Self.maxElements,
      others.allSatisfy({ !$0.isOpen })
    else { return refusal }
    // Weights for each of the steps that the exporter's example has.
    if others.isEmpty, examples.read(open), exampleSteps[open] == count {
      return require(.size(origin, count), or: refusal)
    }
    // A step axis alone becomes elements; steps beside elements are flattened.
    if open.role == .time, others.isEmpty { return requiring(open, .element, or: refusal) }
    return require(.size(origin, count / known), or: refusal)
  }
}
