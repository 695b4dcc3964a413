/// Layers that only the training needed: the critic of an agent, which estimates a value beside its actor, or the discriminator of a
/// generator.
struct GuessCritic {
  /// The table without their tensors.
  let rest: WeightTable
  private let tensors: [String]

  private let role: String

  /// The critic. Nil if no tensors are named as one's, or none of them is a layer that answers one number: attention has values too.
  init?(_ table: WeightTable) {
    self.init(table, words: ["critic", "value", "vf"], role: "the critic of an agent")
  }

  /// The discriminator; nil if no tensors are named as one's.
  init?(discriminatorOf table: WeightTable) {
    self.init(
      table, words: ["discriminator", "disc", "netd"], role: "the discriminator of a generator")
  }

  private init?(_ table: WeightTable, words: Set<Substring>, role: String) {
    let own = table.weights.filter { weight in
      !words.isDisjoint(with: weight.name.lowercased().split { !$0.isLetter })
    }
    guard own.contains(where: { $0.shape.count == 2 && $0.shape[0] == 1 }) else { return nil }
    self.role = role
    tensors = own.map(\.name)
    var rest = table
    rest.remove(Set(tensors))
    self.rest = rest
  }

  /// What the person should confirm.
  var question: String {
    "is \(excerpt(tensors)) \(role), for training alone? yes here: left out"
  }
}
