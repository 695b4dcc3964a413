import JSON

/// Checks a description by itself, without the tensors: names, counts, sizes, vocabularies, numbers.
struct DescriptionCheck {
  let description: ModelDescription

  func run() throws(ModelError) {
    try checkName(description.name, path: "name")
    try checkName(description.version, path: "version")
    try checkCount(description.inputs.count, "inputs", limit: ModelLimits.inputs)
    try checkCount(description.nodes.count, "nodes", limit: ModelLimits.nodes)
    if description.decoder == nil || !description.outputs.isEmpty {
      try checkCount(description.outputs.count, "outputs", limit: ModelLimits.outputs)
    }
    for (index, input) in description.inputs.enumerated() {
      try input.check(path: "inputs[\(index)]")
    }
    try checkSteps()
    for (index, node) in description.nodes.enumerated() {
      try node.check(path: "nodes[\(index)]")
    }
    try checkOutputs()
  }

  /// Inputs of one axis have one number of steps.
  private func checkSteps() throws(ModelError) {
    var given: [String?: (steps: Int, place: Int)] = [:]
    for (index, input) in description.inputs.enumerated() {
      guard let steps = input.steps else { continue }
      let path = "inputs[\(index)].steps"
      guard (1...ModelLimits.size).contains(steps) else {
        throw .unexpected(
          path: path, found: "\(steps)", expected: "a number from 1 to \(ModelLimits.size)")
      }
      if let first = given[input.axis], first.steps != steps {
        throw .unexpected(
          path: path, found: "\(steps)",
          expected: "\(first.steps), as inputs[\(first.place)] of the same axis has")
      }
      given[input.axis] = (steps, index)
    }
  }

  private func checkOutputs() throws(ModelError) {
    let outputs = description.outputs
    for (index, output) in outputs.enumerated() {
      let path = "outputs[\(index)]"
      if let first = outputs[..<index].firstIndex(where: { $0.name == output.name }) {
        throw .duplicateName(output.name, path: "\(path).name", first: "outputs[\(first)].name")
      }
      if let labels = output.labels { try checkDistinct(labels, path: "\(path).labels") }
    }
  }

  private func checkCount(_ count: Int, _ path: String, limit: Int) throws(ModelError) {
    guard count > 0 || path == "nodes" else {
      throw .unexpected(path: path, found: "none", expected: "at least one")
    }
    guard count <= limit else { throw .tooMany(path, found: count, limit: limit) }
  }
}

extension ModelDescription.Input {
  fileprivate func check(path: String) throws(ModelError) {
    try checkName(name, path: "\(path).name")
    if let axis { try checkName(axis, path: "\(path).axis") }
    let size = kind.size
    guard size > 0 else {
      throw .unexpected(path: "\(path).size", found: "\(size)", expected: "at least 1")
    }
    guard size <= ModelLimits.size else {
      throw .tooMany("\(path).size", found: size, limit: ModelLimits.size)
    }
    switch kind {
    case .features(_, let mean, let scale):
      if let mean { try checkNumbers(mean, count: size, path: "\(path).mean") }
      if let scale {
        try checkNumbers(scale, count: size, path: "\(path).scale")
        if let index = scale.firstIndex(of: 0) {
          throw .unexpected(
            path: "\(path).scale[\(index)]", found: "0", expected: "a number other than 0")
        }
      }
    case .tokens(_, let vocabulary?):
      guard vocabulary.count == size else {
        throw .unexpected(
          path: "\(path).vocabulary", found: "\(vocabulary.count)",
          expected: "\(size) texts, one an id")
      }
      try checkDistinct(vocabulary, path: "\(path).vocabulary")
    case .tokens(_, nil), .vector: break
    }
  }
}

extension ModelDescription.Node {
  fileprivate func check(path: String) throws(ModelError) {
    try checkName(name, path: "\(path).name")
    try op.check(path: path)
  }
}

/// Whether a model, an input or a node can have this name. Names are used in URLs, in JSON and on command lines.
package func isPlainName(_ name: String) -> Bool {
  let isPlain = name.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }
  return isPlain && (1...ModelLimits.nameBytes).contains(name.utf8.count) && !name.hasPrefix(".")
}

private func checkName(_ name: String, path: String) throws(ModelError) {
  guard isPlainName(name) else {
    throw .unexpected(
      path: path, found: name.jsonExcerpt,
      expected: "1 to \(ModelLimits.nameBytes) letters, digits, '-', '_' and '.', not '.' first")
  }
}

private func checkDistinct(_ texts: [String], path: String) throws(ModelError) {
  var first: [String: Int] = [:]
  for (index, text) in texts.enumerated() {
    if let earlier = first.updateValue(index, forKey: text) {
      throw .duplicateName(text, path: "\(path)[\(index)]", first: "\(path)[\(earlier)]")
    }
  }
}
