/// A recurrent cell that is written as arithmetic: what it computes, from which states.
struct WrittenCell {
  /// LSTM, GRU or RNN.
  let op: String
  /// In ONNX's order of gates.
  let gates: [AffineForms.Form]
  /// Of a GRU: b and R of the candidate, apart from W; before or after the reset gate.
  var recurrent: AffineForms.Form?
  var attributes: [String: SourceAttribute] = [:]
  /// Of an LSTM: what the gates i, o and f multiply c with.
  var peepholes: [Double]?
  let hidden: String
  var cell: String?
  /// The names of the next states.
  let next: [String]

  var states: [String] { [hidden] + [cell].compactMap(\.self) }

  /// W, R and B as ONNX's operators have them; rows are by gate and unit, columns of W by source.
  func weights(
    of sources: [String], sizes: [Int]
  ) -> (input: [Double], recurrent: [Double], biases: [Double]) {
    let size = gates[0].size
    var (input, hiddenRows): ([Double], [Double]) = ([], [])
    for (index, gate) in gates.enumerated() {
      let isCandidate = index == gates.count - 1
      let own = isCandidate ? recurrent ?? gate : gate
      for unit in 0..<size {
        for (source, count) in zip(sources, sizes) {
          input += gate.matrices[source]?.map { $0[unit] } ?? Array(repeating: 0, count: count)
        }
        hiddenRows += own.matrices[hidden]?.map { $0[unit] } ?? []
      }
    }
    let zeros = Array(repeating: 0.0, count: size)
    let biases =
      gates.flatMap(\.bias) + Array(repeating: zeros, count: gates.count - 1).joined()
      + (recurrent?.bias ?? zeros)
    return (input, hiddenRows, biases)
  }
}
