import JSON

/// Finds tensors that no node reads, but that were probably meant to be read.
struct UnreadTensors {
  let tensors: TensorFile
  /// The graphs that read the file.
  let graphs: [GraphResolver]

  /// A node (or a decoded output) with the tensors that it reads under its prefix.
  private struct Reader {
    let name: String
    let op: String
    let tensors: [String]
    /// The names of all tensors that its op can read, without the prefix.
    let readable: [String]
    let recurrent: Model.RecurrentShape?
  }

  /// Throws if a tensor has the prefix of a node but no node reads it: a model whose bias has a wrong name would answer
  /// without the bias.
  func check() throws(ModelError) {
    let (nodes, outputs) = (graphs.flatMap(\.nodes), graphs.flatMap(\.outputs))
    let usedTensors = Set(graphs.flatMap(\.usedTensors))
    var owners: [String: [Reader]] = [:]
    for node in nodes {
      guard let prefix = node.weights else { continue }
      owners[prefix, default: []].append(
        Reader(
          name: node.name, op: node.op.name, tensors: node.tensors, readable: node.op.tensors,
          recurrent: node.recurrent))
    }
    for output in outputs {
      guard case .crf(let crf) = output.decode else { continue }
      owners[crf.weights, default: []].append(
        Reader(
          name: output.name, op: ModelDescription.Decode.crf(crf).name, tensors: output.tensors,
          readable: ModelDescription.Decode.CRF.tensors, recurrent: nil))
    }
    for tensor in tensors.names where !usedTensors.contains(tensor) {
      guard let prefix = Self.prefixes(of: tensor).first(where: { owners[$0] != nil }),
        let sharing = owners[prefix]
      else { continue }
      throw .unreadTensor(
        tensor, node: sharing[0].name, op: sharing[0].op,
        read: Set(sharing.flatMap(\.tensors)).sorted(),
        hint: hint(of: tensor, under: prefix, owner: sharing[0]))
    }
  }

  /// All prefixes of a tensor's name, the longest first: with nested prefixes, the tensor belongs to the node with the
  /// longest.
  private static func prefixes(of tensor: String) -> [String] {
    let dots = tensor.indices.filter { tensor[$0] == "." }
    return dots.isEmpty ? [""] : dots.reversed().map { String(tensor[..<$0]) }
  }

  private func hint(
    of tensor: String, under prefix: String, owner: Reader
  ) -> TensorHint? {
    guard let name = nameOfTensor(tensor, under: prefix) else { return nil }
    if let shape = owner.recurrent {
      // A bias under a wrong name, in a recurrent network that seems to have none.
      let bias = Model.RecurrentShape.tensorName("bias", layer: 0, direction: 0, under: prefix)
      return shape.bias == .none && Self.aliases[name, default: name] == "bias"
        ? .meant(bias) : nil
    }
    let readable = owner.readable
    // The op reads a tensor of this name, but an attribute of the node replaces it.
    if readable.contains(name) { return .attribute }
    if ["running_mean", "running_var", "num_batches_tracked"].contains(name) { return .batchNorm }
    if Self.reparametrised.contains(where: { name.contains($0) }) { return .reparametrised }
    let absent = readable.map { tensorName($0, under: prefix) }.filter { !tensors.contains($0) }
    if let alias = Self.aliases[name.lowercased()],
      let meant = absent.first(where: { nameOfTensor($0, under: prefix) == alias })
    {
      return .meant(meant)
    }
    return nearestName(to: tensor, among: absent).map { .meant($0) }
  }

  /// Other frameworks' names of tensors, and common mistakes.
  private static let aliases = [
    "b": "bias", "beta": "bias", "offset": "bias", "shift": "bias", "bias_": "bias",
    "w": "weight", "gamma": "weight", "kernel": "weight", "scale": "weight", "weights": "weight",
    "biases": "bias", "chain_kernel": "transitions", "left_boundary": "start_transitions",
    "right_boundary": "end_transitions",
  ]
  /// Parts of the names of adapters, pruning masks and weight norms.
  private static let reparametrised = [
    "lora_", "weight_orig", "weight_mask", "weight_g", "weight_v", "weight_u", "parametrizations",
    "_raw",
  ]
}
