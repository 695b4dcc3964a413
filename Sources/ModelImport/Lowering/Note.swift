/// Notes for the person.
package enum Note {
  static let roundedActivations =
    "the file rounds what goes into products to 8 bits; the folder doesn't, so that its answers are nearer to those of the model before it was quantised"

  static let halfWeights =
    "the file's weights have 16 bits, and the folder computes with 32: where the framework computes with 16, its answers differ from the folder's by what it rounds, some thousandths"

  /// What is said of an input or output that the sequence keeps as its state.
  static let keptInput =
    "is left out: it is the state of the sequence, zero before the first step and kept from then on (--keep-states leaves it to the caller)"
  static let keptOutput =
    "is left out: it is the state of the sequence, which is kept for the next steps"

  /// The same where the model can't go on from a state.
  static let unkeptInput =
    "is left out: it is the state of the sequence, zero before its first step, and not kept from one request to the next, as the model needs the whole of a sequence at once; import it with --keep-states to give it in each request"
  static let unkeptOutput =
    "is left out: it is the state of the sequence, of which the model needs the whole at once; import it with --keep-states to have it in the answers"

  /// What is said where states are kept, and a convolution or a pool over the steps goes on with them.
  package static let oneSequence =
    "a session is one sequence, whose convolutions and pools over the steps also read those of the requests before; the module, called piece by piece, reads those of the call alone: for answers as of such calls import it with --keep-states"

  /// What is added where an input of a model without sequences may be a state that it answers.
  static let callersState =
    "; a state among its inputs, as of a cell, is not kept: the caller gives in each request what the one before answered. States are kept of nn.LSTM, nn.GRU and nn.RNN, of nn.LSTMCell, nn.GRUCell and nn.RNNCell"

  /// What a file casts to whole numbers, and computes with.
  static func truncated(_ input: String) -> String {
    "the file takes the numbers of \"\(input)\" without what is behind the point, and a folder rounds nothing: send whole numbers"
  }

  static func fixed(_ input: String, _ value: SourceTensor) -> String {
    "\"\(input)\" is fixed: \(value.count == 1 ? "\(value[0])" : "an array of \(value.shape)")"
  }

  /// What is said of steps that are made of a vector, and of which there are as many as the exporter's example has.
  static func stepsOfExample(_ place: String, _ count: Int) -> String {
    "\(place) reads \(count) steps that are made of a vector, as many as the exporter's example has: a question of any number of steps is "
      + "answered with \(count); for as many as the question has, make them of its length: z.unsqueeze(1).expand(-1, x.size(1), -1)"
  }

  /// What is said of labels of an output that is not decoded.
  static func labels(of output: String) -> String {
    "the labels name the elements of the output \"\(output)\", of which answers have the numbers: for the label of the largest, write \"decode\": \"argmax\" beside \"labels\" in model.json"
  }

  /// The notes; of three and more that differ in the first name alone, as of nodes, layers or inputs, one with the names of all.
  package static func grouped(_ notes: [String]) -> [String] {
    var order: [String] = []
    var groups: [String: [(note: String, name: String)]] = [:]
    for note in notes {
      let parts = note.split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
      let key = parts.count == 3 ? "\(parts[0])\"\"\(parts[2])" : note
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append((note, parts.count == 3 ? "\"\(parts[1])\"" : ""))
    }
    return order.flatMap { key in
      let group = groups[key] ?? []
      guard group.count > 2 else { return group.map(\.note) }
      let others = excerpt(group.dropFirst().map(\.name), limit: 5)
      return ["\(group[0].note); the same of \(group.count - 1) more: \(others)"]
    }
  }

  /// What is dropped at random in training is kept, as at inference.
  static func dropout(_ place: String, _ ratio: Double) -> String {
    "\(place) is dropout at work: the framework drops \(Float(ratio)) of the elements at random at every call, and the folder drops "
      + "none; call model.eval() before the export, and functional dropout with training=self.training"
  }
}
