/// The critic of an agent that was trained by reinforcement: layers beside those of its actor, which estimate a value for the training.
struct GuessCritic {
  /// The table without the critic's tensors.
  let rest: WeightTable
  private let tensors: [String]

  private static let words: Set<Substring> = ["critic", "value", "vf"]

  /// Nil if no tensors are named as a critic's, or none of them is a layer that answers one number: attention has values too.
  init?(_ table: WeightTable) {
    let own = table.weights.filter { weight in
      !Self.words.isDisjoint(with: weight.name.lowercased().split { !$0.isLetter })
    }
    guard own.contains(where: { $0.shape.count == 2 && $0.shape[0] == 1 }) else { return nil }
    tensors = own.map(\.name)
    var rest = table
    rest.remove(Set(tensors))
    self.rest = rest
  }

  /// What the person should confirm.
  var question: String {
    "is \(excerpt(tensors)) the critic of an agent, for training alone? yes here: left out"
  }
}
