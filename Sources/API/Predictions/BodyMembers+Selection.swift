import Inference
import JSON
import Serving

/// Reads which steps a request asks for.
extension BodyMembers {
  /// The selection that `outputs` asks for: `"last"` or `"all"` for all outputs, or an object with one of these by
  /// output name. Outputs that it does not name get their default.
  func selection(of model: ServedModel, hasHorizon: Bool) throws(Fault) -> Selection {
    let graph = model.graph
    let names = model.outputNames
    let fallback = model.defaultSelection(hasHorizon: hasHorizon)
    guard let node = self["outputs"] else { return fallback }
    guard document.kind(node) == .object else {
      return try model.selection(
        of: try steps(node, path: "outputs", names: names), hasHorizon: hasHorizon)
    }
    let members = try BodyMembers(
      names, others: .refused, at: node, of: document, path: "outputs")
    var selected: [Selection.Steps] = []
    for (index, name) in names.enumerated() {
      guard let node = members[name] else {
        selected.append(fallback.steps(ofOutput: index))
        continue
      }
      let path = members.path(of: name)
      let steps = try steps(node, path: path, names: [])
      if steps == .all, hasHorizon { throw Fault(InputsError.allWithHorizon(path: path)) }
      guard steps == .last || graph.answersEveryStep(output: index) else {
        throw Fault(InputsError.notEveryStep(model: model.name, output: name))
      }
      selected.append(steps)
    }
    return selected.allSatisfy { $0 == .last } ? .last : .each(selected)
  }

  /// - Parameter names: the outputs that an object may name here; empty where no object is allowed.
  private func steps(
    _ node: Int, path: String, names: [String]
  ) throws(Fault) -> Selection.Steps {
    let found = document.found(node)
    guard case .string(let name) = found, let steps = Selection.Steps(rawValue: name) else {
      throw Fault(
        BodyError.unexpected(
          path: path, found: found,
          expected: names.isEmpty
            ? .oneOf(Selection.Steps.allCases.map(\.rawValue)) : .steps(names)))
    }
    return steps
  }
}
