/// The body of a Loop over the steps of a sequence: the values that it reads at each step, and the variables that it carries.
struct LoopBody {
  enum Variable: Equatable {
    /// The number of steps done.
    case counter
    /// A value that is the same at every step, such as a weight.
    case constant
    case state
  }

  /// A value of the body that is a step of a sequence of the surrounding graph.
  struct Read {
    let name: String
    let sequence: String
  }

  let node: SourceNode
  private(set) var variables: [Variable] = []
  private(set) var reads: [Read] = []
  /// The body without the nodes that read steps.
  private(set) var step: SourceGraph
  private let producers: NodeProducers

  /// Nil if the body has another form.
  init?(_ node: SourceNode) {
    guard let graph = node.graph("body"), graph.inputs.count == node.inputs.count,
      graph.inputs.count > 2, graph.outputs.count + 1 >= graph.inputs.count,
      graph.nodes.count < 2000
    else { return nil }
    self.node = node
    step = graph
    producers = NodeProducers(graph)
    for index in 0..<graph.inputs.count - 2 {
      let input = graph.inputs[index + 2].name
      let next = origin(graph.outputs[index + 1])
      if next == input {
        variables.append(.constant)
      } else if graph.inputs[index + 2].kind == .integer, producers[next]?.op == "Add",
        producers[next]?.inputs.contains(where: { origin($0) == input }) ?? false
      {
        variables.append(.counter)
      } else {
        variables.append(.state)
      }
    }
    read()
  }

  /// The names of the body's inputs that are variables.
  var names: [String] { step.inputs.dropFirst(2).map(\.name) }

  /// The names of the variables' values after a step.
  var next: [String] { step.outputs.dropFirst().prefix(variables.count).map(\.self) }

  /// The names of the values that are collected over the steps.
  var scans: [String] { step.outputs.dropFirst(variables.count + 1).map(\.self) }

  /// The value of a name, skipping nodes that change nothing.
  func origin(_ name: String) -> String { producers.origin(name) }

  /// The index of the variable with a name; nil for other values.
  func variable(_ name: String) -> Int? { names.firstIndex(of: origin(name)) }

  private mutating func read() {
    var nodes: [SourceNode] = []
    for node in step.nodes {
      guard node.op == "Gather", node.integer("axis", default: 0) == 0, node.inputs.count == 2,
        isCounter(node.inputs[1]), let sequence = outer(node.inputs[0]), let output = node.output(0)
      else {
        nodes.append(node)
        continue
      }
      reads.append(Read(name: output, sequence: sequence))
    }
    step.nodes = nodes
  }

  private func isCounter(_ name: String) -> Bool {
    var name = origin(name)
    while let node = producers[name], node.op == "Cast", let source = node.input(0) {
      name = origin(source)
    }
    return name == step.inputs[0].name || variable(name).map { variables[$0] == .counter } ?? false
  }

  /// A value's name in the surrounding graph; nil if the body computes it.
  private func outer(_ name: String) -> String? {
    let name = origin(name)
    if let index = variable(name) {
      return variables[index] == .constant ? node.inputs[index + 2] : nil
    }
    return producers[name] == nil && !step.inputs.contains { $0.name == name } ? name : nil
  }

  /// The names of the surrounding graph that a step needs beside its inputs and the steps that it reads.
  var needed: Set<String> {
    var known = Set(step.inputs.map(\.name) + reads.map(\.name) + step.constants.keys)
    var needed: Set<String> = []
    for node in step.nodes {
      for name in node.inputs where !name.isEmpty && !known.contains(name) { needed.insert(name) }
      known.formUnion(node.outputs)
    }
    return needed
  }

  /// Whether the loop continues after a step, by the number of steps done; false where more than that decides.
  func goesOn(_ l: inout Lowering, behind count: Int) throws(ImportError) -> Bool {
    var condition = step
    condition.outputs = [step.outputs[0]]
    condition.dropUnneeded()
    let needed = Set(condition.nodes.flatMap(\.needed) + condition.outputs).subtracting([""])
    let done = SourceTensor(shape: [], kind: .integer, elements: [Double(count)])
    var inputs = [
      step.inputs[0].name: done,
      step.inputs[1].name: SourceTensor(shape: [], kind: .boolean, elements: [1]),
    ]
    let made = Set(condition.nodes.flatMap(\.outputs))
    for name in needed where !made.contains(name) && condition.constants[name] == nil {
      if inputs[name] != nil { continue }
      switch variable(name).map({ variables[$0] }) {
      case .counter: inputs[name] = done
      case .state: return false
      case .constant, nil:
        guard let outer = outer(name),
          case .constant(let tensor) = try l.value(named: outer, of: node)
        else { return false }
        inputs[name] = tensor
      }
    }
    var interpreter = GraphInterpreter(opset: l.opset, inputs: inputs)
    do throws(ImportError) { try interpreter.run(condition) } catch { return false }
    return interpreter.values[step.outputs[0]].map { $0.first != 0 } ?? false
  }
}
