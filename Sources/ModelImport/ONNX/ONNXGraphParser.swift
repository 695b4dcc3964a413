/// Parses a `GraphProto` and its parts.
struct ONNXGraphParser {
  let opset: Int
  let external: ExternalData
  private var nodeCount = 0

  /// The attribute with the least and the largest result of QuantizeLinear.
  static let limits = "limits"

  init(opset: Int, external: ExternalData) {
    self.opset = opset
    self.external = external
  }

  /// Parses a `GraphProto`; the graphs of If and Loop are a level deeper.
  mutating func graph(_ message: WireReader, depth: Int) throws(ImportError) -> SourceGraph {
    guard depth <= ONNXModel.Limit.depth else {
      throw message.malformed("graphs \(depth) deep", at: message.position)
    }
    var reader = message
    var graph = SourceGraph(opset: opset)
    while let field = try reader.next() {
      switch field.number {
      case 1: graph.nodes.append(try node(try reader.message(field), depth: depth))
      case 5:
        let (name, constant) = try tensor(try reader.message(field))
        graph.constants[name] = constant
      case 11: graph.inputs.append(try input(try reader.message(field)))
      case 12:
        let output = try input(try reader.message(field))
        graph.outputs.append(output.name)
        if output.hasShape { graph.outputDimensions[output.name] = output.dimensions }
      case 13:
        let value = try input(try reader.message(field))
        graph.examples[value.name] = value.dimensions.map {
          if case .fixed(let size) = $0 { SourceTensor.integer(size) } else { nil }
        }
      case 15: throw reader.malformed("a sparse tensor, which isn't read", at: field.offset)
      default: break
      }
    }
    graph.nodes = graph.nodes.flatMap { Self.scaled($0, &graph.constants) }
    // A zero point's type is that of the result.
    for index in graph.nodes.indices where graph.nodes[index].op == "QuantizeLinear" {
      let zero = graph.nodes[index].input(2)
      let limits = zero.map { graph.constants[$0]?.limits } ?? ONNXElementType.uint8.limits
      graph.nodes[index].attributes[Self.limits] = limits.map { .integers($0) }
    }
    // Before version 4 of the format, every initializer was an input too.
    graph.inputs.removeAll { graph.constants[$0.name] != nil }
    return graph
  }

  /// scikit-learn's scaler, `(x - offset) · scale`, as arithmetic.
  private static func scaled(
    _ node: SourceNode, _ constants: inout [String: SourceConstant]
  ) -> [SourceNode] {
    guard node.op == "ai.onnx.ml.Scaler", let x = node.input(0), let y = node.output(0),
      let offset = node.floats("offset"), let scale = node.floats("scale")
    else { return [node] }
    let names = ["offset", "difference", "scale"].map { "\(y).scaler.\($0)" }
    for (name, numbers) in [(names[0], offset), (names[2], scale)] {
      constants[name] = SourceConstant(SourceTensor(shape: [numbers.count], elements: numbers))
    }
    return [
      SourceNode(name: names[1], op: "Sub", inputs: [x, names[0]], outputs: [names[1]]),
      SourceNode(name: node.name, op: "Mul", inputs: [names[1], names[2]], outputs: [y]),
    ]
  }

  private mutating func node(_ message: WireReader, depth: Int) throws(ImportError) -> SourceNode {
    nodeCount += 1
    guard nodeCount <= ONNXModel.Limit.nodes else {
      throw message.malformed("more than \(ONNXModel.Limit.nodes) nodes", at: message.position)
    }
    var reader = message
    var node = SourceNode(name: "", op: "", inputs: [], outputs: [])
    var domain = ""
    while let field = try reader.next() {
      switch field.number {
      case 1: node.inputs.append(try reader.string(field))
      case 2: node.outputs.append(try reader.string(field))
      case 3: node.name = try reader.string(field)
      case 4: node.op = try reader.string(field)
      case 5:
        let (name, value) = try attribute(try reader.message(field), depth: depth)
        if let value { node.attributes[name] = value }
      case 7: domain = try reader.string(field)
      default: break
      }
    }
    if !domain.isEmpty, domain != "ai.onnx" { node.op = "\(domain).\(node.op)" }
    if node.name.isEmpty { node.name = node.outputs.first { !$0.isEmpty } ?? node.op }
    try ONNXInputCounts.check(node)
    return node
  }

  private mutating func attribute(
    _ message: WireReader, depth: Int
  ) throws(ImportError) -> (String, SourceAttribute?) {
    var reader = message
    var name = ""
    var value: SourceAttribute?
    var type: Int?
    var (floats, integers, texts): ([Double], [Int], [String]) = ([], [], [])
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.string(field)
      case 2: if type ?? 1 == 1 { value = .float(try reader.float(field)) }
      case 3: if type ?? 2 == 2 { value = .integer(try reader.integer(field)) }
      case 4: if type ?? 3 == 3 { value = .text(try reader.string(field)) }
      case 5: value = .tensor(try tensor(try reader.message(field)).1)
      case 6: value = .graph(try graph(try reader.message(field), depth: depth + 1))
      case 7: try reader.floats(field, into: &floats)
      case 8: try reader.integers(field, into: &integers)
      case 9: texts.append(try reader.string(field))
      // An attribute of a function that the caller sets: kept as a marked text, and replaced when the call is inlined.
      case 21: value = .text(ONNXGraphParser.referenceMark + (try reader.string(field)))
      case 20: type = try reader.integer(field)
      default: break
      }
    }
    switch type {
    case 1: if case .float? = value {} else { value = .float(0) }
    case 2: if case .integer? = value {} else { value = .integer(0) }
    case 3: if case .text? = value {} else { value = .text("") }
    case 6: value = .floats(floats)
    case 7: value = .integers(integers)
    case 8: value = .texts(texts)
    default:
      if value == nil, !integers.isEmpty { value = .integers(integers) }
      if value == nil, !floats.isEmpty { value = .floats(floats) }
      if value == nil, !texts.isEmpty { value = .texts(texts) }
    }
    if case .text(let text)? = value, text.hasPrefix(Self.referenceMark) {
      return (name, .text(text))
    }
    return (name, value)
  }

  /// The mark of a text that refers to an attribute of the caller.
  static let referenceMark = "\u{0}attribute of the call: "

  private func input(_ message: WireReader) throws(ImportError) -> SourceGraph.Input {
    var reader = message
    var input = SourceGraph.Input(name: "", kind: .float, dimensions: [])
    while let field = try reader.next() {
      switch field.number {
      case 1: input.name = try reader.string(field)
      case 2:
        var type = try reader.message(field)
        while let field = try type.next() {
          guard field.number == 1 else { continue }
          input.hasShape = false
          var tensor = try type.message(field)
          while let field = try tensor.next() {
            if field.number == 1 {
              input.kind = ONNXElementType(rawValue: try tensor.integer(field))?.kind ?? .float
            }
            if field.number == 2 {
              input.hasShape = true
              input.dimensions = try dimensions(try tensor.message(field))
            }
          }
        }
      default: break
      }
    }
    for (axis, dimension) in input.dimensions.enumerated() where dimension == .named("") {
      input.dimensions[axis] = .named("\(input.name)[\(axis)]")
    }
    return input
  }

  /// The axes of a value; an axis without size and name is `.named("")`.
  private func dimensions(_ message: WireReader) throws(ImportError) -> [SourceGraph.Dimension] {
    var reader = message
    var dimensions: [SourceGraph.Dimension] = []
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var dimension = SourceGraph.Dimension.named("")
      var size = try reader.message(field)
      while let field = try size.next() {
        if field.number == 1 {
          let value = try size.integer(field)
          if value > 0 { dimension = .fixed(SourceTensor.integer(value)) }
        }
        if field.number == 2 { dimension = .named(try size.string(field)) }
      }
      dimensions.append(dimension)
      guard dimensions.count <= 16 else {
        throw reader.malformed("more than 16 axes", at: field.offset)
      }
    }
    return dimensions
  }

  mutating func function(_ message: WireReader) throws(ImportError) -> ONNXFunction {
    var reader = message
    var function = ONNXFunction()
    var (name, domain) = ("", "")
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.string(field)
      case 4: function.inputs.append(try reader.string(field))
      case 5: function.outputs.append(try reader.string(field))
      case 7: function.nodes.append(try node(try reader.message(field), depth: 1))
      case 10: domain = try reader.string(field)
      case 11:
        let (key, value) = try attribute(try reader.message(field), depth: 1)
        if let value { function.defaults[key] = value }
      default: break
      }
    }
    function.op = domain.isEmpty || domain == "ai.onnx" ? name : "\(domain).\(name)"
    return function
  }

  /// A `TensorProto`: its name, and its elements, which are read on demand.
  private func tensor(_ message: WireReader) throws(ImportError) -> (String, SourceConstant) {
    var reader = message
    var raw = ONNXTensor(bytes: message.bytes, external: external, offset: message.position)
    while let field = try reader.next() { try raw.take(field, &reader) }
    var constant = try raw.constant()
    constant.limits = raw.limits
    constant.isHalf = raw.isHalf
    return (raw.name, constant)
  }
}
