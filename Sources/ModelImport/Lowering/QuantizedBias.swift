/// The biases of ONNX Runtime's convolutions of 8 bits as its older releases quantised them: rounded to whole numbers of the
/// product's scale, (conv(x, w) + ⌊b / s⌋) s with s = scale(x) scale(w), where newer ones add b behind the scale.
enum QuantizedBias {
  /// The graph with the biases behind the scales, conv(x, w) s + b; nil where there are none to move.
  static func behindScales(_ graph: SourceGraph) -> SourceGraph? {
    let producers = NodeProducers(graph)
    var result = graph
    result.nodes = []
    for node in graph.nodes {
      guard let product = Product(node, producers) else {
        result.nodes.append(node)
        continue
      }
      let name = node.outputs[0]
      func add(_ op: String, _ inputs: [String], _ output: String, like other: SourceNode) {
        result.nodes.append(
          SourceNode(
            name: other.name, op: op, inputs: inputs, outputs: [output],
            attributes: other.attributes))
      }
      add("Cast", [product.convolution], "\(name)/whole", like: product.cast)
      add("Mul", ["\(name)/whole", product.scale], "\(name)/scaled", like: node)
      add("Reshape", [product.bias, product.shape], "\(name)/bias", like: product.reshape)
      add("Add", ["\(name)/scaled", "\(name)/bias"], name, like: product.sum)
    }
    guard result.nodes.count > graph.nodes.count else { return nil }
    result.dropUnneeded()
    return result
  }

  /// A product of a scale and of a convolution with such a bias.
  private struct Product {
    let convolution: String
    let scale: String
    let bias: String
    let shape: String
    let (sum, cast, reshape): (SourceNode, SourceNode, SourceNode)

    init?(_ node: SourceNode, _ producers: NodeProducers) {
      func source(_ node: SourceNode, _ input: Int, _ op: String) -> SourceNode? {
        guard let name = node.input(input), let found = producers[name], found.op == op else {
          return nil
        }
        return found
      }
      guard node.op == "Mul", node.inputs.count == 2, let cast = source(node, 0, "Cast"),
        let sum = source(cast, 0, "Add"), sum.inputs.count == 2,
        source(sum, 0, "ConvInteger") != nil, let reshape = source(sum, 1, "Reshape"),
        let shape = reshape.input(1), let whole = source(reshape, 0, "Cast"),
        let rounded = source(whole, 0, "Floor") ?? source(whole, 0, "Round"),
        let quotient = source(rounded, 0, "Div"), quotient.inputs.count == 2,
        let own = source(node, 1, "Mul"), let other = source(quotient, 1, "Mul"),
        Set(own.inputs) == Set(other.inputs)
      else { return nil }
      (convolution, scale, bias) = (sum.inputs[0], node.inputs[1], quotient.inputs[0])
      (self.shape, self.sum, self.cast, self.reshape) = (shape, sum, cast, reshape)
    }
  }
}
