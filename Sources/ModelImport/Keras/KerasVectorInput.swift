import JSON
import ModelFormat

extension FolderDraft {
  /// Makes the first input a sequence of one step, if all are vectors: a folder has at least one sequence.
  mutating func readVectorAsStep(names: inout KerasNodeNames) {
    guard case .vector(let size)? = description.inputs.first?.kind,
      description.inputs.allSatisfy({ if case .vector = $0.kind { true } else { false } })
    else { return }
    let name = description.inputs[0].name
    let vector = names.unused("\(name).vector")
    for index in description.nodes.indices {
      description.nodes[index].inputs = description.nodes[index].inputs.map {
        $0 == name ? vector : $0
      }
    }
    description.inputs[0] = ModelDescription.Input(
      name: name, kind: .features(size: size, mean: nil, scale: nil), steps: 1)
    description.nodes.append(
      ModelDescription.Node(name: vector, op: .last, inputs: [name], weights: nil, mask: nil))
    notes.append(
      "the input \(name.jsonExcerpt) is a vector of \(size) numbers: a request sends it as a sequence of one step, "
        + "an array of n of them as (n, 1, \(size))"
    )
  }
}
