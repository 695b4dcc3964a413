/// What a guess leaves out of a table, as it is no layer of a chain: the tensors of a loss, the spread of an agent's actions, and
/// tensors of one number.
struct GuessOmissions {
  /// The tensors of a loss, as `nn.CrossEntropyLoss(weight=…)` has.
  private let ofLoss: [String]
  /// The logarithms of the deviations with which an agent draws actions about those that its network answers.
  private let ofSpread: [String]
  /// The tensors of one number that are no weight or bias of a layer.
  private let numbers: [String]

  init(_ table: WeightTable) {
    let names = table.weights.filter { !$0.isWhole }
    ofLoss = names.map(\.name).filter(Self.isOfLoss)
    ofSpread = names.map(\.name).filter(Self.isOfSpread)
    let all = Set(table.names)
    numbers = names.filter { $0.floats.count == 1 && Self.isAlone($0, among: all) }
      .map(\.name).filter { !Self.isOfLoss($0) && !Self.isOfSpread($0) }
  }

  /// The table without them.
  func removed(from table: WeightTable) -> WeightTable {
    var rest = table
    rest.remove(Set(ofLoss + ofSpread + numbers))
    return rest
  }

  private static let losses: Set<String> = [
    "criterion", "crit", "objective", "class_weight", "class_weights", "pos_weight",
  ]

  /// Whether a module, or the tensor itself, is named as a loss or its weights.
  private static func isOfLoss(_ name: String) -> Bool {
    name.lowercased().split(separator: ".").contains { part in
      losses.contains(String(part))
        || part.split(separator: "_").contains { $0 == "loss" || $0 == "criterion" }
    }
  }

  /// Whether a tensor, no module's weight, is named as such deviations: `log_std`, `actor_logstd`.
  private static func isOfSpread(_ name: String) -> Bool {
    let own = name.lowercased().split(separator: ".").last ?? ""
    return ["log_std", "logstd"].contains { own.hasSuffix($0) }
  }

  /// Whether a tensor of one number is no part of a layer. Layers of size 1 have such weights and biases; a weight alone may be
  /// that of an `nn.PReLU`, if the name is one of an activation or a place in a sequence.
  private static func isAlone(_ weight: WeightTable.Weight, among names: Set<String>) -> Bool {
    let parts = weight.name.split(separator: ".")
    let own = parts.last ?? ""
    guard own == "weight", weight.shape == [1] else {
      return !["weight", "bias", "running_"].contains { own.hasPrefix($0) }
    }
    let module = parts.dropLast().last?.lowercased() ?? ""
    let isActivation =
      ["relu", "act"].contains { module.contains($0) }
      || !module.isEmpty && module.allSatisfy(\.isNumber)
    return !isActivation && !names.contains("\(weight.name.dropLast("weight".count))bias")
  }

  /// The questions about them.
  var questions: [String] {
    var questions: [String] = []
    if !ofLoss.isEmpty {
      questions.append(
        "is \(excerpt(ofLoss)) for training alone? yes here, as weights of a loss: left out")
    }
    if !ofSpread.isEmpty {
      questions.append(
        "is \(excerpt(ofSpread)) the spread with which an agent draws its actions in training? yes here: left out, the answer is their mean"
      )
    }
    if !numbers.isEmpty {
      questions.append(
        "\(numbers.count == 1 ? "does" : "do") \(excerpt(numbers)) (one number each) change the answer? no here: left out; of a number that multiplies a value, or is added to it, add a node { \"name\": \"scaled\", \"op\": \"affine\", \"inputs\": [\"VALUE\"], \"scale\": NUMBER, \"shift\": NUMBER }, and read \"scaled\" in the place of VALUE"
      )
    }
    return questions
  }
}
